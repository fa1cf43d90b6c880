//! What the threads of one pool have in common.
//!
//! A core is never freed: blocks and heaps name it for as long as the process lives. When the last
//! handle on a pool is gone and the last of its blocks, its core waits for the next pool with the
//! same settings.

use crate::{
    GetError, Limit,
    block::Block,
    builder::Config,
    class::{Class, Classes, MAX},
    list::raise,
    local,
    owner::Owner,
    place::Place,
    registry::Registry,
    remote::Stack,
    shared::Shared,
    stats::Raw,
    wait::Waiters,
};
use aqueduct_base::{
    AllocError,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

pub(crate) struct Core {
    classes: Classes,
    config: Config,
    /// Where threads look for their heap of this pool first.
    slot: usize,
    registry: Registry,
    shared: Shared,
    budget: Budget,
    /// Empty batches.
    spare: Stack,
    /// Bytes of blocks that the system gave, and the most there ever were.
    held: AtomicUsize,
    peak: AtomicUsize,
    trims: AtomicUsize,
    closed: AtomicBool,
    /// Handles on the pool.
    pub(crate) handles: AtomicUsize,
    /// Requests that went to the heap.
    pub(crate) fallbacks: AtomicUsize,
    /// Gets, deaths and misses on threads that are ending: those have no heap to count in.
    pub(crate) late: [Late; MAX],
    pub(crate) waiters: Waiters,
    /// The counters' state when the present pool was made.
    pub(crate) base: Mutex<Raw>,
}

#[derive(Default)]
pub(crate) struct Late {
    pub(crate) gets: AtomicUsize,
    pub(crate) frees: AtomicUsize,
    pub(crate) misses: AtomicUsize,
}

/// Bytes that may still be kept for reuse. Leases and shared lists take from it what they may hold.
///
/// On lines of its own: every thread writes it, and what stands beside it is read all the time.
#[repr(align(128))]
pub(crate) struct Budget(AtomicUsize);

impl Budget {
    pub(crate) fn take(&self, bytes: usize) -> bool {
        if bytes == 0 {
            return true;
        }
        self.0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .is_ok()
    }

    #[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
    pub(crate) fn left(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn give(&self, bytes: usize) {
        if bytes > 0 {
            self.0.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

impl Core {
    pub(crate) fn new(classes: Classes, config: Config, slot: usize) -> Self {
        Self {
            classes,
            slot: slot % local::SLOTS,
            registry: Registry::new(),
            shared: Shared::new(&classes, &config),
            budget: Budget(AtomicUsize::new(config.keep_in_all)),
            spare: Stack::new(),
            held: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            trims: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            handles: AtomicUsize::new(1),
            fallbacks: AtomicUsize::new(0),
            late: [(); MAX].map(|()| Late::default()),
            waiters: Waiters::new(),
            base: Mutex::new(Raw::default()),
            config,
        }
    }

    #[inline(always)]
    pub(crate) fn classes(&self) -> &Classes {
        &self.classes
    }

    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    #[inline(always)]
    pub(crate) fn slot(&self) -> usize {
        self.slot
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    pub(crate) fn spare_batches(&self) -> &Stack {
        &self.spare
    }

    pub(crate) fn trims(&self) -> usize {
        self.trims.load(Ordering::Acquire)
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    /// Whether all blocks go through the shared lists, since a limit makes threads wait for them.
    pub(crate) fn is_shared(&self) -> bool {
        self.config.hard_limit.is_some()
    }

    /// Bytes that a thread's lists may hold: half of what it may keep. A quarter is for its return
    /// stack, and a quarter for batches that it has not sent off.
    pub(crate) fn lists_share(&self) -> usize {
        self.config.keep_per_thread / 2
    }

    pub(crate) fn remote_share(&self) -> usize {
        self.config.keep_per_thread / 4
    }

    pub(crate) fn outbox_share(&self) -> usize {
        self.config.keep_per_thread / 4
    }

    /// A block for `len` bytes from the caller's own list, if there is one, and its capacity.
    #[inline(always)]
    pub(crate) fn get_fast(&'static self, len: usize) -> Option<(Block, usize)> {
        local::take(self, self.classes.of(len)?)
    }

    /// A block for `len` bytes from wherever there is one, and its capacity.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_slow(&'static self, len: usize) -> Result<(Block, usize), GetError> {
        self.find(len).map(|(found, _)| found)
    }

    /// As [`get_slow`](Self::get_slow), and whether the block is new.
    #[inline(always)]
    pub(crate) fn find(&'static self, len: usize) -> Result<((Block, usize), bool), GetError> {
        let refused = |limit| GetError { requested: len, limit };
        let Some(class) = self.classes.of(len) else {
            return Err(refused(Limit::LargestBlock(self.classes.largest())));
        };
        let owner = local::enter(self);
        let kept = match owner {
            Some(owner) => owner.list(class).take().or_else(|| owner.refill(class)),
            None => self.get_late(class).map(|block| (block, self.classes.capacity(class))),
        };
        if let Some(found) = kept {
            return Ok((found, false));
        }
        let block = self.allocate(class, owner).map_err(refused)?;
        Ok(((block, self.classes.capacity(class)), true))
    }

    /// As [`get_slow`](Self::get_slow), from the heap where the pool has none.
    #[cold]
    #[inline(never)]
    pub(crate) fn get_or_heap(&'static self, len: usize) -> Result<(Block, usize), AllocError> {
        if !self.is_closed() {
            if let Ok(found) = self.get_slow(len) {
                return Ok(found);
            }
            self.fallbacks.fetch_add(1, Ordering::Relaxed);
        }
        Ok((Block::allocate_loose(self, len)?, len.max(1)))
    }

    /// A block for a thread that is ending.
    fn get_late(&self, class: Class) -> Option<Block> {
        let mut chain = self.unshelve(class)?;
        let block = chain.pop()?;
        self.shelve(class, chain);
        self.late[class.index()].gets.fetch_add(1, Ordering::Relaxed);
        Some(block)
    }

    /// A block from the system, for the caller's heap or, if the thread is ending, for some heap.
    fn allocate(&'static self, class: Class, owner: Option<Owner>) -> Result<Block, Limit> {
        let bytes = self.footprint(class);
        self.hold(bytes)?;
        let home = owner.map_or_else(|| self.registry.any(self), Owner::heap);
        let block = Block::allocate(home, class).map_err(|refused| {
            self.let_go(bytes);
            Limit::Memory(refused)
        })?;
        match owner {
            Some(owner) => {
                raise(&owner.tally(class).misses, Ordering::Relaxed);
                owner.count_get(class);
            }
            None => {
                self.late[class.index()].misses.fetch_add(1, Ordering::Relaxed);
                self.late[class.index()].gets.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(block)
    }

    /// Counts bytes that are to be asked of the system, within the hard limit.
    fn hold(&self, bytes: usize) -> Result<(), Limit> {
        let limit = self.config.hard_limit.unwrap_or(usize::MAX);
        let grow = |held: usize| held.checked_add(bytes).filter(|&sum| sum <= limit);
        loop {
            if let Ok(held) = self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow) {
                self.peak.fetch_max(held + bytes, Ordering::Relaxed);
                return Ok(());
            }
            // Free blocks of other sizes may make room.
            let found = self.classes.all().find_map(|class| self.unshelve(class));
            self.free_chain(found.ok_or(Limit::HardLimit(limit))?);
        }
    }

    /// Bytes that the system gives for a block of `class`, its header and its rounding included.
    pub(crate) fn footprint(&self, class: Class) -> usize {
        Place::new(&self.config, self.classes.capacity(class), false).footprint()
    }

    pub(crate) fn let_go(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.waiters.wake();
    }

    /// Gives everything that can be reached to the system; other threads follow at their next slow
    /// step.
    pub(crate) fn trim(&'static self) {
        self.trims.fetch_add(1, Ordering::AcqRel);
        if let Some(owner) = local::enter(self) {
            owner.settle();
        }
        self.registry.trim();
        drop(self.spare());
        for class in self.classes.all() {
            while let Some(chain) = self.unshelve(class) {
                self.free_chain(chain);
            }
        }
    }

    /// The last handle is gone: nothing more is kept.
    pub(crate) fn close(&'static self) {
        self.closed.store(true, Ordering::Relaxed);
        self.trim();
    }

    /// Whether the core can serve another pool with these settings.
    #[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
    pub(crate) fn can_reopen(&self, classes: &Classes, config: &Config) -> bool {
        self.is_closed()
            && self.classes == *classes
            && self.config == *config
            && self.raw().outstanding() == 0
    }

    #[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
    pub(crate) fn reopen(&self) {
        *self.base.lock() = self.raw();
        self.peak.store(self.held(), Ordering::Relaxed);
        self.handles.store(1, Ordering::Relaxed);
        self.closed.store(false, Ordering::Relaxed);
    }
}
