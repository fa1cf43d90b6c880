//! Rings of bytes for one writer and one reader, who looks into them.

use async_ringbuf::traits::{AsyncConsumer, AsyncProducer, Consumer, Producer, Split};
use async_ringbuf::{AsyncHeapCons, AsyncHeapProd, AsyncHeapRb};
use bbqueue::nicknames::YakiNiku;
use bbqueue::prod_cons::stream::{StreamConsumer, StreamProducer};
use bbqueue::traits::storage::BoxedSlice;
use rtrb::RingBuffer;

use super::{Pipe, Waits};

/// What a ring at which nobody can wait does less.
const NO_WAITING: &str = "a ring, no handles, and nobody can wait";

/// `async-ringbuf`.
#[derive(Debug)]
pub struct AsyncRing;

impl Pipe for AsyncRing {
    const KEY: &'static str = "async-ringbuf";
    const NOTE: &'static str = "a ring, no handles";
    type Writer = AsyncHeapProd<u8>;
    type Reader = AsyncHeapCons<u8>;

    fn new(room: usize) -> (Self::Writer, Self::Reader) {
        AsyncHeapRb::new(room).split()
    }

    #[inline(always)]
    fn put(writer: &mut Self::Writer, bytes: &[u8]) -> bool {
        writer.push_slice(bytes) == bytes.len()
    }

    #[inline(always)]
    fn drain(reader: &mut Self::Reader, mut see: impl FnMut(&[u8])) -> usize {
        let (front, back) = reader.as_slices();
        see(front);
        see(back);
        let count = front.len() + back.len();
        reader.skip(count)
    }
}

impl Waits for AsyncRing {
    #[inline(always)]
    async fn send(writer: &mut Self::Writer, bytes: &[u8]) -> bool {
        writer.push_exact(bytes).await.is_ok()
    }

    #[inline(always)]
    async fn receive(reader: &mut Self::Reader, see: impl FnMut(&[u8]) + Send) -> usize {
        if reader.wait_occupied(1).await.is_ok() { Self::drain(reader, see) } else { 0 }
    }
}

/// `rtrb`.
#[derive(Debug)]
pub struct Rtrb;

impl Pipe for Rtrb {
    const KEY: &'static str = "rtrb";
    const NOTE: &'static str = NO_WAITING;
    type Writer = rtrb::Producer<u8>;
    type Reader = rtrb::Consumer<u8>;

    fn new(room: usize) -> (Self::Writer, Self::Reader) {
        RingBuffer::new(room)
    }

    #[inline(always)]
    fn put(writer: &mut Self::Writer, bytes: &[u8]) -> bool {
        writer.push_entire_slice(bytes).is_ok()
    }

    #[inline(always)]
    fn drain(reader: &mut Self::Reader, mut see: impl FnMut(&[u8])) -> usize {
        let Ok(chunk) = reader.read_chunk(reader.slots()) else { return 0 };
        let (front, back) = chunk.as_slices();
        see(front);
        see(back);
        let count = chunk.len();
        chunk.commit_all();
        count
    }
}

/// `bbqueue`: what is written or read lies in one piece, which the ring lends.
#[derive(Debug)]
pub struct BipBuffer;

/// Shared by reference, which spares each loan the count of an `Arc`; so it lives for good.
type Queue = &'static YakiNiku;

impl Pipe for BipBuffer {
    const KEY: &'static str = "bbqueue";
    const NOTE: &'static str = NO_WAITING;
    type Writer = StreamProducer<Queue>;
    type Reader = StreamConsumer<Queue>;

    /// A line of the cache more than the room, since its two ends never meet while it is wrapped.
    fn new(room: usize) -> (Self::Writer, Self::Reader) {
        let storage = BoxedSlice::new(room + 64);
        let queue: Queue = Box::leak(Box::new(YakiNiku::new_with_storage(storage)));
        (queue.stream_producer(), queue.stream_consumer())
    }

    #[inline(always)]
    fn put(writer: &mut Self::Writer, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let Ok(mut room) = writer.grant_max_remaining(bytes.len()) else { return false };
            let (now, later) = bytes.split_at(room.len());
            room.copy_from_slice(now);
            room.commit(now.len());
            bytes = later;
        }
        true
    }

    #[inline(always)]
    fn drain(reader: &mut Self::Reader, mut see: impl FnMut(&[u8])) -> usize {
        let mut seen = 0;
        while let Ok(bytes) = reader.read() {
            see(&bytes);
            let count = bytes.len();
            bytes.release(count);
            seen += count;
        }
        seen
    }
}
