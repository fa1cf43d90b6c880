//! The entry for reports: run a scenario, and say what it took.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use aqueduct::meter;

use crate::run::{Limit, Progress, Run};
use crate::workload::Workload;
use crate::{Error, Mode, Scenario};

/// Spent on passes that are not measured: caches, pools and branch predictors settle.
const WARM: Duration = Duration::from_millis(100);

/// What a scenario took in one mode.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// The scenario and its input.
    pub workload: String,
    /// The unit of `throughput`.
    pub unit: &'static str,
    /// Operations measured.
    pub operations: u64,
    /// Operations per second of wall time.
    pub throughput: f64,
    /// Median time of an operation. Packets are timed 256 at a time, since reading the clock takes
    /// longer than a packet: this is the median group's mean.
    pub p50_ns: f64,
    /// The time of an operation that 99 in 100 do not exceed; for packets, again, a group's mean.
    pub p99_ns: f64,
    /// Payload and header bytes copied per operation, by the meter.
    pub bytes_copied_per_op: f64,
    /// Copies per operation, by the meter.
    pub copies_per_op: f64,
    /// Short slices moved inline per operation, by the meter.
    pub inlined_per_op: f64,
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    /// About this long.
    Time(Duration),
    /// So many times over the whole input.
    Rounds(u64),
}

/// Measures a scenario on the input that comes with it for about `budget`, after a warm-up.
///
/// # Errors
///
/// Those of the scenario: a file that cannot be read, a capture that lies.
pub fn measure(scenario: Scenario, mode: Mode, budget: Duration) -> Result<Measurement, Error> {
    let mut workload = Workload::of(scenario)?;
    measure_workload(&mut workload, mode, Budget::Time(budget), &mut |_| {})
}

/// Measures `workload`; `progress` is told now and then what share is done, where that is known.
///
/// # Errors
///
/// As [`measure`]; and [`Error::Nothing`] for a capture without packets.
pub fn measure_workload(
    workload: &mut Workload,
    mode: Mode,
    budget: Budget,
    progress: &mut dyn FnMut(Option<f64>),
) -> Result<Measurement, Error> {
    let in_a_pass = warm_up(workload, mode, WARM, progress)?;
    let limit = match budget {
        Budget::Time(all) => Limit::Time(all),
        Budget::Rounds(rounds) => Limit::Operations(in_a_pass.saturating_mul(rounds.max(1))),
    };
    let mut run = Run::new(limit, workload.timed_together(), progress);
    let before = meter::thread();
    run.start();
    run_until_stopped(workload, mode, &mut run)?;
    let throughput = run.throughput();
    let copied = meter::thread() - before;
    let per_op = |n: u64| n as f64 / run.operations() as f64;
    Ok(Measurement {
        workload: workload.describe(),
        unit: workload.unit(),
        operations: run.operations(),
        throughput,
        p50_ns: run.quantile(0.5),
        p99_ns: run.quantile(0.99),
        bytes_copied_per_op: per_op(copied.bytes),
        copies_per_op: per_op(copied.copies),
        inlined_per_op: per_op(copied.inlined),
    })
}

/// Runs `operations` operations of a scenario in steady state, calling `steady` right before the
/// first and right after the last: a caller with a counting allocator reads it there. Gives the
/// number of operations in between. What comes before the first call does not depend on the clock,
/// so two runs differ by their operations alone.
///
/// # Errors
///
/// As [`measure`].
pub fn run_counted(
    scenario: Scenario,
    mode: Mode,
    operations: u64,
    steady: &mut dyn FnMut(),
) -> Result<u64, Error> {
    count_workload(&mut Workload::of(scenario)?, mode, operations, steady)
}

/// [`run_counted`] on a workload of the caller's own.
///
/// # Errors
///
/// As [`measure_workload`].
pub fn count_workload(
    workload: &mut Workload,
    mode: Mode,
    operations: u64,
    steady: &mut dyn FnMut(),
) -> Result<u64, Error> {
    let progress: &mut Progress<'_> = &mut |_| {};
    // The meter allocates a thread's counters when they are first asked for: not in `steady`.
    let _ = meter::thread();
    warm_up(workload, mode, Duration::ZERO, progress)?;
    let mut run = Run::new(Limit::Operations(operations), workload.timed_together(), progress);
    steady();
    let end = run_until_stopped(workload, mode, &mut run);
    steady();
    end.map(|()| run.operations())
}

fn run_until_stopped(workload: &mut Workload, mode: Mode, run: &mut Run<'_>) -> Result<(), Error> {
    while let ControlFlow::Continue(()) = workload.pass(mode, run)? {}
    Ok(())
}

/// One whole pass, so that bad input shows before anything is measured, then more until enough time
/// is spent (and one more in any case: the pool is stocked by the first). Gives the operations in a
/// pass.
fn warm_up(
    workload: &mut Workload,
    mode: Mode,
    spend: Duration,
    progress: &mut Progress<'_>,
) -> Result<u64, Error> {
    let begun = Instant::now();
    let mut run = Run::new(Limit::Pass, workload.timed_together(), progress);
    workload.first_pass(mode, &mut run)?;
    let in_a_pass = run.operations();
    if in_a_pass == 0 {
        return Err(Error::Nothing { name: workload.describe() });
    }
    loop {
        let _ = workload.pass(mode, &mut run)?;
        if begun.elapsed() >= spend {
            return Ok(in_a_pass);
        }
    }
}
