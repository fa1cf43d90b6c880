//! [`PipeStats`]: what a pipe has been through.

use crate::shared::Shared;
use aqueduct_base::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// What a pipe has been through, as either half sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipeStats {
    /// Bytes flushed and not yet consumed.
    pub buffered: u64,
    /// The most that [`buffered`](Self::buffered) was after a flush.
    pub peak: u64,
    /// How often the writer paused.
    pub pauses: u64,
    /// For how long it did; a pause that lasts is not counted yet.
    pub paused: Duration,
}

impl Shared {
    pub(crate) fn stats(&self) -> PipeStats {
        // Consumed first: it never overtakes what is flushed.
        let consumed = self.consumed().load(Relaxed);
        PipeStats {
            buffered: self.flushed.load().total().saturating_sub(consumed),
            peak: self.tally.peak.load(Relaxed),
            pauses: self.tally.pauses.load(Relaxed),
            paused: Duration::from_nanos(self.tally.paused_nanos.load(Relaxed)),
        }
    }
}
