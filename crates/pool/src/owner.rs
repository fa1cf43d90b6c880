//! What the thread that owns a heap may do with it.
//!
//! Invariants of this file:
//!
//! 1. An [`Owner`] exists only on the thread whose slot or departure holds the heap, or under the
//!    lock of the list of orphans that the heap is on: there is one such party at a time. Its
//!    constructor asks for that, it is not `Send`, and it is not stored.
//! 2. The cells of a heap are touched by its owner only, and no closure that is given a reference
//!    into one calls anything that could come back here.

use crate::{
    block::Block,
    chain::Chain,
    class::Class,
    core::Core,
    heap::{Heap, Own, Tally},
    list::{OwnList, death, raise},
    remote::Pile,
    shelf::SPARE,
};
use aqueduct_base::sync::atomic::Ordering;
use std::marker::PhantomData;

/// The right to touch a heap's own lists.
#[derive(Clone, Copy)]
pub(crate) struct Owner {
    heap: &'static Heap,
    not_send: PhantomData<*const ()>,
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
        // SAFETY: a list of our heap (1).
        unsafe { OwnList::new(self.heap.list(class)) }
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
    pub(crate) fn put_on_full(self, block: Block) {
        let class = block.class();
        self.settle();
        if self.core().is_shared() {
            raise(&self.tally(class).outs, death());
            return self.core().give_back(block);
        }
        if !self.raise_cap(class) {
            self.spill(class);
        }
        if let Err(block) = self.list(class).push(block) {
            raise(&self.tally(class).outs, death());
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
        let mut rest = Chain::new();
        let (mut empty, mut few) = (Pile::new(), 0);
        for mut batch in self.core().take_remote(self.heap) {
            let list = self.list(batch.class());
            while let Some(block) = batch.pop() {
                rest.extend(self.keep(list, block));
                list.join_all(&mut batch);
            }
            if few < SPARE {
                empty.push(batch);
                few += 1;
            }
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
        let mut all = orphan.empty();
        all.extend(self.core().unload(self.core().take_remote(orphan.heap)));
        self.adopt(all);
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
