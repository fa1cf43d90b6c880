//! [`Pool`]: the handle that users hold.

use crate::{
    GetAsync, GetError, PoolBuilder, PoolStats, block::Block, builder::Config, class::Classes,
    core::Core, local,
};
#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
use aqueduct_base::sync::Mutex;
use aqueduct_base::sync::atomic::Ordering;
use aqueduct_slice::SliceMut;
use std::{
    fmt,
    panic::{RefUnwindSafe, UnwindSafe},
};

/// Blocks of memory that come back when their last handle is gone.
///
/// A pool is a handle: cloning it is cheap. Blocks may outlive it. When the last clone is gone, what
/// is kept goes back to the system as by [`trim`](Self::trim): at once where it can be reached, and
/// from the lists of other threads when they end or come past.
///
/// Each thread keeps free blocks of its own, so that [`get`](Self::get) and the drop of the last
/// handle are a few nanoseconds without an atomic read-modify-write. See the
/// [crate's page](crate) for how blocks that die elsewhere return.
///
/// ```
/// use aqueduct_pool::Pool;
///
/// let pool = Pool::new();
/// let mut block = pool.get(4096); // empty, with room for 4096 bytes at least
/// block.extend_from_slice(b"a message that some other thread shall have");
/// let message = block.freeze(); // costs nothing, and may be cloned and sliced
/// let reader = std::thread::spawn(move || message.len());
///
/// assert_eq!(reader.join().expect("it does not panic"), 43);
/// assert_eq!(pool.outstanding(), 0, "the block came back by itself");
/// ```
pub struct Pool {
    core: &'static Core,
}

// No code of users runs while a pool is in a state between two: its locks have no poison.
impl UnwindSafe for Pool {}
impl RefUnwindSafe for Pool {}

/// All cores there ever were; see [`Core`].
#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
static CORES: Mutex<Vec<&'static Core>> = Mutex::new(Vec::new());

impl Pool {
    /// The process's own pool, with the settings of [`Pool::builder`]. It is never dropped.
    #[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
    #[must_use]
    pub fn global() -> &'static Self {
        static GLOBAL: std::sync::OnceLock<Pool> = std::sync::OnceLock::new();
        GLOBAL.get_or_init(Self::default)
    }

    /// A pool with the settings of [`Pool::builder`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Settings for a pool: block sizes from 256 bytes to 1 MiB, 1 MiB kept per thread and 64 MiB in
    /// all, no hard limit, data aligned to 64, unless set.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    #[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
    pub(crate) fn with(classes: Classes, config: Config) -> Self {
        let mut cores = CORES.lock();
        if let Some(core) = cores.iter().find(|core| core.can_reopen(&classes, &config)) {
            core.reopen();
            return Self { core };
        }
        let core: &'static Core = Box::leak(Box::new(Core::new(classes, config, cores.len())));
        cores.push(core);
        Self { core }
    }

    /// In a model: without the list of cores, which would outlive the run.
    #[cfg(any(aqueduct_loom, aqueduct_shuttle))]
    pub(crate) fn with(classes: Classes, config: Config) -> Self {
        Self { core: Box::leak(Box::new(Core::new(classes, config, 0))) }
    }

    #[cfg(test)]
    pub(crate) fn core(&self) -> &'static Core {
        self.core
    }

    /// An empty buffer with room for at least `len` bytes: of the pool, or of the heap where the
    /// pool has a limit in the way (which [`PoolStats::heap_fallbacks`] counts).
    ///
    /// Constant time. A few nanoseconds while this thread has a free block of the size; what the
    /// room contains is unspecified. A block of the heap is aligned and scrubbed as the pool's own.
    ///
    /// # Panics
    ///
    /// As `Vec` does: when `len` overflows, or memory is out.
    #[must_use]
    #[inline]
    pub fn get(&self, len: usize) -> SliceMut {
        // Two words in registers either way: a buffer that two paths return goes through memory.
        let (block, capacity) =
            self.core.get_fast(len).unwrap_or_else(|| get_or_raise(self.core, len));
        block.into_live(capacity)
    }

    /// As [`get`](Self::get), of the pool only. (What a thread needs to keep blocks at all is made with
    /// its first, and ends as `Vec` does if there is no memory even for that.)
    ///
    /// # Errors
    ///
    /// [`GetError`], which names the limit: no block is so large, the hard limit is reached, or the
    /// system has no memory.
    #[inline]
    pub fn try_get(&self, len: usize) -> Result<SliceMut, GetError> {
        let found = self.core.get_fast(len).map_or_else(|| self.core.get_slow(len), Ok);
        found.map(|(block, capacity)| block.into_live(capacity))
    }

    /// As [`try_get`](Self::try_get), but waits while the hard limit is reached until blocks come
    /// back, of this size or of others that make room. Those who wait are woken in the order in which
    /// they came, but who comes past at the right moment is served before them, and so is who asks for
    /// less while there is too little for the first.
    pub fn get_async(&self, len: usize) -> GetAsync<'_> {
        GetAsync::new(self.core, len)
    }

    /// As [`get_async`](Self::get_async), sleeping. Blocks for ever if no block ever comes back.
    ///
    /// # Errors
    ///
    /// [`GetError`] for limits that waiting does not change.
    pub fn get_blocking(&self, len: usize) -> Result<SliceMut, GetError> {
        self.get_async(len).block()
    }

    /// The pool's counters. Takes a lock, and time linear in the number of threads.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.core.stats()
    }

    /// Blocks in use: zero when nothing was leaked at the end of a program or a test. While blocks move
    /// between threads, some may be counted that are not in use any more, never fewer than are; so it is also
    /// where threads end that used a pool of the same settings, now dropped, which this one has succeeded.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.core.raw().outstanding() as u64
    }

    /// Gives free blocks back to the system: at once those of this thread, of ended threads and of
    /// the shared lists; those of other threads at their next slow step, such as a get for which they
    /// have no block. A thread that is idle keeps at most what it may keep.
    pub fn trim(&self) {
        self.core.trim();
    }

    /// This thread's slow step, for those who want a tick: sends off what waits in batches, follows
    /// other threads' trims.
    pub fn maintain(&self) {
        if let Some(owner) = local::enter(self.core) {
            owner.settle();
            owner.flush();
        }
    }
}

/// Ends as `Vec` does where there is no memory.
#[cold]
#[inline(never)]
fn get_or_raise(core: &'static Core, len: usize) -> (Block, usize) {
    core.get_or_heap(len).unwrap_or_else(|refused| refused.raise())
}

impl Default for Pool {
    fn default() -> Self {
        match Self::builder().build() {
            Ok(pool) => pool,
            Err(refused) => unreachable!("the builder's own settings make sense: {refused}"),
        }
    }
}

impl Clone for Pool {
    fn clone(&self) -> Self {
        self.core.handles.fetch_add(1, Ordering::Relaxed);
        Self { core: self.core }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.core.handles.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.core.close();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("stats", &self.stats()).finish()
    }
}
