//! `piper`, the pipe of smol: a ring of bytes, read by copying or by looking.

use std::future::poll_fn;
use std::task::{Context, Waker};

use aqueduct::SliceMut;
use piper::{Reader, Writer};

use super::{Pipe, Waits, aligned};

/// Its reader copies out.
#[derive(Debug)]
pub struct Piper;

/// Its reader looks into the ring.
#[derive(Debug)]
pub struct PiperPeek;

impl Pipe for Piper {
    const KEY: &'static str = "piper";
    const NOTE: &'static str = "its reader copies";
    type Writer = Writer;
    type Reader = (Reader, SliceMut);

    fn new(room: usize) -> (Writer, Self::Reader) {
        let (reader, writer) = piper::pipe(room);
        (writer, (reader, aligned(room)))
    }

    #[inline(always)]
    fn put(writer: &mut Writer, bytes: &[u8]) -> bool {
        put(writer, bytes) == bytes.len()
    }

    #[inline(always)]
    fn drain((reader, to): &mut Self::Reader, mut see: impl FnMut(&[u8])) -> usize {
        let count = reader.try_drain(to);
        see(&to[..count]);
        count
    }
}

impl Waits for Piper {
    #[inline(always)]
    async fn send(writer: &mut Writer, bytes: &[u8]) -> bool {
        send(writer, bytes).await
    }

    #[inline(always)]
    async fn receive((reader, to): &mut Self::Reader, mut see: impl FnMut(&[u8]) + Send) -> usize {
        let count = poll_fn(|context| reader.poll_drain_bytes(context, to)).await;
        see(&to[..count]);
        count
    }
}

impl Pipe for PiperPeek {
    const KEY: &'static str = "piper-peek";
    const NOTE: &'static str = "a ring, no handles";
    type Writer = Writer;
    type Reader = Reader;

    fn new(room: usize) -> (Writer, Reader) {
        let (reader, writer) = piper::pipe(room);
        (writer, reader)
    }

    #[inline(always)]
    fn put(writer: &mut Writer, bytes: &[u8]) -> bool {
        Piper::put(writer, bytes)
    }

    #[inline(always)]
    fn drain(reader: &mut Reader, mut see: impl FnMut(&[u8])) -> usize {
        // Only a poll looks for more, and it leaves its waker where nothing is there.
        let mut context = Context::from_waker(Waker::noop());
        let mut seen = 0;
        while !reader.is_empty() && reader.poll(&mut context).is_ready() {
            seen += show(reader, &mut see);
        }
        seen
    }
}

impl Waits for PiperPeek {
    #[inline(always)]
    async fn send(writer: &mut Writer, bytes: &[u8]) -> bool {
        send(writer, bytes).await
    }

    #[inline(always)]
    async fn receive(reader: &mut Reader, mut see: impl FnMut(&[u8]) + Send) -> usize {
        if poll_fn(|context| reader.poll(context)).await { show(reader, &mut see) } else { 0 }
    }
}

/// Shows what lies in one piece up to the end of the ring.
#[inline(always)]
fn show(reader: &mut Reader, see: &mut impl FnMut(&[u8])) -> usize {
    let bytes = reader.peek_buf();
    see(bytes);
    let count = bytes.len();
    reader.consume(count);
    count
}

/// Copies into the room that the writer knows of, which its calls that fill do too, but only after
/// taking its waker back at each; one of those looks for more where it knows of none.
#[inline(always)]
fn put(writer: &mut Writer, bytes: &[u8]) -> usize {
    let mut put = 0;
    while put < bytes.len() {
        let left = &bytes[put..];
        let room = writer.write_buf(left.len());
        let mut count = room.len();
        room.copy_from_slice(&left[..count]);
        if count > 0 {
            writer.produced(count);
        } else {
            count = writer.try_fill(left);
        }
        if count == 0 {
            break;
        }
        put += count;
    }
    put
}

/// Waits only where something is left: the call that can wait also yields now and then.
#[inline(always)]
async fn send(writer: &mut Writer, bytes: &[u8]) -> bool {
    let mut sent = put(writer, bytes);
    while sent < bytes.len() {
        match poll_fn(|context| writer.poll_fill_bytes(context, &bytes[sent..])).await {
            0 => return false,
            count => sent += count,
        }
    }
    true
}
