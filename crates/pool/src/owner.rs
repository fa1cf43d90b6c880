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
    class::Class,
    core::Core,
    heap::{Heap, List, Own, raise},
    remote::Chain,
};
use aqueduct_base::sync::{atomic::Ordering, twin};
use std::{marker::PhantomData, ops::Deref};

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

    pub(crate) fn own<R>(self, f: impl FnOnce(&mut Own) -> R) -> R {
        // SAFETY: ours (1), and `f` does not come back here (2).
        self.heap.own.with_mut(|own| f(unsafe { &mut *own }))
    }

    #[cold]
    #[inline(never)]
    fn put_on_full(self, block: Block) {
        let class = block.class();
        self.settle();
        raise(&self.list(class).puts, death());
        self.shift_lim(class, 1); // the death is counted, the block is not on the list yet
        if self.core().is_shared() {
            return self.core().give_back(block);
        }
        if !self.raise_cap(class) {
            self.spill(class);
        }
        if let Err(block) = self.join(block) {
            let mut chain = Chain::new();
            chain.push(block);
            self.core().shelve(class, chain);
        }
    }

    /// Whether the list has a block.
    pub(crate) fn has(self, class: Class) -> bool {
        // SAFETY: ours (1, 2).
        !self.list(class).blocks.with(|blocks| unsafe { &*blocks }.is_empty())
    }

    /// The list is empty: takes back what others have dropped, or what nobody owns.
    pub(crate) fn refill(self, class: Class) -> Option<(Block, usize)> {
        self.settle();
        self.flush();
        self.stock(self.core().take_remote(self.heap));
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
        self.count_take(class);
        self.stock(chain);
        Some((block, self.list(class).capacity))
    }

    /// Counts a block that this thread hands out without having had it on its list.
    pub(crate) fn count_take(self, class: Class) {
        raise(&self.list(class).takes, Ordering::Relaxed);
        self.shift_lim(class, -1);
    }

    pub(crate) fn count_miss(self, class: Class) {
        raise(&self.list(class).misses, Ordering::Relaxed);
    }

    /// Puts blocks on this heap's lists as far as its lease goes, and the rest on the shared ones.
    fn stock(self, blocks: Chain) {
        let mut rest = Chain::new();
        for block in blocks {
            let class = block.class();
            let room = self.len(class) < self.own(|own| own.caps[class.index()]);
            let refused =
                if room || self.raise_cap(class) { self.join(block).err() } else { Some(block) };
            if let Some(block) = refused {
                rest.push(block);
            }
        }
        self.core().shelve_mixed(rest);
    }

    /// Moves all that an orphan has to this heap. The caller holds the lock of the orphans.
    pub(crate) fn inherit(self, orphan: Self) {
        let had = orphan.empty();
        self.stock(self.core().take_remote(orphan.heap));
        self.stock(had);
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
        self.flush();
        let all = self.empty();
        self.core().free_chain(all);
        self.core().free_chain(self.core().take_remote(self.heap));
    }

    /// Blocks on the list.
    pub(crate) fn len(self, class: Class) -> usize {
        let list = self.list(class);
        let net =
            list.puts.load(Ordering::Relaxed).wrapping_sub(list.takes.load(Ordering::Relaxed));
        let cap = self.own(|own| own.caps[class.index()]);
        // SAFETY: ours (1, 2).
        let lim = list.lim.with(|lim| unsafe { *lim });
        cap.wrapping_add(net).wrapping_sub(lim.cast_unsigned())
    }

    pub(crate) fn shift_lim(self, class: Class, by: isize) {
        // SAFETY: ours (1, 2).
        let lim = self.list(class).lim.with(|lim| unsafe { *lim }).wrapping_add(by);
        // SAFETY: ours (1, 2).
        self.list(class).lim.with_mut(|to| unsafe { *to = lim });
    }

    /// Puts a block on the list that did not die here, or whose death is counted already. It comes
    /// back when there is no room.
    fn join(self, block: Block) -> Result<(), Block> {
        let class = block.class();
        if self.len(class) >= self.own(|own| own.caps[class.index()]) {
            return Err(block);
        }
        block.set_heap(self.heap);
        // SAFETY: ours (1, 2).
        self.list(class).blocks.with_mut(|blocks| unsafe { &mut *blocks }.push(block));
        self.shift_lim(class, -1);
        Ok(())
    }

    /// Takes a block off the list that is not handed out.
    pub(crate) fn leave(self, class: Class) -> Option<Block> {
        // SAFETY: ours (1, 2).
        let block = self.list(class).blocks.with_mut(|blocks| unsafe { &mut *blocks }.pop())?;
        self.shift_lim(class, 1);
        Some(block)
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
        // SAFETY: ours (1, 2).
        let block = self.blocks.with_mut(|blocks| unsafe { &mut *blocks }.pop())?;
        raise(&self.takes, Ordering::Relaxed);
        Some((block, self.capacity))
    }

    /// A block of this list, dead on this thread.
    #[inline(always)]
    pub(crate) fn put(self, block: Block) {
        let puts = self.puts.load(Ordering::Relaxed);
        let net = puts.wrapping_sub(self.takes.load(Ordering::Relaxed)).cast_signed();
        // SAFETY: ours (1, 2).
        let lim = self.lim.with(|lim| unsafe { *lim });
        if net.wrapping_sub(lim) < 0 {
            // SAFETY: ours (1, 2).
            self.blocks.with_mut(|blocks| unsafe { &mut *blocks }.push(block));
            self.puts.store(puts.wrapping_add(1), death());
        } else {
            self.owner().put_on_full(block);
        }
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
