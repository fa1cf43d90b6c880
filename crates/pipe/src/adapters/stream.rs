//! `Stream` and `Sink`.

use super::turn::in_turn;
use crate::{
    Frame, FrameError, FrameFault, FramedReader, FramedWriter, PipeError, PipeErrorKind, Read,
    Reader, Writer,
};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use futures_core::Stream;
use futures_sink::Sink;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The bytes that are there, a segment at a time, handed over without copying.
///
/// An interrupt is an error after which the stream goes on. How the writer ended, if it did not
/// finish, is the last item.
impl Stream for Reader {
    type Item = Result<Slice, PipeError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let reader = self.get_mut();
        if reader.told {
            return Poll::Ready(None);
        }
        in_turn(context, |context| reader.poll_slice(context))
    }
}

impl Reader {
    /// The next segment, or the last error; none at the end.
    fn poll_slice(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Slice, PipeError>>> {
        let mut view = match ready!(self.poll_read_at_least(context, 1)) {
            Ok(Read::Data(view) | Read::Eof(view)) => view,
            Ok(Read::Cancelled(_)) => {
                return Poll::Ready(Some(Err(PipeErrorKind::Interrupted.into())));
            }
            Err(last) => {
                self.told = true;
                return Poll::Ready(Some(Err(last)));
            }
        };
        let count = view.seq().first().len();
        Poll::Ready((count > 0).then(|| Ok(view.take(count).into_slice())))
    }
}

/// Slices are [pushed](Writer::push) without copying, after a wait while the reader has enough or the
/// pipe is full, which flushes what came before. Closing finishes.
///
/// Who is ready takes the next slice whole, so that none is lost: one that is longer than what is free
/// goes beyond [`max_buffered`](crate::OptionsBuilder::max_buffered), and the sink is ready again when the
/// reader has consumed enough.
///
/// # Errors
///
/// As [`push`](Writer::push) and [`flush`](Writer::flush); an interrupt is one, too. Readiness is
/// [`Full`](PipeErrorKind::Full) where the reader has looked at all bytes and keeps them.
impl Sink<Slice> for Writer {
    type Error = PipeError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), PipeError>> {
        in_turn(context, |context| self.poll_room(context)).map_ok(drop)
    }

    fn start_send(mut self: Pin<&mut Self>, slice: Slice) -> Result<(), PipeError> {
        self.lift_limit(slice.len());
        let pushed = self.push(slice);
        self.restore_limit();
        Ok(pushed?)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), PipeError>> {
        self.poll_wanted(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), PipeError>> {
        Poll::Ready(self.shut_down())
    }
}

/// The frames, as [`next`](FramedReader::next) gives them.
///
/// An interrupt is an error after which the stream goes on; any other is the last item.
impl Stream for FramedReader {
    type Item = Result<Frame, FrameError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let reader = self.get_mut();
        if reader.told {
            return Poll::Ready(None);
        }
        let next = ready!(in_turn(context, |context| reader.poll_next(context)));
        let goes_on = |error: &FrameError| matches!(error.fault(), FrameFault::Cancelled);
        reader.told = next.as_ref().is_err_and(|error| !goes_on(error));
        Poll::Ready(next.transpose())
    }
}

/// Frames are [pushed](FramedWriter::push) without copying; else as slices into a
/// [`Writer`](Writer#impl-Sink<Slice>-for-Writer). One that the framing refuses is dropped; `push` would
/// give it back.
///
/// # Errors
///
/// As [`push`](FramedWriter::push) and [`flush`](FramedWriter::flush); an interrupt is one, too.
impl<F: Into<Sequence>> Sink<F> for FramedWriter {
    type Error = FrameError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), FrameError>> {
        let ready = ready!(in_turn(context, |context| self.settled().poll_room(context)));
        Poll::Ready(self.answer(ready.map(drop)))
    }

    fn start_send(mut self: Pin<&mut Self>, frame: F) -> Result<(), FrameError> {
        self.push_beyond(frame.into())
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), FrameError>> {
        let done = ready!(self.settled().poll_wanted(context));
        Poll::Ready(self.answer(done))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        let done = self.settled().shut_down();
        Poll::Ready(self.answer(done))
    }
}

impl FramedWriter {
    /// The pipe's own answer as that of a frame.
    fn answer(&self, done: Result<(), PipeError>) -> Result<(), FrameError> {
        done.map_err(|error| match error.kind() {
            PipeErrorKind::Interrupted => self.refuse(FrameFault::Cancelled),
            _ => self.refuse(error),
        })
    }
}
