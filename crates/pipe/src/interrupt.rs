//! [`Interrupter`]: ends a wait from outside.

use crate::{
    gate::{Gate, INTERRUPT},
    shared::Shared,
};
use aqueduct_base::sync::Arc;
use std::fmt;

/// Ends one wait of one half of a pipe, from any thread: that of
/// [`Reader::interrupter`](crate::Reader::interrupter) a read, that of
/// [`Writer::interrupter`](crate::Writer::interrupter) a flush.
///
/// Clones interrupt the same half. It outlives both, and then does nothing.
///
/// ```
/// use aqueduct_pipe::{Options, Read, pipe};
///
/// let (_writer, mut reader) = pipe(Options::default());
/// let interrupter = reader.interrupter();
/// let other = std::thread::spawn(move || interrupter.interrupt());
/// assert!(matches!(reader.read_blocking()?, Read::Cancelled(_)));
/// # other.join().unwrap();
/// # Ok::<(), aqueduct_pipe::PipeError>(())
/// ```
#[derive(Clone)]
pub struct Interrupter {
    shared: Arc<Shared>,
    /// Of the two gates, that which the half waits for.
    gate: fn(&Shared) -> &Gate,
}

impl Interrupter {
    pub(crate) fn new(shared: &Arc<Shared>, gate: fn(&Shared) -> &Gate) -> Self {
        Self { shared: Arc::clone(shared), gate }
    }

    /// The pending wait, or if there is none the next, ends as cancelled: once, however often this
    /// is called before. Nothing is lost by it.
    pub fn interrupt(&self) {
        (self.gate)(&self.shared).nudge(INTERRUPT);
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupter").finish_non_exhaustive()
    }
}
