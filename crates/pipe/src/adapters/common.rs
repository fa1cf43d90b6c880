//! What all that writes to a pipe has in common.

#[cfg(any(feature = "tokio", feature = "futures-io", feature = "stream"))]
use crate::gate::CLOSED;
use crate::{Flush, PipeError, PipeErrorKind, Writer};
use std::{
    io,
    task::{Context, Poll, ready},
};

/// Room that is worth a call to the system; less where blocks are small.
pub(super) const LEAST: usize = 512;
/// The most pieces of one vectored write: a kibibyte of the stack. The system takes as many at least.
pub(super) const PIECES: usize = 64;

/// A stream said that it moved more than there was.
pub(super) fn lied(who: &str, count: usize, of: usize) -> io::Error {
    let lie = format!("the {who} answered {count} bytes of {of}");
    io::Error::new(io::ErrorKind::InvalidData, lie)
}

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

    /// Shows `count` bytes that a source gave, into all of the room that it had or a part of it.
    pub(super) fn show(&mut self, count: usize, full: bool) {
        if !full {
            // The source had no more: the next block is for about as much.
            self.output.suit(count.saturating_mul(2));
        }
        self.publish();
    }

    /// Lets go of the open block. The next one is as large as it would have been without it.
    pub(super) fn let_go(&mut self, size: usize) {
        self.release();
        self.output.suit(size);
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
