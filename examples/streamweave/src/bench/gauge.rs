//! [`Gauge`]: what a node spends between two readings of the counters.

use aqueduct::meter::{self, Counts};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Items between two looks at the clock.
const LOOK: u64 = 64;

/// A clock that all processes of a machine share, in nanoseconds.
pub(super) fn now() -> u64 {
    read(ClockId::Monotonic)
}

fn read(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    // Neither part is negative for these clocks.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// What items took where they were counted, once all was warm.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Spent {
    pub(super) items: u64,
    pub(super) wall_ns: u64,
    /// Of all threads of the process.
    pub(super) cpu_ns: u64,
    pub(super) copies: u64,
    pub(super) bytes: u64,
    pub(super) inlined: u64,
    /// Of the thread that counts.
    pub(super) allocations: u64,
}

#[derive(Clone, Copy)]
struct Reading {
    at: u64,
    cpu: u64,
    counts: Counts,
    allocations: u64,
}

/// Where a gauge says what it found.
pub(super) type Said = Arc<Mutex<Spent>>;

/// Counts items that go by, from when it is warm to its end.
pub(super) struct Gauge {
    allocations: fn() -> u64,
    warm_ns: u64,
    begun: u64,
    /// When it was warm, or at the first item of all.
    first: Option<Reading>,
    warm: bool,
    seen: u64,
    /// Seen at that reading.
    before: u64,
    said: Said,
}

impl Gauge {
    /// One that is warm so many nanoseconds after its first item.
    pub(super) fn new(warm_ns: u64, allocations: fn() -> u64, said: Said) -> Self {
        // A thread's first reading allocates.
        let _ = meter::process();
        Self { allocations, warm_ns, begun: 0, first: None, warm: false, seen: 0, before: 0, said }
    }

    fn reading(&self) -> Reading {
        let (at, cpu) = (now(), read(ClockId::ProcessCPUTime));
        Reading { at, cpu, counts: meter::process(), allocations: (self.allocations)() }
    }

    /// One more. Gives the nanoseconds since it began, which is its first one or later, now and then, when it has looked.
    #[inline]
    pub(super) fn count(&mut self) -> Option<u64> {
        // Nor is a clock read then: a witness may not know the way to it.
        if self.warm_ns == u64::MAX {
            return None;
        }
        self.seen += 1;
        if self.seen % LOOK == 1 { Some(self.look()) } else { None }
    }

    fn look(&mut self) -> u64 {
        let now = now();
        if self.seen == 1 {
            self.begun = now;
        }
        let warm = !self.warm && now - self.begun >= self.warm_ns;
        // Where all come before it is warm, as they may under load, they are counted from the first.
        if warm || self.seen == 1 {
            self.before = self.seen;
            self.first = Some(self.reading());
        }
        if warm {
            self.warm = true;
            // Who was held up before is not short of time behind.
            self.begun = now - self.warm_ns;
        }
        now - self.begun
    }

    /// No more.
    pub(super) fn end(&mut self) {
        let Some(first) = self.first.take() else { return };
        let last = self.reading();
        let counts = last.counts - first.counts;
        let spent = Spent {
            items: self.seen - self.before,
            wall_ns: last.at - first.at,
            cpu_ns: last.cpu - first.cpu,
            copies: counts.copies,
            bytes: counts.bytes,
            inlined: counts.inlined,
            allocations: last.allocations - first.allocations,
        };
        *self.said.lock().unwrap_or_else(PoisonError::into_inner) = spent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_that_all_come_before_it_is_warm_are_counted_too() {
        let said = Said::default();
        let mut gauge = Gauge::new(u64::MAX - 1, || 0, said.clone());
        for _ in 0..200 {
            gauge.count();
        }
        gauge.end();
        let spent = *said.lock().expect("whole");
        assert_eq!(spent.items, 199);
        assert!(spent.wall_ns > 0);
    }
}
