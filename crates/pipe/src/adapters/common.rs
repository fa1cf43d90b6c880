//! What all that writes to a pipe has in common.

#[cfg(any(feature = "tokio", feature = "futures-io", feature = "stream"))]
use crate::gate::CLOSED;
use crate::{Flush, PipeError, PipeErrorKind, Writer};
use std::task::{Context, Poll, ready};

impl Writer {
    /// Flushes, and takes an interrupt for an error.
    pub(super) fn poll_wanted(&mut self, context: &mut Context<'_>) -> Poll<Result<(), PipeError>> {
        Poll::Ready(match ready!(self.poll_flush(context))? {
            Flush::Done => Ok(()),
            Flush::Cancelled => Err(PipeErrorKind::Interrupted.into()),
        })
    }

    /// As [`poll_wanted`](Self::poll_wanted); then waits while the pipe is full, and says how many bytes
    /// there is room for: at least one.
    pub(crate) fn poll_room(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, PipeError>> {
        ready!(self.poll_wanted(context))?;
        match self.allowed(1) {
            Err(refused) if matches!(refused.kind(), PipeErrorKind::Full { .. }) => {}
            found => return Poll::Ready(found),
        }
        Poll::Ready(match ready!(self.poll_ready(context, 1))? {
            Flush::Done => self.allowed(1),
            Flush::Cancelled => Err(PipeErrorKind::Interrupted.into()),
        })
    }

    /// Finishes.
    ///
    /// # Errors
    ///
    /// That the reader is gone, when there was something left to be flushed.
    #[cfg(any(feature = "tokio", feature = "futures-io", feature = "stream"))]
    pub(super) fn shut_down(&mut self) -> Result<(), PipeError> {
        let lost = self.unflushed() > 0 && self.shared.examined.load().has(CLOSED);
        let done = if lost { Err(self.shut()) } else { Ok(()) };
        self.finish_in_place();
        done
    }
}
