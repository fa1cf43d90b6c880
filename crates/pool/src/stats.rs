//! What a pool has done and what it holds, summed from the threads' counters when it is asked for.

use crate::{
    class::{Class, MAX},
    core::Core,
    heap::Heap,
};
use aqueduct_base::sync::atomic::Ordering;

/// The state of a pool's counters. Every figure is exact when no other thread uses the pool;
/// otherwise each is one that was, or could have been, true while it was read, and blocks that a
/// thread just then moves may be counted as in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStats {
    /// Blocks handed out; what a limit sent to the heap is not among them.
    pub gets: u64,
    /// Of these, the ones that the pool had.
    pub hits: u64,
    /// Of these, the ones that the system was asked for.
    pub misses: u64,
    /// Requests that a limit sent to the heap instead: those blocks are not the pool's.
    pub heap_fallbacks: u64,
    /// Blocks that died on another thread than the one whose heap they came from.
    pub remote_frees: u64,
    /// Blocks in use now. Never negative, since every death is counted after the get it answers.
    pub outstanding: u64,
    /// Bytes of all blocks that the pool has from the system, in use and kept, with their headers.
    pub held_bytes: u64,
    /// The most that `held_bytes` ever was.
    pub peak_held_bytes: u64,
    /// Bytes of the blocks that are kept for reuse.
    pub retained_bytes: u64,
    classes: Vec<ClassStats>,
}

impl PoolStats {
    /// The figures of each size class, smallest first.
    #[must_use]
    pub fn classes(&self) -> &[ClassStats] {
        &self.classes
    }
}

/// The counters of one size class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClassStats {
    /// Bytes of data in a block.
    pub block_bytes: usize,
    /// Blocks handed out.
    pub gets: u64,
    /// Of these, the ones that the system was asked for.
    pub misses: u64,
    /// Blocks that died on another thread.
    pub remote_frees: u64,
    /// Blocks in use now.
    pub outstanding: u64,
}

/// Sums over all threads since the core was made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Raw {
    classes: [Sums; MAX],
    fallbacks: usize,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    gets: usize,
    misses: usize,
    /// Deaths on other threads than the block's own.
    elsewhere: usize,
    outstanding: usize,
}

impl Raw {
    pub(crate) fn outstanding(&self) -> usize {
        self.classes.iter().map(|sums| sums.outstanding).sum()
    }
}

impl Core {
    /// The deaths that are counted apart first, then the lists, which count a get and a death on one
    /// thread in one word, then what came in otherwise: who sees a death sees its get in what is read
    /// after it, so the difference is never negative. No heap can be added in between: a block of
    /// such a heap cannot be among the deaths.
    pub(crate) fn raw(&self) -> Raw {
        let mut raw = Raw { fallbacks: self.fallbacks.load(Ordering::Relaxed), ..Raw::default() };
        self.registry().with_all(|heaps| {
            for class in self.classes().all() {
                raw.classes[class.index()] = self.sums(class, heaps);
            }
        });
        raw
    }

    fn sums(&self, class: Class, heaps: &[&'static Heap]) -> Sums {
        let late = &self.late[class.index()];
        let tallies = || heaps.iter().map(|heap| heap.tally(class));
        let lists = || heaps.iter().map(|heap| &heap.lists[class.index()]);
        // Acquire: with the Release of each death, so that the gets they answer are seen below.
        let sent = tallies().map(|tally| tally.sent.load(Ordering::Acquire));
        let elsewhere = total(sent).wrapping_add(late.frees.load(Ordering::Acquire));
        let outs = total(tallies().map(|tally| tally.outs.load(Ordering::Acquire)));
        let kept = total(lists().map(|list| list.kept()));
        let ins = total(tallies().map(|tally| tally.ins.load(Ordering::Relaxed)));
        let late_gets = late.gets.load(Ordering::Relaxed);
        let gone = elsewhere.wrapping_add(outs).wrapping_add(kept);
        let gets = total(lists().map(|list| list.gets.load(Ordering::Relaxed)));
        let misses = total(tallies().map(|tally| tally.misses.load(Ordering::Relaxed)));
        Sums {
            gets: gets.wrapping_add(late_gets),
            misses: misses.wrapping_add(late.misses.load(Ordering::Relaxed)),
            elsewhere,
            outstanding: ins.wrapping_add(late_gets).wrapping_sub(gone),
        }
    }

    pub(crate) fn stats(&self) -> PoolStats {
        let (raw, base) = (self.raw(), *self.base.lock());
        let held = self.held() as u64;
        let since = |now: usize, then: usize| now.wrapping_sub(then) as u64;
        let classes: Vec<_> = self
            .classes()
            .all()
            .map(|class| {
                let (now, then) = (raw.classes[class.index()], base.classes[class.index()]);
                ClassStats {
                    block_bytes: self.classes().capacity(class),
                    gets: since(now.gets, then.gets),
                    misses: since(now.misses, then.misses),
                    remote_frees: since(now.elsewhere, then.elsewhere),
                    outstanding: now.outstanding as u64,
                }
            })
            .collect();
        let sum = |f: fn(&ClassStats) -> u64| classes.iter().map(f).sum::<u64>();
        let (gets, misses) = (sum(|c| c.gets), sum(|c| c.misses));
        let footprints = self.classes().all().map(|class| self.footprint(class) as u64);
        let in_use: u64 =
            classes.iter().zip(footprints).map(|(c, bytes)| c.outstanding * bytes).sum();
        PoolStats {
            gets,
            hits: gets.saturating_sub(misses),
            misses,
            heap_fallbacks: since(raw.fallbacks, base.fallbacks),
            remote_frees: sum(|c| c.remote_frees),
            outstanding: sum(|c| c.outstanding),
            held_bytes: held,
            peak_held_bytes: self.peak() as u64,
            retained_bytes: held.saturating_sub(in_use),
            classes,
        }
    }
}

/// The sum of counters, each of which wraps.
fn total(counters: impl Iterator<Item = usize>) -> usize {
    counters.fold(0, usize::wrapping_add)
}
