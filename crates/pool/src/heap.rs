//! The record of one thread's share of a pool.
//!
//! Records are made when a thread first needs one and never freed: blocks name them as their home,
//! and a thread that ends hands its record over whole to one that starts.

use crate::{
    class::{Class, MAX},
    core::Core,
    outbox::Outbox,
    remote::Stack,
};
use aqueduct_base::sync::{
    atomic::{AtomicPtr, AtomicUsize, Ordering},
    cell::UnsafeCell,
};
use aqueduct_slice::owner::Header;
use std::ptr::{self, NonNull};

/// Lists, counters and the return stack of one thread. Everything in [`UnsafeCell`]s is touched
/// through an [`Owner`](crate::owner::Owner) only.
#[repr(C)]
pub(crate) struct Heap {
    /// First, so that the address of a list and of its heap differ by the list's index alone.
    pub(crate) lists: [List; MAX],
    core: &'static Core,
    pub(crate) own: UnsafeCell<Own>,
    pub(crate) tallies: [Tally; MAX],
    /// Blocks of this heap that other threads dropped. On lines of its own.
    pub(crate) remote: Stack,
    /// Bytes that `remote` takes: nothing while no thread would collect them.
    pub(crate) remote_cap: AtomicUsize,
}

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
    pub(crate) places: UnsafeCell<Box<[NonNull<Header>]>>,
    pub(crate) len: AtomicUsize,
    /// Blocks handed out by this thread.
    pub(crate) gets: AtomicUsize,
    /// Bytes of data in a block.
    pub(crate) capacity: usize,
    pub(crate) class: Class,
}

#[cfg(all(target_pointer_width = "64", not(aqueduct_loom)))]
const _: () = assert!(size_of::<List>() == 64);

/// In the first place of a list that has none. Headers have larger addresses.
pub(crate) const CLOSED: *mut Header = ptr::without_provenance_mut(1);

/// What becomes of the blocks of one class otherwise than by a get or a death. Written by the owner
/// only.
///
/// The blocks in use are `ins - outs - kept - sent`, summed over all heaps, where `kept` are the blocks
/// on the list: a get or a death on a block's own thread is counted by these.
#[derive(Default)]
pub(crate) struct Tally {
    /// Blocks put on the list that did not die here, or handed out without having been on it.
    pub(crate) ins: AtomicUsize,
    /// Blocks taken off the list that were not handed out, or dead without being put on it.
    pub(crate) outs: AtomicUsize,
    /// Blocks of other heaps that died on this thread.
    pub(crate) sent: AtomicUsize,
    /// Blocks that had to be asked of the system.
    pub(crate) misses: AtomicUsize,
}

/// What only the owner needs.
pub(crate) struct Own {
    /// Bytes of the places on all lists: leased from the pool.
    pub(crate) lease: usize,
    pub(crate) outbox: Outbox,
    /// The pool's trims that were followed.
    pub(crate) trims: usize,
}

impl Heap {
    pub(crate) fn new(core: &'static Core) -> Self {
        let mut classes = core.classes().all();
        Self {
            lists: [(); MAX].map(|()| List::new(core, classes.next())),
            core,
            own: UnsafeCell::new(Own { lease: 0, outbox: Outbox::new(), trims: core.trims() }),
            tallies: [(); MAX].map(|()| Tally::default()),
            remote: Stack::new(),
            remote_cap: AtomicUsize::new(0),
        }
    }

    /// Whether `list` is one of this heap's, from their addresses alone.
    #[inline(always)]
    pub(crate) fn has(this: *const Self, list: *const List) -> bool {
        list.addr().wrapping_sub(this.addr()) < size_of::<[List; MAX]>()
    }

    /// The list of `class`, by a pointer that may be used for the whole heap.
    #[inline(always)]
    pub(crate) fn list(&'static self, class: Class) -> *const List {
        ptr::from_ref(self).cast::<List>().wrapping_add(class.index())
    }

    /// The heap of a list.
    ///
    /// # Safety
    ///
    /// `list` came from [`list`](Self::list).
    pub(crate) unsafe fn of_list(list: *const List) -> &'static Self {
        // SAFETY: it points into a heap record, and those are never freed.
        let class = unsafe { &*list }.class;
        // SAFETY: the lists come first in the record, and this one is the `class`-th; the pointer was
        // made from one to the whole record.
        unsafe { &*list.wrapping_sub(class.index()).cast::<Self>() }
    }

    #[inline(always)]
    pub(crate) fn core(&self) -> &'static Core {
        self.core
    }

    pub(crate) fn tally(&self, class: Class) -> &Tally {
        &self.tallies[class.index()]
    }

    /// Whether other threads may leave blocks here: true while a thread collects them.
    pub(crate) fn accept_remote(&self, yes: bool) {
        let cap = if yes { self.core.remote_share() } else { 0 };
        self.remote_cap.store(cap, Ordering::Relaxed);
    }
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
    fn new(core: &Core, class: Option<Class>) -> Self {
        let capacity = class.map_or(0, |class| core.classes().capacity(class));
        Self {
            first: AtomicPtr::new(CLOSED),
            places: UnsafeCell::new(Box::default()),
            len: AtomicUsize::new(0),
            gets: AtomicUsize::new(0),
            capacity,
            class: class.unwrap_or_default(),
        }
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

// SAFETY: everything that is not an atomic stands in an `UnsafeCell` that only the heap's owner
// touches, and there is one owner at a time (owner.rs, 1). From one owner to the next the heap goes
// through the lock of the registry, so that all the first did happens before all the second does.
unsafe impl Sync for Heap {}
// SAFETY: as above. Heaps are only ever reached by reference.
unsafe impl Send for Heap {}
