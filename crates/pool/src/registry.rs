//! All heaps of a pool, and those that have no thread.
//!
//! Invariants of this file:
//!
//! 1. A heap on one of the lists of orphans belongs to whoever holds the lock: its thread gave it up
//!    before it came here, and it leaves the list before another thread puts it in its slot.
//! 2. A heap is on one list of orphans or with one thread, never both.

use crate::{class::Class, core::Core, heap::Heap, owner::Owner};
use aqueduct_base::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

pub(crate) struct Registry {
    lists: Mutex<Lists>,
    /// Orphans with blocks: a look without the lock.
    stocked: AtomicUsize,
}

#[derive(Default)]
struct Lists {
    all: Vec<&'static Heap>,
    /// Orphans with blocks, which go first.
    stocked: Vec<&'static Heap>,
    bare: Vec<&'static Heap>,
}

impl Registry {
    pub(crate) fn new() -> Self {
        Self { lists: Mutex::new(Lists::default()), stocked: AtomicUsize::new(0) }
    }

    /// A heap for a thread that has none: an orphan with all it has, or a new one.
    pub(crate) fn adopt(&self, core: &'static Core) -> &'static Heap {
        let mut lists = self.lists.lock();
        let heap = match lists.stocked.pop() {
            Some(heap) => {
                self.stocked.fetch_sub(1, Ordering::Relaxed);
                heap
            }
            None => lists.bare.pop().unwrap_or_else(|| lists.register(core)),
        };
        heap.accept_remote(true);
        heap
    }

    /// Takes the heap of a thread that ends, whole. The thread has emptied its slot, and does not
    /// use `owner` again.
    pub(crate) fn orphan(&self, owner: Owner) {
        let mut lists = self.lists.lock();
        lists.stocked.push(owner.heap());
        self.stocked.fetch_add(1, Ordering::Relaxed);
    }

    /// Moves blocks of orphans to the caller's heap until it has one of `class`.
    pub(crate) fn rob(&self, owner: Owner, class: Class) {
        if self.stocked.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut lists = self.lists.lock();
        while owner.list(class).kept() == 0 {
            let Some(orphan) = self.strip(&mut lists) else { return };
            owner.inherit(orphan);
        }
    }

    /// Gives all that orphans keep, and all that was returned to any heap, to the system.
    pub(crate) fn trim(&self) {
        let mut lists = self.lists.lock();
        while let Some(orphan) = self.strip(&mut lists) {
            orphan.trim();
        }
        for heap in &lists.all {
            heap.core().free_remote(heap);
        }
    }

    /// Makes the next orphan with blocks a bare one: the caller empties it under the lock.
    fn strip(&self, lists: &mut Lists) -> Option<Owner> {
        let heap = lists.stocked.pop()?;
        self.stocked.fetch_sub(1, Ordering::Relaxed);
        heap.accept_remote(false);
        lists.bare.push(heap);
        // SAFETY: an orphan belongs to the holder of the lock (1), who keeps it while this is used.
        Some(unsafe { Owner::new(heap) })
    }

    /// Some heap, for a block that no heap wants.
    pub(crate) fn any(&self, core: &'static Core) -> &'static Heap {
        let mut lists = self.lists.lock();
        if let [first, ..] = lists.all[..] {
            return first;
        }
        let heap = lists.register(core);
        lists.bare.push(heap);
        heap
    }

    /// Runs `f` on all heaps, while none can be added.
    pub(crate) fn with_all<R>(&self, f: impl FnOnce(&[&'static Heap]) -> R) -> R {
        f(&self.lists.lock().all)
    }
}

impl Lists {
    fn register(&mut self, core: &'static Core) -> &'static Heap {
        let heap: &'static Heap = Box::leak(Box::new(Heap::new(core)));
        self.all.push(heap);
        // No end of a thread has to ask for memory.
        self.stocked.reserve(self.all.len() - self.stocked.len());
        self.bare.reserve(self.all.len() - self.bare.len());
        heap
    }
}
