//! [`Core`], what all share, and [`Head`] and [`Place`], the positions that move over its slots.
//!
//! Each use of a slot has a number of its own, from 0 on: the slot is the number modulo the capacity. A
//! position owns the numbers from `next` up to `limit`, and moves by giving up the lowest of them; `next`
//! only rises.
//!
//! 1. A head owns numbers that nobody else can own: a sole head's begin at `published`, which nobody else
//!    stores; those of several are taken off `published` by a compare-and-exchange, each once.
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

mod head;
mod place;

pub(crate) use head::Head;
pub(crate) use place::{Place, Reads, Writes};

use crate::{
    BuildError, Closed, Wait,
    bell::{self, Bell},
};
use aqueduct_base::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    cell::UnsafeCell,
    twin,
};
use std::{ops::Range, thread};

/// What is written by one thread and read by others: alone on its cache lines.
#[repr(align(128))]
struct Line<T>(T);

/// A slot, on cache lines of its own.
#[repr(align(64))]
struct Slot<T>(UnsafeCell<T>);

/// How far a place has come.
struct Cursor {
    /// Numbers below are given up.
    done: AtomicU64,
    /// It will come no further.
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
    /// One for each place, stage after stage.
    cursors: Box<[Line<Cursor>]>,
    /// Whether anybody sleeps at the bells.
    parks: bool,
    /// One for each stage, and the heads'.
    bells: Box<[Bell]>,
    heads: AtomicUsize,
    /// Something is gone: what, must be looked up.
    ending: AtomicBool,
    panicked: AtomicBool,
}

// SAFETY: slots are reached by positions alone, one owner after the other, who may be threads apart (T:
// Send), or several who only read, where T is Sync (3, 4). All else is Sync by itself.
unsafe impl<T: Send> Sync for Core<T> {}
// SAFETY: owns its slots.
unsafe impl<T: Send> Send for Core<T> {}

/// A ring with so many consumers at each stage: its head, one of several if wanted, and the consumers'
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
            parks: wait == Wait::Park,
            bells: boxed(widths.len() + 1, || Bell::new(wait))?,
            heads: AtomicUsize::new(1),
            ending: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        })
    }

    pub(crate) fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Of a stage; after the last, of the heads.
    pub(crate) fn bell(&self, stage: usize) -> &Bell {
        &self.bells[stage]
    }

    /// Wakes who waits there.
    #[inline(always)]
    fn ring(&self, stage: usize) {
        if self.parks {
            self.bells[stage].ring();
        }
    }

    /// The lowest of some cursors. What their owners did with the numbers below is visible.
    #[inline(always)]
    fn lowest(&self, cursors: &Range<usize>, twin: &'static str) -> u64 {
        let order = twin::order(twin, Ordering::Acquire, Ordering::Relaxed);
        let done = self.cursors[cursors.clone()].iter().map(|cursor| cursor.0.done.load(order));
        done.min().unwrap_or(u64::MAX)
    }

    /// The lowest number that one of the first `cursors` left to nobody.
    fn left(&self, cursors: usize) -> Option<u64> {
        let gone = |cursor: &Cursor| cursor.gone.load(Ordering::Acquire);
        let cursors = self.cursors[..cursors].iter().map(|Line(cursor)| cursor);
        cursors
            .filter(|cursor| gone(cursor))
            .map(|cursor| cursor.done.load(Ordering::Relaxed))
            .min()
    }

    #[inline(always)]
    fn stamp(&self, number: u64) -> Option<&AtomicU64> {
        self.stamps.get(self.at(number))
    }

    #[inline(always)]
    fn slot(&self, number: u64) -> &UnsafeCell<T> {
        let at = self.at(number);
        debug_assert!(at < self.slots.len());
        // SAFETY: the mask is the number of slots less one.
        let slot = unsafe { self.slots.get_unchecked(at) };
        &slot.0
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "below 2^31")]
    fn at(&self, number: u64) -> usize {
        (number & self.mask) as usize
    }

    /// A position is gone as soon as it has said so by `leave`. All who wait look what it means to them.
    fn end(&self, leave: impl FnOnce()) {
        // Before it is gone: who sees that sees this.
        if thread::panicking() {
            self.panicked.store(true, Ordering::Relaxed);
        }
        leave();
        self.ending.store(true, Ordering::Release);
        bell::ring_all(&self.bells);
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
