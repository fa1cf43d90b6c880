//! The record of one thread's share of a pool.
//!
//! Records are made when a thread first needs one and never freed: blocks name them as their home,
//! and a thread that ends hands its record over whole to one that starts.

use crate::{
    class::{Class, MAX},
    core::Core,
    list::List,
    outbox::Outbox,
    remote::Stack,
};
use aqueduct_base::sync::{
    atomic::{AtomicUsize, Ordering},
    cell::UnsafeCell,
};
use std::ptr;

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

// SAFETY: everything that is not an atomic stands in an `UnsafeCell` that only the heap's owner
// touches, and there is one owner at a time (owner.rs, 1). From one owner to the next the heap goes
// through the lock of the registry, so that all the first did happens before all the second does.
unsafe impl Sync for Heap {}
// SAFETY: as above. Heaps are only ever reached by reference.
unsafe impl Send for Heap {}
