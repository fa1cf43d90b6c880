//! Between a pipe and a byte stream: [`Writer::fill_from`] and [`Reader::drain_to`].

use super::{
    common::{LEAST, PIECES, lied},
    turn::in_turn,
};
use crate::{
    Flush, PipeError, PipeErrorKind, Read, Reader, Writer,
    io::{at_reader, interrupted},
    output::Output,
};
use aqueduct_base::sync::atomic::Ordering::Acquire;
use std::{
    future::poll_fn,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

impl Writer {
    /// Waits while the reader has enough or the pipe is full, then until `source` has something, reads
    /// once into the pipe's own memory, and shows that to the reader. Gives how many bytes; zero at the
    /// source's end, which is not passed on: [`finish`](Self::finish) does that.
    ///
    /// While the source has nothing, the pipe holds no open block: an idle connection costs none.
    /// (A block whose bytes the reader has not consumed yet stays open for what comes next, if they
    /// are not all of the pipe's; else each short message would take a block of its own.)
    ///
    /// Dropping the future loses nothing: what was read is flushed in the same step.
    ///
    /// A source is trusted to have written what it says: it gets the block's room as it is, initialised and
    /// not cleared, as by tokio's [`ReadBuf::new`] of a buffer that was used before. One that says more shows what
    /// the block held. Who cannot trust it uses a pool that scrubs (which leaves what this pipe itself had in the
    /// block), or [`fill_from_blocking`](Self::fill_from_blocking), which clears its room.
    ///
    /// ```
    /// use aqueduct_pipe::{Reader, Writer};
    /// use std::io;
    /// use tokio::{io::AsyncRead, io::AsyncWrite, join};
    ///
    /// async fn receive(mut writer: Writer, mut from: impl AsyncRead + Unpin) -> io::Result<()> {
    ///     while writer.fill_from(&mut from).await? > 0 {}
    ///     writer.finish();
    ///     Ok(())
    /// }
    ///
    /// async fn send(mut reader: Reader, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    ///     while reader.drain_to(&mut to).await? > 0 {}
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// The source's. `BrokenPipe` as soon as the reader is gone, also while the source has nothing; an
    /// interrupt of this half, and what [`reserve`](Self::reserve) refuses, as the [conversion](io::Error)
    /// of [`PipeError`] says. `InvalidData` from a source that answers more than it was asked for.
    ///
    /// A source is asked with room at hand, so at the hard limit of the pool it is `OutOfMemory`
    /// also while the source has nothing. Nothing is lost: try again when blocks have come back. Who
    /// waits for the socket first (`readable` of tokio's) asks for a block only when there are bytes.
    pub async fn fill_from<S>(&mut self, source: &mut S) -> io::Result<usize>
    where
        S: AsyncRead + Unpin + ?Sized,
    {
        poll_fn(|context| self.poll_fill_from(context, Pin::new(&mut *source))).await
    }

    /// What [`fill_from`](Self::fill_from) polls.
    pub fn poll_fill_from<S>(
        &mut self,
        context: &mut Context<'_>,
        source: Pin<&mut S>,
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncRead + ?Sized,
    {
        in_turn(context, |context| self.poll_read_in(context, source))
    }

    fn poll_read_in<S>(
        &mut self,
        context: &mut Context<'_>,
        source: Pin<&mut S>,
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncRead + ?Sized,
    {
        let allowed = ready!(self.poll_room(context))?;
        let size = self.output.size;
        let least = LEAST.min(size / 4).min(allowed);
        let mut slot = self.reserve(least)?;
        let mut room = ReadBuf::new(slot.room());
        let read = source.poll_read(context, &mut room);
        let count = room.filled().len();
        match read {
            Poll::Ready(Ok(())) if count > slot.len() => {
                Poll::Ready(Err(lied("source", count, slot.len())))
            }
            Poll::Ready(Ok(())) if count > 0 => {
                let full = count == slot.len();
                slot.commit(count);
                self.show(count, full);
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {
                self.let_go(size);
                again(context)
            }
            Poll::Ready(ended) => {
                self.let_go(size);
                Poll::Ready(ended.map(|()| 0))
            }
            Poll::Pending => self.poll_idle(context, size).map(|stop| Err(stop.into())),
        }
    }

    /// While the source has nothing: lets go of the open block as soon as no block before it is held,
    /// and waits for the reader to be gone or for an interrupt.
    fn poll_idle(&mut self, context: &mut Context<'_>, size: usize) -> Poll<PipeError> {
        if self.lags() {
            // Each decision of the reader wakes this. Only then is it looked at again.
            match self.poll_drained(context) {
                Poll::Ready(Ok(Flush::Cancelled)) => {
                    return Poll::Ready(PipeErrorKind::Interrupted.into());
                }
                Poll::Ready(Err(refused)) => return Poll::Ready(refused),
                Poll::Ready(Ok(Flush::Done)) | Poll::Pending => {}
            }
            if self.lags() {
                return Poll::Pending;
            }
        }
        self.let_go(size);
        self.poll_deserted(context)
    }

    /// Whether the reader still has bytes of an earlier block than the open one, which has some, too.
    fn lags(&self) -> bool {
        let Output { begun, flushed, .. } = self.output;
        begun < flushed && self.shared.consumed().load(Acquire) < begun && self.output.spare() > 0
    }
}

impl Reader {
    /// Waits for bytes and writes those that are there to `sink`, all segments at once where it takes
    /// vectored writes. Consumes what was written, however little, and gives how many bytes it was; zero
    /// at the end. The sink is flushed whenever the pipe has nothing for it, and at the end, whether
    /// the writer finished or not; it is not shut down.
    ///
    /// Nothing is copied. Dropping the future loses nothing: a byte is consumed in the same step in
    /// which the sink takes it.
    ///
    /// # Errors
    ///
    /// The sink's; `WriteZero` if it takes nothing, `InvalidData` if it answers more than it was
    /// given. `UnexpectedEof` after all bytes, when the writer did not finish; an interrupt of this half,
    /// also while the sink is busy. What was not written is still there.
    pub async fn drain_to<S>(&mut self, sink: &mut S) -> io::Result<usize>
    where
        S: AsyncWrite + Unpin + ?Sized,
    {
        poll_fn(|context| self.poll_drain_to(context, Pin::new(&mut *sink))).await
    }

    /// What [`drain_to`](Self::drain_to) polls.
    pub fn poll_drain_to<S>(
        &mut self,
        context: &mut Context<'_>,
        sink: Pin<&mut S>,
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite + ?Sized,
    {
        in_turn(context, |context| self.poll_write_out(context, sink))
    }

    fn poll_write_out<S>(
        &mut self,
        context: &mut Context<'_>,
        mut sink: Pin<&mut S>,
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite + ?Sized,
    {
        let view = match self.poll_read_at_least(context, 1) {
            Poll::Ready(Ok(Read::Data(view) | Read::Eof(view))) if !view.is_empty() => view,
            Poll::Ready(Ok(Read::Cancelled(_))) => return Poll::Ready(Err(interrupted())),
            Poll::Ready(Ok(_)) => return self.poll_last_flush(context, sink, Ok(0)),
            Poll::Ready(Err(refused)) => {
                return self.poll_last_flush(context, sink, Err(at_reader(refused)));
            }
            Poll::Pending => {
                return match sink.poll_flush(context) {
                    Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => {
                        again(context)
                    }
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    _ => Poll::Pending,
                };
            }
        };
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let most = if sink.is_write_vectored() { PIECES } else { 1 };
        let filled = view.seq().fill_io_slices(&mut pieces[..most]);
        let pieces = &pieces[..filled];
        let offered = pieces.iter().map(|piece| piece.len()).sum();
        let written = match pieces {
            [piece] => sink.as_mut().poll_write(context, piece),
            pieces => sink.as_mut().poll_write_vectored(context, pieces),
        };
        match written {
            Poll::Ready(Ok(0)) => Poll::Ready(Err(ErrorKind::WriteZero.into())),
            Poll::Ready(Ok(count)) if count > offered => {
                Poll::Ready(Err(lied("sink", count, offered)))
            }
            Poll::Ready(Ok(count)) => {
                view.consume(count);
                Poll::Ready(Ok(count))
            }
            refused => self.poll_busy(context, refused),
        }
    }

    /// Flushes the sink behind the last byte, then says how the pipe `ended`.
    fn poll_last_flush<S>(
        &mut self,
        context: &mut Context<'_>,
        sink: Pin<&mut S>,
        ended: io::Result<usize>,
    ) -> Poll<io::Result<usize>>
    where
        S: AsyncWrite + ?Sized,
    {
        match sink.poll_flush(context) {
            Poll::Ready(Ok(())) => Poll::Ready(ended),
            refused => self.poll_busy(context, refused),
        }
    }

    /// When the sink did nothing: passes its error on, repeats what the system interrupted, or waits for
    /// it and heeds an interrupt.
    fn poll_busy<T>(
        &mut self,
        context: &mut Context<'_>,
        refused: Poll<io::Result<T>>,
    ) -> Poll<io::Result<usize>> {
        match refused {
            Poll::Ready(Err(error)) if error.kind() == ErrorKind::Interrupted => again(context),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            _ if self.is_interrupted(context) => Poll::Ready(Err(interrupted())),
            _ => Poll::Pending,
        }
    }
}

/// The system's call was interrupted: the next poll repeats it.
fn again<T>(context: &Context<'_>) -> Poll<T> {
    context.waker().wake_by_ref();
    Poll::Pending
}
