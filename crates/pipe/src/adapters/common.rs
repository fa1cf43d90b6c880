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
    ///
    /// A reader that has looked at all there is and keeps it waits itself, so that the pipe is
    /// refused as full, as a write would be.
    pub(crate) fn poll_room(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<usize, PipeError>> {
        ready!(self.poll_wanted(context))?;
        match self.allowed(1) {
            Err(refused) if matches!(refused.kind(), PipeErrorKind::Full { .. }) => {
                self.poll_emptied(context, refused)
            }
            found => Poll::Ready(found),
        }
    }

    #[cold]
    fn poll_emptied(
        &mut self,
        context: &mut Context<'_>,
        full: PipeError,
    ) -> Poll<Result<usize, PipeError>> {
        // Each decision of the reader wakes this. What came before it parked is looked at here.
        match self.poll_drained(context) {
            Poll::Ready(Ok(Flush::Cancelled)) => {
                return Poll::Ready(Err(PipeErrorKind::Interrupted.into()));
            }
            Poll::Ready(Err(refused)) => return Poll::Ready(Err(refused)),
            Poll::Ready(Ok(Flush::Done)) | Poll::Pending => {}
        }
        // In this order: who has looked at all has consumed before what it does not keep.
        let kept = self.shared.examined.load().total() >= self.output.flushed;
        let found = match self.allowed(1) {
            Err(_) if kept => Err(full),
            Err(_) => return Poll::Pending,
            found => found,
        };
        self.shared.examined.unpark();
        Poll::Ready(found)
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
