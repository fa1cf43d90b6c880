//! Tokio's two pipes in memory: each write is seen at once, each read copies.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use aqueduct::SliceMut;
use tokio::io::{
    self, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, ReadHalf,
    SimplexStream, WriteHalf,
};

use super::{Pipe, Waits, aligned};

/// Both directions, of which one is used.
#[derive(Debug)]
pub struct Duplex;

/// One direction, in halves.
#[derive(Debug)]
pub struct Simplex;

/// What the two differ in.
pub trait Ends: 'static {
    /// The key in the report.
    const KEY: &'static str;
    /// The end that is written to.
    type Writer: AsyncWrite + Unpin + Send + 'static;
    /// The end that is read.
    type Reader: AsyncRead + Unpin + Send + 'static;

    /// Both ends of a pipe with room for this many bytes.
    fn ends(room: usize) -> (Self::Writer, Self::Reader);
}

impl Ends for Duplex {
    const KEY: &'static str = "tokio-duplex";
    type Writer = DuplexStream;
    type Reader = DuplexStream;

    fn ends(room: usize) -> (DuplexStream, DuplexStream) {
        io::duplex(room)
    }
}

impl Ends for Simplex {
    const KEY: &'static str = "tokio-simplex";
    type Writer = WriteHalf<SimplexStream>;
    type Reader = ReadHalf<SimplexStream>;

    fn ends(room: usize) -> (Self::Writer, Self::Reader) {
        let (reader, writer) = io::simplex(room);
        (writer, reader)
    }
}

impl<E: Ends> Pipe for E {
    const KEY: &'static str = E::KEY;
    const NOTE: &'static str = "its reader copies";
    type Writer = E::Writer;
    type Reader = (E::Reader, SliceMut);

    fn new(room: usize) -> (Self::Writer, Self::Reader) {
        let (writer, reader) = E::ends(room);
        (writer, (reader, aligned(room)))
    }

    #[inline(always)]
    fn put(writer: &mut Self::Writer, bytes: &[u8]) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        let written = Pin::new(writer).poll_write(&mut context, bytes);
        matches!(written, Poll::Ready(Ok(count)) if count == bytes.len())
    }

    /// One read takes all that is there: there is as much room as in the pipe.
    #[inline(always)]
    fn drain((reader, to): &mut Self::Reader, mut see: impl FnMut(&[u8])) -> usize {
        let mut buffer = ReadBuf::new(to);
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(reader).poll_read(&mut context, &mut buffer) {
            Poll::Ready(Ok(())) => see(buffer.filled()),
            _ => return 0,
        }
        buffer.filled().len()
    }
}

impl<E: Ends> Waits for E {
    #[inline(always)]
    async fn send(writer: &mut Self::Writer, bytes: &[u8]) -> bool {
        writer.write_all(bytes).await.is_ok()
    }

    #[inline(always)]
    async fn receive((reader, to): &mut Self::Reader, mut see: impl FnMut(&[u8]) + Send) -> usize {
        let count = reader.read(to).await.unwrap_or(0);
        see(&to[..count]);
        count
    }

    /// A half that is dropped ends nothing, since the other still holds the whole.
    fn end(mut writer: Self::Writer) {
        let mut context = Context::from_waker(Waker::noop());
        let ended = Pin::new(&mut writer).poll_shutdown(&mut context);
        assert!(ended.is_ready(), "a pipe in memory ends at once");
    }
}
