//! From one pipe to another.

use super::turn::in_turn;
use crate::{
    PipeError, PipeErrorKind, Read, Reader, Writer,
    finally::Finally,
    io::{kind, kind_at_reader},
};
use aqueduct_sequence::SequenceRef;
use std::{
    error::Error,
    fmt,
    future::poll_fn,
    io,
    task::{Context, Poll},
};

/// Why a [`Reader::copy_to`] ended early. What was not handed over is still the reader's.
#[derive(Clone, Debug)]
pub enum CopyError {
    /// Of the pipe that was read: how its writer ended, or an interrupt of the reader.
    Read(PipeError),
    /// Of the pipe that was written: its reader is gone, it is full, or an interrupt of the writer.
    Write(PipeError),
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(refused) => write!(f, "reading: {refused}"),
            Self::Write(refused) => write!(f, "writing: {refused}"),
        }
    }
}

impl Error for CopyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Read(refused) | Self::Write(refused) => Some(refused),
        }
    }
}

impl From<CopyError> for io::Error {
    /// Wraps it. The kind is that of the pipe's error, as its own conversion has it; of the pipe that was
    /// read, `UnexpectedEof` where the writer did not finish.
    fn from(error: CopyError) -> Self {
        let kind = match &error {
            CopyError::Read(refused) => kind_at_reader(refused),
            CopyError::Write(refused) => kind(refused),
        };
        Self::new(kind, error)
    }
}

impl Reader {
    /// Hands all bytes over to another pipe until this one's writer has finished, and gives how many
    /// they were. Neither end is passed on: finish the other writer, or copy more into it.
    ///
    /// Segments go over as handles, at some ten nanoseconds each, whatever their length; only those
    /// that would fit [inline](aqueduct_slice::Slice::INLINE) are copied. It waits while the other
    /// reader has enough or that pipe is full, and ends early when that one is gone.
    ///
    /// Dropping the future loses nothing: what was handed over is flushed, the rest is still here.
    ///
    /// # Errors
    ///
    /// [`CopyError`] says of which pipe; nothing is lost then, either.
    pub async fn copy_to(&mut self, to: &mut Writer) -> Result<u64, CopyError> {
        let mut copied = 0;
        loop {
            match poll_fn(|context| self.poll_copy_to(context, to)).await? {
                0 => return Ok(copied),
                count => copied += count as u64,
            }
        }
    }

    /// What [`copy_to`](Self::copy_to) polls: hands over what is there, once, and gives how many bytes
    /// that were; zero at the end.
    pub fn poll_copy_to(
        &mut self,
        context: &mut Context<'_>,
        to: &mut Writer,
    ) -> Poll<Result<usize, CopyError>> {
        in_turn(context, |context| self.poll_hand_over(context, to))
    }

    fn poll_hand_over(
        &mut self,
        context: &mut Context<'_>,
        to: &mut Writer,
    ) -> Poll<Result<usize, CopyError>> {
        let view = match self.poll_read_at_least(context, 1) {
            Poll::Ready(Ok(Read::Data(view) | Read::Eof(view))) => view,
            Poll::Ready(Ok(Read::Cancelled(_))) => {
                return Poll::Ready(Err(CopyError::Read(PipeErrorKind::Interrupted.into())));
            }
            Poll::Ready(Err(refused)) => return Poll::Ready(Err(CopyError::Read(refused))),
            Poll::Pending => return to.poll_deserted(context).map(|e| Err(CopyError::Write(e))),
        };
        if view.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let done = match to.poll_room(context) {
            Poll::Ready(found) => found.and_then(|room| hand_over(view.seq(), room, to)),
            Poll::Pending => {
                let stop = self.is_interrupted(context);
                let stop = stop.then(|| CopyError::Read(PipeErrorKind::Interrupted.into()));
                return stop.map_or(Poll::Pending, |stop| Poll::Ready(Err(stop)));
            }
        };
        let count = done.map_err(CopyError::Write)?;
        // Both are done even if one panics: what is handed over is here no more, and flushed there.
        let _flushed = Finally(|| to.publish());
        view.consume(count);
        Poll::Ready(Ok(count))
    }
}

/// Pushes as many of the bytes as there is room for, at least one.
fn hand_over(bytes: SequenceRef<'_>, room: usize, to: &mut Writer) -> Result<usize, PipeError> {
    let mut rest = bytes.slice(..room.min(bytes.len()));
    let mut done = 0;
    while !rest.is_empty() {
        let (first, behind) = (rest.first().len(), rest.len());
        match to.push(rest.slice(..first).to_sequence().into_slice()) {
            Ok(()) => (done, rest) = (done + first, rest.slice(first..behind)),
            Err(refused) if done == 0 => return Err(refused.error),
            Err(_) => break, // the next call meets it
        }
    }
    Ok(done)
}
