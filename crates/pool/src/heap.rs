//! The record of one thread's share of a pool.
//!
//! Records are made when a thread first needs one and never freed: blocks name them as their home,
//! and a thread that ends hands its record over whole to one that starts.

use crate::{
    class::{Class, MAX},
    core::Core,
    remote::{Batch, Chain, Stack},
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
    /// Blocks of this heap that other threads dropped.
    pub(crate) remote: Stack,
    /// Bytes that `remote` takes: nothing while no thread would collect them.
    pub(crate) remote_cap: AtomicUsize,
}

/// The free blocks of one class, and how many came and went: one line of the cache.
///
/// `puts - takes` is the number of blocks on the list, but for those that were moved by other ways.
/// `lim` is the list's capacity, corrected by those: `puts - takes < lim` while there is room. So
/// one comparison of what is counted anyway serves as cap, and a list is closed by setting `lim`.
///
/// The counters are written by the owner only, with plain stores.
#[repr(C, align(64))]
pub(crate) struct List {
    pub(crate) blocks: UnsafeCell<Chain>,
    pub(crate) lim: UnsafeCell<isize>,
    /// Blocks handed out by this thread.
    pub(crate) takes: AtomicUsize,
    /// Blocks of this heap that died on this thread.
    pub(crate) puts: AtomicUsize,
    /// Bytes of data in a block.
    pub(crate) capacity: usize,
    pub(crate) class: Class,
    /// Blocks of other heaps that died on this thread.
    pub(crate) sent: AtomicUsize,
    /// Blocks that had to be asked of the system.
    pub(crate) misses: AtomicUsize,
}

#[cfg(all(target_pointer_width = "64", not(any(aqueduct_loom, aqueduct_shuttle))))]
const _: () = assert!(size_of::<List>() == 64);

/// What only the owner needs.
pub(crate) struct Own {
    /// Blocks that each list may hold.
    pub(crate) caps: [usize; MAX],
    /// Bytes that the caps add up to: leased from the pool.
    pub(crate) lease: usize,
    /// Blocks on their way to other heaps, by the heap.
    pub(crate) routes: [Option<Route>; ROUTES],
    /// The pool's trims that were followed.
    pub(crate) trims: usize,
}

/// Homes that a thread gathers batches for at a time.
pub(crate) const ROUTES: usize = 4;

pub(crate) struct Route {
    pub(crate) home: &'static Heap,
    pub(crate) batch: Batch,
}

impl Heap {
    pub(crate) fn new(core: &'static Core) -> Self {
        let mut classes = core.classes().all();
        Self {
            lists: [(); MAX].map(|()| List::new(core, classes.next())),
            core,
            own: UnsafeCell::new(Own {
                caps: [0; MAX],
                lease: 0,
                routes: [const { None }; ROUTES],
                trims: core.trims(),
            }),
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

    /// Whether other threads may leave blocks here: true while a thread collects them.
    pub(crate) fn accept_remote(&self, yes: bool) {
        let cap = if yes { self.core.remote_share() } else { 0 };
        self.remote_cap.store(cap, Ordering::Relaxed);
    }

    /// The deaths that this heap's threads counted. Acquire: with the Release of each, so that the
    /// gets they answer are seen by who reads those later.
    pub(crate) fn frees(&self, class: Class) -> (usize, usize) {
        let puts = self.lists[class.index()].puts.load(Ordering::Acquire);
        (puts, self.lists[class.index()].sent.load(Ordering::Acquire))
    }

    pub(crate) fn gets(&self, class: Class) -> (usize, usize) {
        let takes = self.lists[class.index()].takes.load(Ordering::Relaxed);
        (takes, self.lists[class.index()].misses.load(Ordering::Relaxed))
    }
}

impl List {
    /// The list of a class, or of none, where nothing is ever put.
    fn new(core: &Core, class: Option<Class>) -> Self {
        let capacity = class.map_or(0, |class| core.classes().capacity(class));
        Self {
            blocks: UnsafeCell::new(Chain::new()),
            lim: UnsafeCell::new(0),
            takes: AtomicUsize::new(0),
            puts: AtomicUsize::new(0),
            capacity,
            class: class.unwrap_or_default(),
            sent: AtomicUsize::new(0),
            misses: AtomicUsize::new(0),
        }
    }
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
