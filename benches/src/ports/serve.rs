//! The file server of the .NET patterns as a port: a large file, to ten clients at once.

use std::error::Error;
use std::time::Duration;

use ::patterns::serve::Way;

use super::{Answer, Mode, loaded, memory};
use crate::folder::Folder;
use crate::serve::load::Load;
use crate::serve::{CLIENTS, FILE, NAME, start};

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
    load.most = Some(rss_before_bytes);
    let workload = format!(
        "a file of {} MiB, over HTTP to {CLIENTS} clients at once; its memory without the pages of files",
        FILE >> 20
    );
    let budget = (BATCH, budget);
    let answer =
        loaded::timed(workload, "files/s", rss_before_bytes, budget, |count, latencies| {
            load.run(count, latencies)
        })?;
    Ok(Answer { peak_rss_bytes: load.most.unwrap_or(0), ..answer })
}

/// Allocations per file.
pub(super) fn counted(mode: Mode) -> Result<f64, Box<dyn Error>> {
    let folder = Folder::new()?;
    folder.file(NAME, FILE)?;
    let server = start(&folder, mode.into())?;
    let mut load = Load::connect(server.address(), 1, FILE)?;
    loaded::counted(1, COUNTED, |count, latencies| load.run(count, latencies))
}

impl From<Mode> for Way {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Copying => Self::ReadAll,
            Mode::ZeroCopy => Self::Sendfile,
        }
    }
}
