//! The traits of `futures-io`.

use crate::{Duplex, Reader, Writer};
use aqueduct_base::copy;
use futures_io::{AsyncBufRead, AsyncRead, AsyncWrite};
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

/// Copies out the first bytes that are there, at once also those that were examined. A read without
/// room waits for bytes and takes none. Its errors are the [crate's](crate#adapters).
impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let (room, mut filled) = (to.len(), 0);
        let put = |piece: &[u8]| {
            copy(&mut to[filled..filled + piece.len()], piece);
            filled += piece.len();
        };
        self.poll_copy_out(context, room, put)
    }
}

/// Shows the first segment, where it lies.
///
/// # Panics
///
/// When more is consumed than there is.
impl AsyncBufRead for Reader {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_mut().poll_some(context).map_ok(|bytes| bytes.first())
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        self.get_mut().consume(count);
    }
}

/// Copies into the pipe, and shows each write to the reader at once. It waits before it takes
/// anything, while the reader has enough, and takes at most the pipe's
/// [`pause`](crate::OptionsBuilder::pause) at a time. Closing finishes. Its errors are the
/// [crate's](crate#adapters).
impl AsyncWrite for Writer {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_copy_in(context, [from].into_iter()).map_err(io::Error::from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_copy_in(context, from.iter().map(|part| &**part)).map_err(io::Error::from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_wanted(context).map_err(io::Error::from)
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shut_down().map_err(io::Error::from))
    }
}

/// As the [`reader`](Duplex::reader) reads.
impl AsyncRead for Duplex {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        to: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        AsyncRead::poll_read(Pin::new(&mut self.reader), context, to)
    }
}

/// As the [`reader`](Duplex::reader) shows.
impl AsyncBufRead for Duplex {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        AsyncBufRead::poll_fill_buf(Pin::new(&mut self.get_mut().reader), context)
    }

    fn consume(mut self: Pin<&mut Self>, count: usize) {
        self.reader.consume(count);
    }
}

/// As the [`writer`](Duplex::writer) writes. Closing ends this direction; the other goes on.
impl AsyncWrite for Duplex {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(&mut self.writer), context, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write_vectored(Pin::new(&mut self.writer), context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(Pin::new(&mut self.writer), context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_close(Pin::new(&mut self.writer), context)
    }
}
