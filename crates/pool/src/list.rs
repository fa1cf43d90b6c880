//! The free blocks of one class that a thread has.
//!
//! Invariants of this file:
//!
//! 1. An [`OwnList`] exists only with the party that owns the list's heap (owner.rs, 1). Its
//!    constructor asks for that, it is not `Send`, and it is not stored.
//! 2. The cells of a list are touched by its owner only, and no closure that is given a reference
//!    into one calls anything that could come back here.
//! 3. What stands in the first place of a list, and in the first `len` of its others, are blocks that
//!    the list owns: each was given up by a [`Block`] and becomes one again once.

use crate::{
    block::Block,
    class::Class,
    core::Core,
    heap::{Heap, Tally},
    owner::Owner,
    remote::Batch,
};
use aqueduct_base::sync::{
    atomic::{AtomicPtr, AtomicUsize, Ordering},
    cell::UnsafeCell,
    twin,
};
use aqueduct_slice::owner::Header;
use std::{
    ops::Deref,
    ptr::{self, NonNull},
};

/// The free blocks of one class: one line of the cache, and all that a get and a death touch.
///
/// The blocks stand in places, so that they themselves are not touched. The counters are written by
/// the owner only, with plain stores.
#[repr(C, align(64))]
pub(crate) struct List {
    /// The first place, which is filled first and emptied first: null while it is empty, [`CLOSED`]
    /// while the list has no place at all. It stands apart from the others so that a get which follows
    /// a death does not wait for that one's count to reach memory and come back.
    pub(crate) first: AtomicPtr<Header>,
    /// The other places. So many of them have blocks.
    pub(crate) places: UnsafeCell<Vec<NonNull<Header>>>,
    pub(crate) len: AtomicUsize,
    /// Blocks handed out by this thread.
    pub(crate) gets: AtomicUsize,
    /// Bytes of data in a block.
    pub(crate) capacity: usize,
    pub(crate) class: Class,
}

#[cfg(all(target_pointer_width = "64", not(any(aqueduct_loom, aqueduct_shuttle))))]
const _: () = assert!(size_of::<List>() == 64);

/// In the first place of a list that has none. Headers have larger addresses.
pub(crate) const CLOSED: *mut Header = ptr::without_provenance_mut(1);

/// The right to touch one list of a heap.
#[derive(Clone, Copy)]
pub(crate) struct OwnList {
    list: *const List,
}

impl List {
    /// Blocks on the list. Exact for the owner; for others, no more than there were at some moment
    /// while this ran, and whoever sees a block here sees what its owner did before.
    pub(crate) fn kept(&self) -> usize {
        // Since the first place is filled first and emptied first, there was a moment with both.
        let first = self.first.load(Ordering::Acquire);
        usize::from(is_block(first)) + self.len.load(Ordering::Acquire)
    }

    /// The list of a class, or of none, where nothing is ever put.
    pub(crate) fn new(core: &Core, class: Option<Class>) -> Self {
        let capacity = class.map_or(0, |class| core.classes().capacity(class));
        Self {
            first: AtomicPtr::new(CLOSED),
            places: UnsafeCell::new(Vec::new()),
            len: AtomicUsize::new(0),
            gets: AtomicUsize::new(0),
            capacity,
            class: class.unwrap_or_default(),
        }
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
        // Release: who sees this length sees what was counted before the blocks came.
        let order = twin::order("shorter_relaxed", Ordering::Release, Ordering::Relaxed);
        self.len.store(last, order);
        Some(block)
    }

    /// A block of this list, dead on this thread.
    #[inline(always)]
    pub(crate) fn put(self, block: Block) {
        if let Err(block) = self.push(block) {
            self.owner().put_on_full(block);
        }
    }

    /// As [`put`](Self::put), but the block comes back when there is no room.
    #[inline(always)]
    pub(crate) fn push(self, block: Block) -> Result<(), Block> {
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

    /// Puts a block on the list that did not die here. It comes back when there is no room.
    pub(crate) fn join(self, block: Block) -> Result<(), Block> {
        let ins = &self.tally().ins;
        let before = ins.load(Ordering::Relaxed);
        // First counted, then there: who sees it on the list sees the count.
        ins.store(before.wrapping_add(1), Ordering::Relaxed);
        self.push(block).inspect_err(|_| ins.store(before, Ordering::Relaxed))
    }

    /// As [`join`](Self::join), with as many blocks of a batch as there is room for; of none while
    /// the first place is empty.
    pub(crate) fn join_all(self, batch: &mut Batch) {
        if self.first.load(Ordering::Relaxed).is_null() {
            return;
        }
        let ins = &self.tally().ins;
        let len = self.len.load(Ordering::Relaxed);
        self.places.with_mut(|places| {
            // SAFETY: ours (1, 2).
            let room = unsafe { &mut *places }.iter_mut().skip(len);
            let blocks = batch.pop_many(room.len());
            ins.store(ins.load(Ordering::Relaxed).wrapping_add(blocks.len()), Ordering::Relaxed);
            room.zip(blocks).for_each(|(place, &block)| *place = block);
            self.len.store(len + blocks.len(), Ordering::Release);
        });
    }

    /// Takes a block off the list that is not handed out.
    pub(crate) fn leave(self) -> Option<Block> {
        let block = self.pop()?;
        raise(&self.tally().outs, death());
        Some(block)
    }

    /// Places of the list.
    pub(crate) fn cap(self) -> usize {
        let closed = self.first.load(Ordering::Relaxed) == CLOSED;
        if closed { 0 } else { 1 + self.others().0 }
    }

    /// Makes the list longer; false when there is no memory.
    pub(crate) fn lengthen(self, by: usize) -> bool {
        let closed = self.first.load(Ordering::Relaxed) == CLOSED;
        let others = by - usize::from(closed);
        if !self.reserve(others) {
            return false;
        }
        if closed {
            self.first.store(ptr::null_mut(), Ordering::Relaxed);
        }
        self.places.with_mut(|places| {
            // SAFETY: ours (1, 2).
            let places = unsafe { &mut *places };
            let len = places.len() + others;
            places.resize(len, NonNull::dangling()); // within its capacity
        });
        true
    }

    /// Memory for more of the other places. The allocator is called while nobody refers to them, as it
    /// may drop blocks itself; if it took the room that way, there is none.
    fn reserve(self, others: usize) -> bool {
        let (len, capacity) = self.others();
        if capacity - len >= others {
            return true;
        }
        let mut larger = Vec::new();
        if larger.try_reserve_exact((len + others).max(2 * capacity)).is_err() {
            return false;
        }
        let smaller = self.places.with_mut(|places| {
            // SAFETY: ours (1, 2).
            let places = unsafe { &mut *places };
            if larger.capacity() < places.len() + others {
                return larger;
            }
            larger.extend(places.iter().copied());
            std::mem::replace(places, larger)
        });
        drop(smaller);
        let (len, capacity) = self.others();
        capacity - len >= others
    }

    /// How many other places there are, and for how many there is memory.
    fn others(self) -> (usize, usize) {
        self.places.with(|places| {
            // SAFETY: ours (1, 2).
            let places = unsafe { &*places };
            (places.len(), places.capacity())
        })
    }

    /// Makes the list as short as its blocks allow, and gives the number of places that this took.
    /// While there are blocks it keeps the places' memory, so that no memory is asked for.
    pub(crate) fn shorten(self) -> usize {
        let before = self.cap();
        if !is_block(self.first.load(Ordering::Relaxed)) {
            let other = self.pop_other();
            // Release: who sees it here does not see it there as well.
            self.first.store(other.map_or(CLOSED, NonNull::as_ptr), Ordering::Release);
        }
        let len = self.len.load(Ordering::Relaxed);
        let unused = self.places.with_mut(|places| {
            // SAFETY: ours (1, 2).
            let places = unsafe { &mut *places };
            places.truncate(len);
            if len == 0 { std::mem::take(places) } else { Vec::new() }
        });
        drop(unused);
        before - self.cap()
    }

    fn tally(self) -> &'static Tally {
        self.owner().tally(self.class)
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

/// Whether a first place has a block.
#[inline(always)]
pub(crate) fn is_block(first: *mut Header) -> bool {
    first.addr() > CLOSED.addr()
}

/// One more, by the only thread that writes `counter`.
#[inline(always)]
pub(crate) fn raise(counter: &AtomicUsize, order: Ordering) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), order);
}

/// The order in which a death is counted. Release: whoever sees it sees the get before it.
#[inline(always)]
pub(crate) fn death() -> Ordering {
    twin::order("free_count_relaxed", Ordering::Release, Ordering::Relaxed)
}
