//! How blocks return to their owner: in batches, on a stack.
//!
//! A batch names its blocks in an array. Neither who fills one nor who empties it writes to the
//! blocks, so that their headers stay in both caches: a block that goes round between two threads
//! costs each of them a pointer.
//!
//! Invariants of this file:
//!
//! 1. A batch owns its blocks: each was given up by a [`Block`] and becomes one again once.
//! 2. A pile owns its batches, each of which was a `Box` and becomes one again once.
//! 3. The stack is pushed to by compare-and-swap and taken whole by swap. No single batch is ever
//!    popped, and the old top is never dereferenced, so there is no ABA.
//! 4. Release on the push and Acquire on the swap: what was written to a batch and its blocks on the
//!    thread that filled it happens before the owner uses them.
//! 5. `load` is raised before a push and lowered after a take, so it is never less than what lies on
//!    the stack.

use crate::{block::Block, class::Class, heap::Heap};
use aqueduct_base::{
    const_unless_model,
    sync::{
        atomic::{AtomicPtr, AtomicUsize, Ordering},
        cell::UnsafeCell,
        twin,
    },
};
use aqueduct_slice::owner::Header;
use std::ptr::{self, NonNull};

/// Blocks that travel together at the most.
pub(crate) const BATCH_BLOCKS: usize = 32;

/// Blocks of one list, on their way to it. Dropping a batch leaks its blocks.
pub(crate) struct Batch {
    /// The next of a pile. Watched by models in the blocks' stead.
    next: UnsafeCell<*mut Self>,
    /// Where it goes, once it was begun.
    home: Option<&'static Heap>,
    class: Class,
    len: usize,
    blocks: [NonNull<Header>; BATCH_BLOCKS],
}

// SAFETY: a batch is blocks that belong to whoever holds it (1), and blocks are `Send`.
unsafe impl Send for Batch {}

impl Batch {
    /// An empty batch, if there is memory for it.
    pub(crate) fn new() -> Option<Box<Self>> {
        let mut one = Vec::new();
        one.try_reserve_exact(1).ok()?;
        one.push(Self {
            next: UnsafeCell::new(ptr::null_mut()),
            home: None,
            class: Class::default(),
            len: 0,
            blocks: [NonNull::dangling(); BATCH_BLOCKS],
        });
        let one = Box::into_raw(one.into_boxed_slice()).cast::<Self>();
        // SAFETY: a slice of one batch, made above, is laid out as the batch.
        Some(unsafe { Box::from_raw(one) })
    }

    pub(crate) fn home(&self) -> Option<&'static Heap> {
        self.home
    }

    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// Bytes of its blocks.
    pub(crate) fn bytes(&self) -> usize {
        self.home.map_or(0, |home| self.len * home.core().classes().capacity(self.class))
    }

    /// Makes an empty batch one for a list of `home`.
    pub(crate) fn begin(&mut self, home: &'static Heap, class: Class) {
        debug_assert_eq!(self.len, 0, "the blocks would change their home");
        (self.home, self.class) = (Some(home), class);
    }

    /// Adds a block. It comes back when there is no room.
    #[inline(always)]
    pub(crate) fn push(&mut self, block: Block) -> Result<(), Block> {
        let Some(place) = self.blocks.get_mut(self.len) else { return Err(block) };
        *place = block.into_raw();
        self.len += 1;
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<Block> {
        let last = self.len.checked_sub(1)?;
        let block = self.blocks[last];
        self.len = last;
        // SAFETY: one of our blocks, which stops being one here (1).
        Some(unsafe { Block::from_raw(block) })
    }

    /// Takes off up to `most` blocks, for a list that takes them over.
    pub(crate) fn pop_many(&mut self, most: usize) -> &[NonNull<Header>] {
        let end = self.len;
        self.len = end.saturating_sub(most);
        &self.blocks[self.len..end]
    }
}

/// Batches, one on top of the other. Dropping a pile frees them, and leaks the blocks that they have.
pub(crate) struct Pile {
    top: *mut Batch,
}

impl Pile {
    pub(crate) const fn new() -> Self {
        Self { top: ptr::null_mut() }
    }

    /// A pile of one.
    pub(crate) fn of(batch: Box<Batch>) -> Self {
        let mut pile = Self::new();
        pile.push(batch);
        pile
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Batch> {
        // SAFETY: null, or one of our batches (2).
        let first = unsafe { self.top.as_ref() };
        std::iter::successors(first, |batch| {
            // SAFETY: the batch is ours (2).
            let next = batch.next.with(|next| unsafe { *next });
            // SAFETY: null, or one of our batches (2).
            unsafe { next.as_ref() }
        })
    }

    pub(crate) fn push(&mut self, batch: Box<Batch>) {
        // SAFETY: the batch is ours (2).
        batch.next.with_mut(|next| unsafe { *next = self.top });
        self.top = Box::into_raw(batch);
    }

    pub(crate) fn pop(&mut self) -> Option<Box<Batch>> {
        if self.top.is_null() {
            return None;
        }
        // SAFETY: the top of ours, which stops being one here (2).
        let batch = unsafe { Box::from_raw(self.top) };
        // SAFETY: the batch is ours (2).
        self.top = batch.next.with(|next| unsafe { *next });
        Some(batch)
    }
}

impl Iterator for Pile {
    type Item = Box<Batch>;

    fn next(&mut self) -> Option<Box<Batch>> {
        self.pop()
    }
}

impl Drop for Pile {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}

/// A pile that all threads reach. Any thread pushes, any takes all. It has lines of the cache to
/// itself, two of them for processors that fetch in pairs.
#[repr(align(128))]
pub(crate) struct Stack {
    top: AtomicPtr<Batch>,
    /// What lies here: bytes of blocks, or empty batches.
    load: AtomicUsize,
}

impl Stack {
    const_unless_model! {
        pub(crate) fn new() -> Self {
            Self { top: AtomicPtr::new(ptr::null_mut()), load: AtomicUsize::new(0) }
        }
    }

    /// Pushes a pile, unless the load would be more than `cap` by that: then it comes back.
    pub(crate) fn push(&self, pile: Pile, load: usize, cap: usize) -> Result<(), Pile> {
        let Some(bottom) = pile.iter().last() else { return Ok(()) };
        let before = self.load.fetch_add(load, Ordering::Relaxed); // (5)
        if before.saturating_add(load) > cap {
            self.taken(load);
            return Err(pile);
        }
        let order = twin::order("remote_push_relaxed", Ordering::Release, Ordering::Relaxed);
        let mut top = self.top.load(Ordering::Relaxed);
        loop {
            // SAFETY: ours until the exchange succeeds (2).
            bottom.next.with_mut(|next| unsafe { *next = top });
            // Release: with the Acquire of `take` (4).
            match self.top.compare_exchange_weak(top, pile.top, order, Ordering::Relaxed) {
                Ok(_) => {
                    std::mem::forget(pile);
                    return Ok(());
                }
                Err(now) => top = now,
            }
        }
    }

    /// Takes all batches. The caller calls [`taken`](Self::taken) with their load.
    pub(crate) fn take(&self) -> Pile {
        // A look without a swap: most of the time there is nothing.
        if self.top.load(Ordering::Relaxed).is_null() {
            return Pile::new();
        }
        // Acquire: with the Release of every push, whose batch the swap takes over (4).
        let order = twin::order("remote_take_relaxed", Ordering::Acquire, Ordering::Relaxed);
        Pile { top: self.top.swap(ptr::null_mut(), order) }
    }

    /// Lowers the tally by what was taken (5).
    pub(crate) fn taken(&self, load: usize) {
        self.load.fetch_sub(load, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod tests {
    use super::*;

    fn pile() -> Pile {
        Pile::of(Batch::new().expect("memory"))
    }

    /// What was refused is not there, and does not count.
    #[test]
    fn a_stack_takes_as_much_as_its_cap_after_any_refusal() {
        let stack = Stack::new();
        for _ in 0..3 {
            assert!(stack.push(pile(), 10, 15).is_ok());
            for load in [6, 1_000, usize::MAX] {
                let Err(refused) = stack.push(pile(), load, 15) else { panic!("{load} more") };
                assert_eq!(refused.count(), 1, "it does not come back");
            }
            assert!(stack.push(pile(), 5, 15).is_ok());
            assert!(stack.push(pile(), 1, 15).is_err());
            assert_eq!(stack.take().count(), 2);
            stack.taken(15);
            assert_eq!(stack.take().count(), 0);
        }
    }

    #[test]
    fn of_no_batch_nothing_is_pushed() {
        let stack = Stack::new();
        assert!(stack.push(Pile::new(), 10, 0).is_ok());
        assert_eq!(stack.take().count(), 0);
    }

    #[test]
    fn a_pile_shows_its_batches_and_gives_the_newest_first() {
        let mut pile = Pile::new();
        assert!(pile.pop().is_none());
        let mut places: Vec<*const Batch> = Vec::new();
        for _ in 0..3 {
            let batch = Batch::new().expect("memory");
            places.insert(0, &raw const *batch);
            pile.push(batch);
        }
        let shown: Vec<*const Batch> = pile.iter().map(ptr::from_ref).collect();
        assert_eq!(shown, places);
        let given: Vec<*const Batch> = pile.map(|batch| &raw const *batch).collect();
        assert_eq!(given, places);
    }
}
