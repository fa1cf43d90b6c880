//! Clocks: what a thread spent, and how long something took.

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};

/// CPU time that the calling thread has used so far, in nanoseconds.
#[must_use]
pub fn thread_cpu() -> u64 {
    read(ClockId::ThreadCPUTime)
}

/// CPU time that all threads of this process have used so far, in nanoseconds.
#[must_use]
pub fn process_cpu() -> u64 {
    read(ClockId::ProcessCPUTime)
}

fn read(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    // Both parts are never negative for these clocks.
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// CPU time in nanoseconds that `work` takes on this thread.
pub fn cpu_of(work: impl FnOnce()) -> u64 {
    let start = thread_cpu();
    work();
    thread_cpu() - start
}

/// The least that two readings in a row of [`thread_cpu`] lie apart: what reading costs by itself.
#[must_use]
pub fn reading_cost() -> u64 {
    (0..1_000).map(|_| cpu_of(|| {})).min().unwrap_or(0)
}

/// A histogram of nanoseconds that never allocates when it is written.
///
/// # Panics
///
/// Never: the bounds make sense.
#[must_use]
pub fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("1 ns to 60 s are bounds")
}
