//! What a half heeds while something else than its pipe keeps it waiting.
//!
//! Both park at the gate first and look afterwards, so that what happens in between is seen.

use crate::{Flush, PipeError, PipeErrorKind, Read, Reader, Writer};
use std::task::{Context, Poll};

impl Writer {
    /// Waits for the reader to be gone, or for an interrupt, and says which.
    pub(super) fn poll_deserted(&mut self, context: &mut Context<'_>) -> Poll<PipeError> {
        let _ = self.poll_closed(context);
        match self.try_flush() {
            Ok(Some(Flush::Cancelled)) => Poll::Ready(PipeErrorKind::Interrupted.into()),
            Ok(_) => Poll::Pending,
            Err(refused) => Poll::Ready(refused),
        }
    }
}

impl Reader {
    /// Whether there was an interrupt, which is taken. Else the next one wakes.
    pub(super) fn is_interrupted(&mut self, context: &mut Context<'_>) -> bool {
        let _ = self.poll_closed(context);
        matches!(self.try_read(), Ok(Some(Read::Cancelled(_))))
    }
}
