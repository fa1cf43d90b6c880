//! `Stream` and `Sink`.

use crate::{PipeError, PipeErrorKind, Read, Reader, Writer};
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

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.told {
            return Poll::Ready(None);
        }
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

/// Slices are [pushed](Writer::push) without copying, after a wait while the reader has enough, which
/// flushes what came before. Closing finishes.
///
/// # Errors
///
/// As [`push`](Writer::push) and [`flush`](Writer::flush); an interrupt is one, too.
impl Sink<Slice> for Writer {
    type Error = PipeError;

    fn poll_ready(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Result<(), PipeError>> {
        self.poll_wanted(context)
    }

    fn start_send(mut self: Pin<&mut Self>, slice: Slice) -> Result<(), PipeError> {
        Ok(self.push(slice)?)
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
