//! What all traits that write have in common.

use crate::{Flush, PipeError, PipeErrorKind, Writer, gate::CLOSED};
use std::task::{Context, Poll, ready};

impl Writer {
    /// Flushes, and takes an interrupt for an error.
    pub(super) fn poll_wanted(&mut self, context: &mut Context<'_>) -> Poll<Result<(), PipeError>> {
        Poll::Ready(match ready!(self.poll_flush(context))? {
            Flush::Done => Ok(()),
            Flush::Cancelled => Err(PipeErrorKind::Interrupted.into()),
        })
    }

    /// Finishes.
    ///
    /// # Errors
    ///
    /// That the reader is gone, when there was something left to be flushed.
    pub(super) fn shut_down(&mut self) -> Result<(), PipeError> {
        let lost = self.unflushed() > 0 && self.shared.examined.load().has(CLOSED);
        let done = if lost { Err(self.shut()) } else { Ok(()) };
        self.finish_in_place();
        done
    }
}
