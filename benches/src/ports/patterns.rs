//! The scenarios of the .NET patterns as ports.

use std::error::Error;
use std::time::Duration;

use ::patterns::{self as example, Scenario};

use super::{Answer, Mode, memory};
use crate::alloc::allocations;

pub(super) fn timed(
    scenario: Scenario,
    mode: Mode,
    budget: Duration,
) -> Result<Answer, Box<dyn Error>> {
    let rss_before_bytes = memory("VmRSS");
    let measured = example::measure(scenario, mode.into(), budget)?;
    Ok(Answer {
        workload: measured.workload,
        unit: measured.unit.into(),
        throughput: measured.throughput,
        p50_ns: measured.p50_ns,
        p99_ns: measured.p99_ns,
        bytes_copied_per_op: measured.bytes_copied_per_op,
        copies_per_op: measured.copies_per_op,
        inlined_per_op: measured.inlined_per_op,
        rss_before_bytes,
        peak_rss_bytes: memory("VmHWM"),
        ..Answer::default()
    })
}

/// Allocations per operation over at least this many of them.
pub(super) fn counted(
    scenario: Scenario,
    mode: Mode,
    operations: u64,
) -> Result<f64, Box<dyn Error>> {
    let (mut before, mut after) = (None, 0);
    let operations = example::run_counted(scenario, mode.into(), operations, &mut || {
        before.get_or_insert_with(allocations);
        after = allocations();
    })?;
    let made = after - before.unwrap_or(after);
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    Ok(made as f64 / operations as f64)
}

impl From<Mode> for example::Mode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::Copying,
            Mode::ZeroCopy => Self::ZeroCopy,
        }
    }
}
