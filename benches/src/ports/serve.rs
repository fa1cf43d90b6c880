//! The file server of the .NET patterns as a port: a large file, to ten clients at once.

use std::error::Error;
use std::time::{Duration, Instant};

use ::patterns::serve::Way;
use aqueduct::meter;

use super::{Answer, Mode, memory};
use crate::alloc::allocations;
use crate::folder::Folder;
use crate::serve::load::Load;
use crate::serve::{CLIENTS, FILE, NAME, start};
use crate::web::load::latencies;

/// Files between two looks at the clock.
const BATCH: u64 = CLIENTS as u64;

/// Files of the pass that counts allocations.
const COUNTED: u64 = 4 * BATCH;

pub(super) fn timed(mode: Mode, budget: Duration) -> Result<Answer, Box<dyn Error>> {
    let folder = Folder::new()?;
    folder.file(NAME, FILE)?;
    let server = start(&folder, mode.into())?;
    let rss_before_bytes = memory("RssAnon");
    let mut load = Load::connect(server.address(), CLIENTS, FILE)?;
    let mut latencies = latencies()?;
    load.most = Some(rss_before_bytes);
    let before = meter::process();
    let begun = Instant::now();
    while begun.elapsed() < budget {
        load.run(BATCH, &mut latencies)?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let copied = meter::process() - before;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let float = |count: u64| count as f64;
    let files = float(latencies.len());
    Ok(Answer {
        workload: format!(
            "a file of {} MiB, over HTTP to {CLIENTS} clients at once; its memory without the pages of files",
            FILE >> 20
        ),
        unit: "files/s".into(),
        throughput: files / seconds,
        p50_ns: float(latencies.value_at_quantile(0.5)),
        p99_ns: float(latencies.value_at_quantile(0.99)),
        bytes_copied_per_op: float(copied.bytes) / files,
        copies_per_op: float(copied.copies) / files,
        inlined_per_op: float(copied.inlined) / files,
        allocations_per_op: 0.0,
        rss_before_bytes,
        peak_rss_bytes: load.most.unwrap_or(0),
    })
}

/// Allocations per file. The load makes none.
pub(super) fn counted(mode: Mode) -> Result<f64, Box<dyn Error>> {
    let folder = Folder::new()?;
    folder.file(NAME, FILE)?;
    let server = start(&folder, mode.into())?;
    let mut load = Load::connect(server.address(), 1, FILE)?;
    let mut latencies = latencies()?;
    let before = allocations();
    load.run(COUNTED, &mut latencies)?;
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    Ok((allocations() - before) as f64 / COUNTED as f64)
}

impl From<Mode> for Way {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::ReadAll,
            Mode::ZeroCopy => Self::Sendfile,
        }
    }
}
