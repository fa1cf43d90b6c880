//! The settings of a pool.

use crate::{Pool, PoolBuildError, class::Classes, place::Place};

/// Settings for a [`Pool`]; see [`Pool::builder`].
///
/// ```
/// use aqueduct_pool::Pool;
///
/// let pool = Pool::builder().largest_block(1 << 16).hard_limit(8 << 20).build()?;
/// assert!(pool.try_get(100_000).is_err());
/// # Ok::<(), aqueduct_pool::PoolBuildError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until build()"]
pub struct PoolBuilder {
    smallest: usize,
    largest: usize,
    config: Config,
}

/// What a pool is, beside its size classes. Two pools of equal settings can take turns with one
/// core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) keep_per_thread: usize,
    pub(crate) keep_in_all: usize,
    pub(crate) hard_limit: Option<usize>,
    pub(crate) align: usize,
    pub(crate) huge_pages: bool,
    pub(crate) scrub: bool,
}

/// Every class has so many bytes more than its power of two, so that a power of two of payload and
/// the header in front of it fit: 64 is the longest header of a TCP segment but four bytes, and one
/// cache line.
const EXTRA: usize = 64;

/// The alignment that costs nothing: a header stands in front of the data up to here, and at the
/// side beyond, where headers a page apart would fall into one set of the cache.
pub(crate) const IN_FRONT: usize = 64;

impl Default for PoolBuilder {
    fn default() -> Self {
        let config = Config {
            keep_per_thread: 1 << 20,
            keep_in_all: 64 << 20,
            hard_limit: None,
            align: IN_FRONT,
            huge_pages: false,
            scrub: false,
        };
        Self { smallest: 256, largest: 1 << 20, config }
    }
}

impl PoolBuilder {
    /// Bytes of the smallest blocks: a power of two, 256 unless set.
    pub fn smallest_block(mut self, bytes: usize) -> Self {
        self.smallest = bytes;
        self
    }

    /// Bytes of the largest blocks: a power of two, 1 MiB unless set. There is a class of blocks for
    /// each power of two between the two.
    pub fn largest_block(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// Bytes that a thread may keep for reuse: 1 MiB unless set. The most that an idle thread keeps
    /// from the others.
    ///
    /// Half is for blocks that it drops itself, a quarter for those that other threads return to it,
    /// and a quarter for those that it has not sent home yet. What is more goes to lists that all
    /// threads share, at a few tens of nanoseconds: so do blocks larger than half. Set it to twice
    /// what one thread uses at a time.
    pub fn keep_per_thread(mut self, bytes: usize) -> Self {
        self.config.keep_per_thread = bytes;
        self
    }

    /// Bytes that all threads together and the shared lists may keep for reuse: 64 MiB unless set.
    pub fn keep_in_all(mut self, bytes: usize) -> Self {
        self.config.keep_in_all = bytes;
        self
    }

    /// Bytes that the pool may hold from the system, in use or kept, headers and alignment included;
    /// no limit unless set. What [`Pool::get`] takes from the heap at the limit is not the pool's: with
    /// [`Pool::try_get`] and the forms that wait the limit is one.
    ///
    /// With a limit, every free block must be within reach of whoever waits for one. So threads keep
    /// none for themselves, all go through shared lists, and a get and drop cost a few tens of
    /// nanoseconds instead of a few.
    pub fn hard_limit(mut self, bytes: usize) -> Self {
        self.config.hard_limit = Some(bytes);
        self
    }

    /// The alignment of every block's data: a power of two of at most 4096, 64 unless set. Above 64
    /// blocks have no bytes beyond their power of two, and a header of their own at the side.
    pub fn alignment(mut self, bytes: usize) -> Self {
        self.config.align = bytes;
        self
    }

    /// Asks Linux for huge pages behind blocks of 2 MiB and more, which are then aligned to that. A
    /// hint, and none without the feature `huge-pages`.
    pub fn huge_pages(mut self, yes: bool) -> Self {
        self.config.huge_pages = yes;
        self
    }

    /// Clears a block when its last handle is gone: what was in it cannot be read from memory later.
    /// Linear in the block's size, at every drop. Holds for what a limit sends to the heap, too.
    pub fn scrub(mut self, yes: bool) -> Self {
        self.config.scrub = yes;
        self
    }

    /// The pool.
    ///
    /// # Errors
    ///
    /// [`PoolBuildError`] names the setting that makes no sense.
    pub fn build(self) -> Result<Pool, PoolBuildError> {
        let Self { smallest, largest, mut config } = self;
        let sane = smallest.is_power_of_two()
            && largest.is_power_of_two()
            && (64..=1 << 30).contains(&smallest)
            && (smallest..=1 << 30).contains(&largest);
        if !sane {
            return Err(PoolBuildError::BlockSizes { smallest, largest });
        }
        if !config.align.is_power_of_two() || config.align > 4096 {
            return Err(PoolBuildError::Alignment(config.align));
        }
        config.align = config.align.max(IN_FRONT);
        let extra = if config.align > IN_FRONT { 0 } else { EXTRA };
        let classes = Classes::new(smallest, largest, extra);
        if let Some(limit) = config.hard_limit {
            let largest = Place::new(&config, classes.largest(), false).footprint();
            if limit < largest {
                return Err(PoolBuildError::HardLimit { limit, largest });
            }
            // Nothing may lie where only one thread can reach it.
            config.keep_per_thread = 0;
            config.keep_in_all = limit;
        }
        Ok(Pool::with(classes, config))
    }
}
