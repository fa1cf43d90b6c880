//! [`Core`], the slots that all share, and [`Head`] and [`Place`], the positions that move over them.
//!
//! The only file of the ring that reaches into slots. Each use of a slot has a number of its own, from 0
//! on: the slot is the number modulo the capacity. A position owns the numbers from `next` up to `limit`,
//! and moves by giving up the lowest of them; both only rise.
//!
//! 1. A head owns numbers that nobody else can own: a sole head's begin at `published`, which nobody else
//!    stores; those of several are taken off `claimed` by a compare-and-exchange, each once.
//! 2. A head's numbers are at most a capacity above every cursor of the last stage, each of which it read
//!    with Acquire. So all stages are done with what the slot held a lap ago.
//! 3. A place at the first stage owns numbers that a head gave up with a Release store, of `published` or
//!    of the slot's stamp, which it read with Acquire; a place further down numbers that all places of the
//!    stage before gave up in the same way, by their cursors. So of a slot's owners one comes after the
//!    other, and what one wrote the next sees.
//! 4. Who writes is alone at its stage; those who are not only read, where `T: Sync`. Each cursor has one
//!    place, since [`ring`] alone makes them.
//! 5. A reference to a slot borrows the position, mutably if it can be written through; and giving
//!    numbers up needs `&mut`. So no reference outlives the ownership.
//! 6. Every slot is initialised at all times, by the ring's maker or by what owners left. Nothing is
//!    moved out of one.

use crate::{BuildError, Closed, Wait, bell::Bell};
use aqueduct_base::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    cell::UnsafeCell,
    twin,
};
use std::{hint, marker::PhantomData, ops::Range, thread};

/// What is written by one thread and read by others: alone on its cache lines.
#[repr(align(128))]
struct Line<T>(T);

/// A slot, on cache lines of its own.
#[repr(align(64))]
struct Slot<T>(UnsafeCell<T>);

/// Who made slots visible, or gave them back, and is gone.
struct Cursor {
    /// Numbers below are given up.
    done: AtomicU64,
    gone: AtomicBool,
}

/// What the ring's two ends and all stages share.
pub(crate) struct Core<T> {
    slots: Box<[Slot<T>]>,
    mask: u64,
    /// Numbers below are published by the sole head, or claimed by one of several.
    published: Line<AtomicU64>,
    /// With several heads, for each slot: twice the number after the one it was last published with, and
    /// one more if the claim was given up.
    stamps: Box<[AtomicU64]>,
    /// One for each consumer, stage after stage.
    cursors: Box<[Line<Cursor>]>,
    /// One for each stage, and the producers'.
    bells: Box<[Bell]>,
    producers: AtomicUsize,
    /// Something is gone: what, must be looked up.
    ending: AtomicBool,
    panicked: AtomicBool,
}

// SAFETY: slots are reached by positions alone, one owner after the other, who may be threads apart (T:
// Send), or several who only read, where T is Sync (3, 4). All else is Sync by itself.
unsafe impl<T: Send> Sync for Core<T> {}
// SAFETY: owns its slots.
unsafe impl<T: Send> Send for Core<T> {}

/// A ring with so many consumers at each stage: its producer, one of several if wanted, and the consumers'
/// places, stage after stage.
pub(crate) fn ring<T>(
    capacity: usize,
    wait: Wait,
    widths: &[usize],
    several: bool,
    make: impl FnMut() -> T,
) -> Result<(Head<T>, Vec<Place<T>>), BuildError> {
    let core = Arc::new(Core::new(capacity, wait, widths, several, make)?);
    let (mut places, mut before) = (Vec::new(), 0..0);
    for (stage, width) in widths.iter().enumerate() {
        let own = before.end..before.end + width;
        for cursor in own.clone() {
            places.push(Place::new(core.clone(), stage, cursor, before.clone(), *width == 1));
        }
        before = own;
    }
    Ok((Head::new(core, before, several), places))
}

impl<T> Core<T> {
    fn new(
        capacity: usize,
        wait: Wait,
        widths: &[usize],
        several: bool,
        mut make: impl FnMut() -> T,
    ) -> Result<Self, BuildError> {
        const MOST: usize = 1 << 31;
        if !(1..=MOST).contains(&capacity) {
            return Err(BuildError::Capacity(capacity));
        }
        if let Some(stage) = widths.iter().position(|width| *width == 0) {
            return Err(BuildError::EmptyStage(stage));
        }
        let capacity = capacity.next_power_of_two();
        let slots = boxed(capacity, || Slot(UnsafeCell::new(make())))?;
        let stamps = boxed(if several { capacity } else { 0 }, || AtomicU64::new(0))?;
        let cursor = || Line(Cursor { done: AtomicU64::new(0), gone: AtomicBool::new(false) });
        Ok(Self {
            slots,
            mask: capacity as u64 - 1,
            published: Line(AtomicU64::new(0)),
            stamps,
            cursors: boxed(widths.iter().sum(), cursor)?,
            bells: boxed(widths.len() + 1, || Bell::new(wait))?,
            producers: AtomicUsize::new(1),
            ending: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        })
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn bell(&self, stage: usize) -> &Bell {
        &self.bells[stage]
    }

    pub(crate) fn producers_bell(&self) -> &Bell {
        &self.bells[self.bells.len() - 1]
    }

    /// The lowest of some cursors. What their owners did with the numbers below is visible.
    #[inline(always)]
    fn lowest(&self, cursors: &Range<usize>, twin: &'static str) -> u64 {
        let order = twin::order(twin, Ordering::Acquire, Ordering::Relaxed);
        let mut lowest = u64::MAX;
        for Line(cursor) in &self.cursors[cursors.clone()] {
            lowest = lowest.min(cursor.done.load(order));
        }
        lowest
    }

    #[inline(always)]
    fn stamp(&self, number: u64) -> Option<&AtomicU64> {
        let at = usize::try_from(number & self.mask).ok()?;
        self.stamps.get(at)
    }

    #[inline(always)]
    fn slot(&self, number: u64) -> &Slot<T> {
        #[expect(clippy::cast_possible_truncation, reason = "below 2^31")]
        let at = (number & self.mask) as usize;
        debug_assert!(at < self.slots.len());
        // SAFETY: the mask is the number of slots less one.
        unsafe { self.slots.get_unchecked(at) }
    }

    /// Something is gone, or will be: all who wait are to look.
    fn end(&self) {
        if thread::panicking() {
            self.panicked.store(true, Ordering::Relaxed);
        }
        self.ending.store(true, Ordering::Release);
        self.bells.iter().for_each(Bell::ring);
    }

    fn closed(&self) -> Closed {
        Closed { panicked: self.panicked.load(Ordering::Relaxed) }
    }
}

/// So many values, if there is memory for them.
fn boxed<T>(count: usize, make: impl FnMut() -> T) -> Result<Box<[T]>, BuildError> {
    let mut all = Vec::new();
    all.try_reserve_exact(count).map_err(|_| BuildError::Memory(count))?;
    all.resize_with(count, make);
    Ok(all.into_boxed_slice())
}

/// How many numbers there are between two of one position: no more than slots.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most 2^31")]
fn distance(next: u64, limit: u64) -> usize {
    (limit - next) as usize
}

/// A producer's position. Its numbers are those that it has claimed.
pub(crate) struct Head<T> {
    core: Arc<Core<T>>,
    next: u64,
    limit: u64,
    /// The lowest cursor of the last stage when it was last read.
    gate: u64,
    last: Range<usize>,
    /// One of several.
    several: bool,
    seat: usize,
    /// Shared between threads where the values may be, as what borrows it shows them.
    values: PhantomData<T>,
}

impl<T> Head<T> {
    fn new(core: Arc<Core<T>>, last: Range<usize>, several: bool) -> Self {
        let seat = core.producers_bell().seat();
        Self { core, next: 0, limit: 0, gate: 0, last, several, seat, values: PhantomData }
    }

    /// Another of several.
    pub(crate) fn another(&self) -> Self {
        self.core.producers.fetch_add(1, Ordering::Relaxed);
        Self::new(self.core.clone(), self.last.clone(), true)
    }

    pub(crate) fn core(&self) -> &Arc<Core<T>> {
        &self.core
    }

    pub(crate) fn seat(&self) -> usize {
        self.seat
    }

    /// Numbers that it owns.
    #[inline(always)]
    pub(crate) fn owned(&self) -> usize {
        distance(self.next, self.limit)
    }

    /// Claims so many numbers, at least one and at most as many as there are slots, or none. What was
    /// claimed before and not published is given up.
    #[inline(always)]
    pub(crate) fn claim(&mut self, count: usize) -> bool {
        let count = count as u64;
        if self.several {
            self.give_up();
            return self.claim_of_several(count);
        }
        let limit = self.next + count;
        if !self.reaches(limit) {
            return false;
        }
        self.limit = limit;
        true
    }

    fn claim_of_several(&mut self, count: u64) -> bool {
        let mut next = self.core.published.0.load(Ordering::Relaxed);
        loop {
            if !self.reaches(next + count) {
                // Others may have gone far ahead of what was read.
                let now = self.core.published.0.load(Ordering::Relaxed);
                if now == next {
                    return false;
                }
                next = now;
                continue;
            }
            let claimed = &self.core.published.0;
            if twin::is("claim_in_two_steps") {
                claimed.store(next + count, Ordering::Relaxed);
                break;
            }
            // Relaxed: a number is a right and no message (1). What the slot held before was seen with
            // the cursors.
            let swapped = claimed.compare_exchange_weak(
                next,
                next + count,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match swapped {
                Ok(_) => break,
                Err(now) => next = now,
            }
            hint::spin_loop();
        }
        (self.next, self.limit) = (next, next + count);
        true
    }

    /// Whether all stages are done with the slots of all numbers below `limit`.
    #[inline(always)]
    fn reaches(&mut self, limit: u64) -> bool {
        let capacity = self.core.mask + 1;
        if limit <= self.gate + capacity {
            return true;
        }
        self.gate = self.core.lowest(&self.last, "gate_relaxed");
        limit <= self.gate + capacity
    }

    /// The first slot that is claimed.
    #[inline(always)]
    pub(crate) fn first(&self) -> &T {
        assert!(self.owned() > 0, "a slot is claimed");
        // SAFETY: this head owns the number (1, 2), and is borrowed as long as the reference lives (5).
        self.core.slot(self.next).0.with(|value| unsafe { &*value })
    }

    /// The first slot that is claimed.
    #[inline(always)]
    pub(crate) fn first_mut(&mut self) -> &mut T {
        assert!(self.owned() > 0, "a slot is claimed");
        // SAFETY: this head owns the number (1, 2), and is borrowed as long as the reference lives (5).
        self.core.slot(self.next).0.with_mut(|value| unsafe { &mut *value })
    }

    /// All slots that are claimed.
    #[inline(always)]
    pub(crate) fn slots_mut(&mut self) -> SlotsMut<'_, T> {
        let Self { core, next, limit, .. } = self;
        let walk = Walk { core, next: *next, end: *limit, claimed: true, seen: None };
        SlotsMut(walk, PhantomData)
    }

    /// Makes the first `count` numbers visible and gives up the others.
    #[inline(always)]
    pub(crate) fn publish(&mut self, count: usize) {
        if self.several {
            return self.publish_of_several(count as u64);
        }
        debug_assert!(count <= self.owned());
        self.next += count as u64;
        self.limit = self.next;
        let order = twin::order("publish_relaxed", Ordering::Release, Ordering::Relaxed);
        self.core.published.0.store(self.next, order);
        self.core.bells[0].ring();
    }

    /// Gives up what is claimed.
    #[inline(always)]
    pub(crate) fn give_up(&mut self) {
        if self.next == self.limit {
            return;
        }
        if self.several {
            // Others may have claimed behind it, so that it has to be passed.
            self.publish_of_several(0);
        } else {
            self.limit = self.next;
        }
    }

    fn publish_of_several(&mut self, count: u64) {
        let order = twin::order("stamp_relaxed", Ordering::Release, Ordering::Relaxed);
        for number in self.next..self.limit {
            let given_up = u64::from(number - self.next >= count);
            if let Some(stamp) = self.core.stamp(number) {
                stamp.store((number + 1) << 1 | given_up, order);
            }
        }
        self.next = self.limit;
        self.core.bells[0].ring();
    }

    /// Why none can be claimed, if that will stay so: a consumer is gone.
    #[cold]
    pub(crate) fn is_closed(&self) -> Option<Closed> {
        let gone = |Line(cursor): &Line<Cursor>| cursor.gone.load(Ordering::Acquire);
        let ending = self.core.ending.load(Ordering::Acquire);
        (ending && self.core.cursors.iter().any(gone)).then(|| self.core.closed())
    }
}

impl<T> Drop for Head<T> {
    fn drop(&mut self) {
        // What a forgotten claim left.
        self.give_up();
        self.core.producers_bell().leave(self.seat);
        let order = twin::order("last_producer_relaxed", Ordering::AcqRel, Ordering::Relaxed);
        let last = self.core.producers.fetch_sub(1, order) == 1;
        if last || thread::panicking() {
            self.core.end();
        }
    }
}

/// A consumer's position. Its numbers are those that are there to be taken.
pub(crate) struct Place<T> {
    core: Arc<Core<T>>,
    next: u64,
    limit: u64,
    /// The stage that it is of, from 0.
    stage: usize,
    /// Its cursor.
    own: usize,
    /// The cursors of the stage before; none at the first.
    before: Range<usize>,
    /// No other is at its stage.
    alone: bool,
    seat: usize,
    /// As a head's.
    values: PhantomData<T>,
}

impl<T> Place<T> {
    fn new(
        core: Arc<Core<T>>,
        stage: usize,
        own: usize,
        before: Range<usize>,
        alone: bool,
    ) -> Self {
        let seat = core.bells[stage].seat();
        Self { core, next: 0, limit: 0, stage, own, before, alone, seat, values: PhantomData }
    }

    pub(crate) fn core(&self) -> &Arc<Core<T>> {
        &self.core
    }

    /// Where it waits.
    pub(crate) fn stage(&self) -> usize {
        self.stage
    }

    pub(crate) fn seat(&self) -> usize {
        self.seat
    }

    /// Numbers that are there.
    #[inline(always)]
    pub(crate) fn owned(&self) -> usize {
        distance(self.next, self.limit)
    }

    /// Looks for more numbers. Whether there are any.
    #[inline(always)]
    pub(crate) fn look(&mut self) -> bool {
        self.limit = if !self.before.is_empty() {
            self.core.lowest(&self.before, "cursor_relaxed")
        } else if self.core.stamps.is_empty() {
            let order = twin::order("published_relaxed", Ordering::Acquire, Ordering::Relaxed);
            self.core.published.0.load(order)
        } else {
            self.stamped()
        };
        self.next < self.limit
    }

    /// The first number from `limit` on that is not published, among several heads.
    fn stamped(&self) -> u64 {
        let order = twin::order("stamped_relaxed", Ordering::Acquire, Ordering::Relaxed);
        let mut limit = self.limit;
        // A capacity ahead stands what is ours to give up.
        while let Some(stamp) = self.core.stamp(limit) {
            if stamp.load(order) >> 1 != limit + 1 {
                break;
            }
            limit += 1;
        }
        limit
    }

    /// The slots of the first `count` numbers that are there, to read; `seen` counts those passed.
    #[inline(always)]
    pub(crate) fn slots<'s>(&'s self, count: usize, seen: &'s mut usize) -> Slots<'s, T>
    where
        T: Sync,
    {
        assert!(count <= self.owned());
        let (next, end) = (self.next + *seen as u64, self.next + count as u64);
        Slots(Walk { core: &self.core, next, end, claimed: false, seen: Some(seen) })
    }

    /// [`slots`](Self::slots), to write.
    ///
    /// # Panics
    ///
    /// If others are at its stage.
    #[inline(always)]
    pub(crate) fn slots_mut<'s>(
        &'s mut self,
        count: usize,
        seen: &'s mut usize,
    ) -> SlotsMut<'s, T> {
        assert!(self.alone && count <= self.owned());
        let (next, end) = (self.next + *seen as u64, self.next + count as u64);
        let walk = Walk { core: &self.core, next, end, claimed: false, seen: Some(seen) };
        SlotsMut(walk, PhantomData)
    }

    /// Gives the first `count` numbers up to the next stage, or to the producers.
    #[inline(always)]
    pub(crate) fn advance(&mut self, count: usize) {
        assert!(count <= self.owned());
        self.next += count as u64;
        let order = twin::order("advance_relaxed", Ordering::Release, Ordering::Relaxed);
        self.core.cursors[self.own].0.done.store(self.next, order);
        self.core.bells[self.stage + 1].ring();
    }

    /// Why nothing will come any more, if that is so.
    #[cold]
    pub(crate) fn is_closed(&mut self) -> Option<Closed> {
        if !self.core.ending.load(Ordering::Acquire) {
            return None;
        }
        let mut end = u64::MAX;
        if self.core.producers.load(Ordering::Acquire) == 0 {
            end = self.core.published.0.load(Ordering::Acquire);
        }
        // Whatever a stage before left undone stays so.
        for Line(cursor) in &self.core.cursors[..self.before.end] {
            if cursor.gone.load(Ordering::Acquire) {
                end = end.min(cursor.done.load(Ordering::Acquire));
            }
        }
        (!self.look() && self.next >= end).then(|| self.core.closed())
    }
}

impl<T> Drop for Place<T> {
    fn drop(&mut self) {
        self.core.cursors[self.own].0.gone.store(true, Ordering::Release);
        self.core.end();
    }
}

/// Numbers that somebody owns who is borrowed, each of which is passed once.
struct Walk<'s, T> {
    core: &'s Core<T>,
    next: u64,
    end: u64,
    /// The owner is a head: stamps are a lap old.
    claimed: bool,
    /// How many were passed.
    seen: Option<&'s mut usize>,
}

impl<'s, T> Walk<'s, T> {
    /// The next slot, but for those whose claims were given up: nothing is in them.
    #[inline(always)]
    fn next(&mut self) -> Option<&'s Slot<T>> {
        while self.next < self.end {
            let number = self.next;
            self.next += 1;
            if let Some(seen) = &mut self.seen {
                **seen += 1;
            }
            // Relaxed: the stamp was there before the number was its owner's.
            let stamp = self.core.stamp(number).filter(|_| !self.claimed);
            if stamp.is_none_or(|stamp| stamp.load(Ordering::Relaxed) & 1 == 0) {
                return Some(self.core.slot(number));
            }
        }
        None
    }

    fn most(&self) -> (usize, Option<usize>) {
        let most = distance(self.next, self.end);
        (if self.core.stamps.is_empty() { most } else { 0 }, Some(most))
    }
}

/// Values to read, one after the other.
pub(crate) struct Slots<'s, T>(Walk<'s, T>);

impl<'s, T: Sync> Iterator for Slots<'s, T> {
    type Item = &'s T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'s T> {
        // SAFETY: the place that is borrowed owns the number (3), and those beside it only read (4).
        self.0.next().map(|slot| slot.0.with(|value| unsafe { &*value }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.most()
    }
}

/// Values to write, one after the other.
pub(crate) struct SlotsMut<'s, T>(Walk<'s, T>, PhantomData<&'s mut T>);

impl<'s, T> Iterator for SlotsMut<'s, T> {
    type Item = &'s mut T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'s mut T> {
        // SAFETY: the position that is mutably borrowed alone owns the number (1 and 2, or 3 and 4), which
        // is passed once.
        self.0.next().map(|slot| slot.0.with_mut(|value| unsafe { &mut *value }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.most()
    }
}
