//! What a pool has done and what it holds, summed from the threads' counters when it is asked for.

use crate::{
    class::{Class, MAX},
    core::Core,
};
use aqueduct_base::sync::atomic::Ordering;

/// The state of a pool's counters. Every figure is exact when no other thread uses the pool;
/// otherwise each is one that was, or could have been, true while it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
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

impl Stats {
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
    /// Deaths on the block's own thread, on other threads, and on threads that were ending.
    puts: usize,
    sent: usize,
    late: usize,
}

impl Sums {
    fn outstanding(self) -> usize {
        self.gets.wrapping_sub(self.puts).wrapping_sub(self.sent).wrapping_sub(self.late)
    }
}

impl Raw {
    pub(crate) fn outstanding(&self) -> usize {
        self.classes.iter().map(|sums| sums.outstanding()).sum()
    }
}

impl Core {
    /// All deaths first, then all gets: a death that is seen makes its get visible, so the difference
    /// is never negative. No heap can be added in between: a block of such a heap cannot be among
    /// the deaths.
    pub(crate) fn raw(&self) -> Raw {
        let mut raw = Raw { fallbacks: self.fallbacks.load(Ordering::Relaxed), ..Raw::default() };
        self.registry().with_all(|heaps| {
            for class in self.classes().all() {
                let sums = &mut raw.classes[class.index()];
                sums.late = self.late[class.index()].frees.load(Ordering::Acquire);
                for (puts, sent) in heaps.iter().map(|heap| heap.frees(class)) {
                    sums.puts = sums.puts.wrapping_add(puts);
                    sums.sent = sums.sent.wrapping_add(sent);
                }
            }
            for class in self.classes().all() {
                self.add_gets(&mut raw.classes[class.index()], class, heaps);
            }
        });
        raw
    }

    fn add_gets(&self, sums: &mut Sums, class: Class, heaps: &[&'static crate::heap::Heap]) {
        let late = &self.late[class.index()];
        sums.gets = late.gets.load(Ordering::Relaxed);
        sums.misses = late.misses.load(Ordering::Relaxed);
        for (takes, misses) in heaps.iter().map(|heap| heap.gets(class)) {
            sums.gets = sums.gets.wrapping_add(takes);
            sums.misses = sums.misses.wrapping_add(misses);
        }
    }

    pub(crate) fn stats(&self) -> Stats {
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
                    remote_frees: since(now.sent, then.sent) + since(now.late, then.late),
                    outstanding: now.outstanding() as u64,
                }
            })
            .collect();
        let sum = |f: fn(&ClassStats) -> u64| classes.iter().map(f).sum::<u64>();
        let (gets, misses) = (sum(|c| c.gets), sum(|c| c.misses));
        let footprints = self.classes().all().map(|class| self.footprint(class) as u64);
        let in_use: u64 =
            classes.iter().zip(footprints).map(|(c, bytes)| c.outstanding * bytes).sum();
        Stats {
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
