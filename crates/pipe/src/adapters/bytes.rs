//! Copying in and out, for the traits of tokio and of `futures-io`.

use super::turn::in_turn;
use crate::{
    PipeError, Read, Reader, Writer,
    io::{at_reader, interrupted},
};
use aqueduct_sequence::SequenceRef;
use std::{
    io,
    task::{Context, Poll, ready},
};

impl Reader {
    /// Waits until a byte is there that is not consumed, examined or not, and shows all that are;
    /// none at the end.
    pub(super) fn poll_some(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<SequenceRef<'_>>> {
        let read = in_turn(context, |context| {
            self.poll_read_at_least(context, 1).map_ok(|read| matches!(read, Read::Cancelled(_)))
        });
        let found = match ready!(read) {
            Ok(false) => Ok(()),
            Ok(true) => Err(interrupted()),
            Err(refused) => Err(at_reader(refused)),
        };
        Poll::Ready(found.map(|()| self.intake.list().as_ref()))
    }

    /// Gives the first bytes that are there, as many as `room`, to `put`, piece by piece, and consumes
    /// them. With no room it waits for bytes all the same.
    pub(super) fn poll_copy_out(
        &mut self,
        context: &mut Context<'_>,
        room: usize,
        put: impl FnMut(&[u8]),
    ) -> Poll<io::Result<usize>> {
        let bytes = ready!(self.poll_some(context))?;
        let count = room.min(bytes.len());
        bytes.slice(..count).segments().for_each(put);
        if count > 0 {
            self.consume(count);
        }
        Poll::Ready(Ok(count))
    }
}

impl Writer {
    /// Waits while the reader has enough or the pipe is full, then copies as many of the bytes as there
    /// is room for, at most the pipe's pause, and shows them to the reader. All or nothing is done when
    /// it is ready.
    pub(super) fn poll_copy_in<'b>(
        &mut self,
        context: &mut Context<'_>,
        parts: impl Iterator<Item = &'b [u8]>,
    ) -> Poll<Result<usize, PipeError>> {
        let _ = ready!(in_turn(context, |context| self.poll_room(context)))?;
        let most = usize::try_from(self.shared.limits.pause).unwrap_or(usize::MAX);
        let mut done = 0;
        for part in parts {
            let mut rest = &part[..part.len().min(most - done)];
            while !rest.is_empty() {
                match self.reserve(1) {
                    Ok(mut slot) => {
                        let count = slot.put(rest);
                        (done, rest) = (done + count, &rest[count..]);
                    }
                    Err(refused) if done == 0 => return Poll::Ready(Err(refused)),
                    Err(_) => {
                        // What there was room for is written; the next call meets the error.
                        self.publish();
                        return Poll::Ready(Ok(done));
                    }
                }
            }
        }
        self.publish();
        Poll::Ready(Ok(done))
    }
}
