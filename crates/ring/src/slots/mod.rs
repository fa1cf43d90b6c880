//! [`Core`], what all share, and [`Head`] and [`Place`], the positions that move over its slots.
//!
//! Each use of a slot has a number of its own, from 0 on: the slot is the number modulo the capacity. A
//! position owns the numbers from `next` up to a limit, and moves by giving up the lowest of them; `next`
//! only rises.
//!
//! 1. A head owns numbers that nobody else can own: a sole head's begin where the heads' cursor stands, which
//!    nobody else moves; those of several are taken off it by a compare-and-exchange, each once.
//! 2. A head's numbers are at most a capacity above every cursor of the last stage, each of which it read
//!    with Acquire. So all stages are done with what the slot held a lap ago.
//! 3. A place owns numbers that all places of the stage before, or the sole head, gave up by a Release store
//!    of their cursors, which it read with Acquire; or, at the first stage after several heads, that these
//!    gave up in the same way by the slots' stamps. So of a slot's owners one comes after the other, and what
//!    one wrote the next sees.
//! 4. Who writes is alone at its stage; those who are not only read, where `T: Sync`. Each cursor has one
//!    place, since [`ring`] alone makes them.
//! 5. A reference to a slot borrows the position, mutably if it can be written through; and giving
//!    numbers up needs `&mut`. So no reference outlives the ownership.
//! 6. Every slot is initialised at all times, by the ring's maker or by what owners left. Nothing is
//!    moved out of one.
//! 7. There is at least one slot, and as many as a power of two.

mod head;
mod place;

pub(crate) use head::{Claimed, Head};
pub(crate) use place::{Place, Reads, Seed, Taken, Writes};

use crate::{
    BuildError, Closed, Number, Wait,
    bell::{self, Bell},
};
use aqueduct_base::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    cell::UnsafeCell,
};
use std::{ops::Range, thread};

/// A slot, on cache lines of its own.
#[repr(align(64))]
struct Slot<T>(UnsafeCell<T>);

// SAFETY: slots are reached by positions alone, by one owner after the other, who may be threads apart (T:
// Send), or by several who only read, where T is Sync (3, 4). What a position lends is Sync where T is.
unsafe impl<T: Send> Sync for Slot<T> {}

/// How far a position has come: alone on its cache lines.
#[derive(Default)]
#[repr(align(128))]
struct Cursor {
    /// Numbers below are given up; or claimed, by one of several heads.
    done: AtomicU64,
    /// Its place will come no further.
    gone: AtomicBool,
}

/// The cursors of a stage, or the heads'.
#[derive(Clone)]
struct Stage {
    first: Arc<Cursor>,
    others: Box<[Arc<Cursor>]>,
}

impl Stage {
    /// The lowest of them. With Acquire, what their owners did with the numbers below is visible.
    #[inline(always)]
    fn lowest(&self, order: Ordering) -> u64 {
        let first = self.first.done.load(order);
        if self.others.is_empty() { first } else { self.lowest_of_others(first, order) }
    }

    /// Apart, so that a stage of one has small code.
    #[cold]
    fn lowest_of_others(&self, first: u64, order: Ordering) -> u64 {
        let others = self.others.iter().map(|cursor| cursor.done.load(order));
        others.fold(first, u64::min)
    }
}

/// What the ring's two ends and all stages share.
pub(crate) struct Core<T> {
    slots: Box<[Slot<T>]>,
    /// With several heads, for each slot: twice the number after the one it was last published with, and
    /// one more if the claim was given up.
    stamps: Box<[AtomicU64]>,
    /// The heads', and one for each place, stage after stage.
    cursors: Box<[Arc<Cursor>]>,
    /// Whether anybody sleeps at the bells.
    parks: bool,
    /// One for each stage, and the heads'.
    bells: Box<[Bell]>,
    heads: AtomicUsize,
    /// Something is gone: what, must be looked up.
    ending: AtomicBool,
    panicked: AtomicBool,
}

/// A ring's head, and what becomes the consumers' places, stage after stage.
pub(crate) type Positions<T, N> = (Head<T, N>, Vec<Seed<T>>);

/// A ring with so many consumers at each stage.
pub(crate) fn ring<T, N: Number>(
    capacity: usize,
    wait: Wait,
    widths: &[usize],
    make: impl FnMut() -> T,
) -> Result<Positions<T, N>, BuildError> {
    let core = Arc::new(Core::new(capacity, wait, widths, N::SEVERAL, make)?);
    let (mut places, mut before) = (Vec::new(), 0..1);
    for (stage, width) in widths.iter().enumerate() {
        let own = before.end..before.end + width;
        for cursor in own.clone() {
            let (core, before, alone) = (core.clone(), before.clone(), *width == 1);
            places.push(Seed { core, stage, own: cursor, before, alone });
        }
        before = own;
    }
    Ok((Head::new(&core, core.stage(before)), places))
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
        Ok(Self {
            slots,
            stamps,
            cursors: boxed(1 + widths.iter().sum::<usize>(), Arc::default)?,
            parks: wait == Wait::Park,
            bells: boxed(widths.len() + 1, || Bell::new(wait))?,
            heads: AtomicUsize::new(1),
            ending: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        })
    }

    /// With several heads, what a number was last published with.
    #[inline(always)]
    fn stamp(&self, number: u64) -> &AtomicU64 {
        &self.stamps[place_of(number, self.stamps.len())]
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
            self.wake(stage);
        }
    }

    /// Apart, so that who never sleeps has small code.
    #[cold]
    #[inline(never)]
    fn wake(&self, stage: usize) {
        self.bells[stage].ring();
    }

    fn stage(&self, cursors: Range<usize>) -> Stage {
        let (first, others) = (cursors.start, cursors.start + 1..cursors.end);
        Stage { first: self.cursors[first].clone(), others: self.cursors[others].into() }
    }

    /// The lowest number that one of the first `cursors` left to nobody.
    fn left(&self, cursors: usize) -> Option<u64> {
        let gone =
            self.cursors[..cursors].iter().filter(|cursor| cursor.gone.load(Ordering::Acquire));
        gone.map(|cursor| cursor.done.load(Ordering::Relaxed)).min()
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

/// The slot of a number.
#[inline(always)]
fn slot<T>(slots: &[Slot<T>], number: u64) -> &UnsafeCell<T> {
    let at = place_of(number, slots.len());
    // SAFETY: there is a slot (7), so this is at most the last one's index.
    let slot = unsafe { slots.get_unchecked(at) };
    &slot.0
}

/// Which of so many slots is that of a number.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a mask of at most 31 bits is put over it")]
fn place_of(number: u64, slots: usize) -> usize {
    number as usize & (slots - 1)
}

/// How many numbers there are between two of one position: no more than slots.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most 2^31")]
fn distance(next: u64, limit: u64) -> usize {
    (limit - next) as usize
}
