//! What the thread that owns a heap may do with it.
//!
//! Invariants of this file:
//!
//! 1. An [`Owner`] exists only on the thread whose slot or departure holds the heap, or under the
//!    lock of the list of orphans that the heap is on: there is one such party at a time. Its
//!    constructor asks for that, it is not `Send`, and it is not stored.
//! 2. The cells of a heap are touched by its owner only, and no closure that is given a reference
//!    into one calls anything that could come back here.
//! 3. What stands in the first place of a list, and in the first `len` of its others, are blocks that
//!    the list owns: each was given up by a [`Block`] and becomes one again once.

use crate::{
    block::Block,
    chain::Chain,
    class::Class,
    core::Core,
    heap::{CLOSED, Heap, List, Own, Tally, is_block, raise},
    remote::Pile,
};
use aqueduct_base::sync::{atomic::Ordering, twin};
use aqueduct_slice::owner::Header;
use std::{
    marker::PhantomData,
    ops::Deref,
    ptr::{self, NonNull},
};

/// The right to touch a heap's own lists.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    heap: &'static Heap,
    not_send: PhantomData<*const ()>,
}

/// The right to touch one list of a heap.
#[derive(Clone, Copy)]
pub(crate) struct OwnList {
    list: *const List,
}

impl Owner {
    /// # Safety
    ///
    /// The caller is the one party that owns `heap` now (1), and uses the result only while it is.
    #[inline(always)]
    pub(crate) const unsafe fn new(heap: &'static Heap) -> Self {
        Self { heap, not_send: PhantomData }
    }

    #[inline(always)]
    pub(crate) fn heap(self) -> &'static Heap {
        self.heap
    }

    pub(crate) fn core(self) -> &'static Core {
        self.heap.core()
    }

    #[inline(always)]
    pub(crate) fn list(self, class: Class) -> OwnList {
        OwnList { list: self.heap.list(class) }
    }

    pub(crate) fn tally(self, class: Class) -> &'static Tally {
        self.heap.tally(class)
    }

    pub(crate) fn own<R>(self, f: impl FnOnce(&mut Own) -> R) -> R {
        // SAFETY: ours (1), and `f` does not come back here (2).
        self.heap.own.with_mut(|own| f(unsafe { &mut *own }))
    }

    #[cold]
    #[inline(never)]
    fn put_on_full(self, block: Block) {
        let class = block.class();
        self.settle();
        raise(&self.tally(class).outs, death());
        if self.core().is_shared() {
            return self.core().give_back(block);
        }
        if !self.raise_cap(class) {
            self.spill(class);
        }
        if let Err(block) = self.list(class).join(block) {
            self.core().shelve(class, Chain::of(block));
        }
    }

    /// The list is empty: takes back what others have dropped, or what nobody owns.
    pub(crate) fn refill(self, class: Class) -> Option<(Block, usize)> {
        self.settle();
        self.flush();
        self.collect();
        if let Some(taken) = self.list(class).take() {
            return Some(taken);
        }
        self.core().registry().rob(self, class);
        if let Some(taken) = self.list(class).take() {
            return Some(taken);
        }
        let mut chain = self.core().unshelve(class)?;
        let block = chain.pop()?;
        block.set_heap(self.heap);
        self.count_get(class);
        self.adopt(chain);
        Some((block, self.list(class).capacity))
    }

    /// Counts a block that this thread hands out without having had it on its list.
    pub(crate) fn count_get(self, class: Class) {
        raise(&self.list(class).gets, Ordering::Relaxed);
        raise(&self.tally(class).ins, Ordering::Relaxed);
    }

    /// Puts what other threads returned on the lists, as far as the lease goes, and the rest on the
    /// shared ones.
    fn collect(self) {
        let (mut rest, mut empty) = (Chain::new(), Pile::new());
        for mut batch in self.core().take_remote(self.heap) {
            let list = self.list(batch.class());
            while let Some(block) = batch.pop() {
                rest.extend(self.keep(list, block));
            }
            empty.push(batch);
        }
        self.core().reuse(empty);
        self.core().shelve_mixed(rest);
    }

    /// As [`collect`](Self::collect), with blocks that had another home.
    fn adopt(self, blocks: Chain) {
        let mut rest = Chain::new();
        for block in blocks {
            block.set_heap(self.heap);
            rest.extend(self.keep(self.list(block.class()), block));
        }
        self.core().shelve_mixed(rest);
    }

    /// Puts a block on its list, for which the lease is raised if need be. It comes back when there
    /// is no room.
    fn keep(self, list: OwnList, block: Block) -> Option<Block> {
        let refused = list.join(block).err()?;
        if self.raise_cap(list.class) { list.join(refused).err() } else { Some(refused) }
    }

    /// Moves all that an orphan has to this heap. The caller holds the lock of the orphans.
    pub(crate) fn inherit(self, orphan: Self) {
        orphan.collect();
        self.adopt(orphan.empty());
    }

    /// Follows a trim of the pool, if there was one since.
    pub(crate) fn settle(self) {
        let trims = self.core().trims();
        if self.own(|own| std::mem::replace(&mut own.trims, trims)) != trims {
            self.trim();
        }
    }

    /// Gives all that this heap keeps back to the system.
    pub(crate) fn trim(self) {
        self.close_outbox();
        let all = self.empty();
        self.core().free_chain(all);
        self.core().free_remote(self.heap);
    }
}

impl OwnList {
    /// # Safety
    ///
    /// `list` came from [`Heap::list`] of a heap that the caller owns now (1), and the result is
    /// used only while it is.
    #[inline(always)]
    pub(crate) const unsafe fn new(list: *const List) -> Self {
        Self { list }
    }

    #[inline(always)]
    pub(crate) fn as_ptr(self) -> *const List {
        self.list
    }

    /// A block from the list, and its capacity.
    #[inline(always)]
    pub(crate) fn take(self) -> Option<(Block, usize)> {
        let block = self.pop()?;
        raise(&self.gets, Ordering::Relaxed);
        Some((block, self.capacity))
    }

    #[inline(always)]
    fn pop(self) -> Option<Block> {
        let first = self.first.load(Ordering::Relaxed);
        let block = if is_block(first) {
            self.first.store(ptr::null_mut(), Ordering::Relaxed);
            // SAFETY: not null, see `is_block`.
            unsafe { NonNull::new_unchecked(first) }
        } else {
            self.pop_other()?
        };
        // SAFETY: one of the list's blocks, which stops being one here (3).
        Some(unsafe { Block::from_raw(block) })
    }

    #[inline(always)]
    fn pop_other(self) -> Option<NonNull<Header>> {
        // One less than no blocks is beyond all places, so this asks for both.
        let last = self.len.load(Ordering::Relaxed).wrapping_sub(1);
        // SAFETY: ours (1, 2).
        let block = self.places.with(|places| unsafe { &*places }.get(last).copied())?;
        self.len.store(last, Ordering::Relaxed);
        Some(block)
    }

    /// A block of this list, dead on this thread.
    #[inline(always)]
    pub(crate) fn put(self, block: Block) {
        if let Err(block) = self.push(block) {
            self.owner().put_on_full(block);
        }
    }

    /// The block comes back when there is no room.
    #[inline(always)]
    fn push(self, block: Block) -> Result<(), Block> {
        if self.first.load(Ordering::Relaxed).is_null() {
            self.first.store(block.into_raw().as_ptr(), death());
            return Ok(());
        }
        let len = self.len.load(Ordering::Relaxed);
        // SAFETY: ours (1, 2).
        self.places.with_mut(|places| match unsafe { &mut *places }.get_mut(len) {
            Some(place) => {
                *place = block.into_raw();
                self.len.store(len + 1, death());
                Ok(())
            }
            None => Err(block),
        })
    }

    /// Puts a block on the list that did not die here, or whose death is counted already. It comes
    /// back when there is no room.
    pub(crate) fn join(self, block: Block) -> Result<(), Block> {
        let ins = &self.owner().tally(self.class).ins;
        let before = ins.load(Ordering::Relaxed);
        // First counted, then there: who sees it on the list sees the count.
        ins.store(before.wrapping_add(1), Ordering::Relaxed);
        self.push(block).inspect_err(|_| ins.store(before, Ordering::Relaxed))
    }

    /// Takes a block off the list that is not handed out.
    pub(crate) fn leave(self) -> Option<Block> {
        let block = self.pop()?;
        raise(&self.owner().tally(self.class).outs, death());
        Some(block)
    }

    /// Places of the list.
    pub(crate) fn cap(self) -> usize {
        // SAFETY: ours (1, 2).
        let others = self.places.with(|places| unsafe { &*places }.len());
        if self.first.load(Ordering::Relaxed) == CLOSED { 0 } else { 1 + others }
    }

    /// Makes the list longer; false when there is no memory.
    pub(crate) fn lengthen(self, by: usize) -> bool {
        let others = (self.cap() + by).saturating_sub(1);
        let fits = self.others(|places| {
            let fits = places.try_reserve_exact(others - places.len()).is_ok();
            if fits {
                places.resize(others, NonNull::dangling());
            }
            fits
        });
        if fits && by > 0 && self.first.load(Ordering::Relaxed) == CLOSED {
            self.first.store(ptr::null_mut(), Ordering::Relaxed);
        }
        fits
    }

    /// Makes the list as short as its blocks allow, and gives the number of places that this took.
    pub(crate) fn shorten(self) -> usize {
        let before = self.cap();
        if !is_block(self.first.load(Ordering::Relaxed)) {
            let other = self.pop_other();
            // Release: who sees it here does not see it there as well.
            self.first.store(other.map_or(CLOSED, NonNull::as_ptr), Ordering::Release);
        }
        let len = self.len.load(Ordering::Relaxed);
        self.others(|places| places.truncate(len));
        before - self.cap()
    }

    /// The other places as a vector, for a change of their number.
    fn others<R>(self, f: impl FnOnce(&mut Vec<NonNull<Header>>) -> R) -> R {
        self.places.with_mut(|places| {
            // SAFETY: ours (1, 2).
            let places = unsafe { &mut *places };
            let mut vec = std::mem::take(places).into_vec();
            let made = f(&mut vec);
            *places = vec.into_boxed_slice();
            made
        })
    }

    fn owner(self) -> Owner {
        // SAFETY: the list came from `Heap::list` (1).
        let heap = unsafe { Heap::of_list(self.list) };
        // SAFETY: who owns the list owns its heap (1).
        unsafe { Owner::new(heap) }
    }
}

impl Deref for OwnList {
    type Target = List;

    #[inline(always)]
    fn deref(&self) -> &List {
        // SAFETY: a list of a heap record, which is never freed (1).
        unsafe { &*self.list }
    }
}

/// The order in which a death is counted. Release: whoever sees it sees the get before it.
#[inline(always)]
pub(crate) fn death() -> Ordering {
    twin::order("free_count_relaxed", Ordering::Release, Ordering::Relaxed)
}
