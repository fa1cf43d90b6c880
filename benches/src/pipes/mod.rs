//! Pipes of bytes: one type per crate, each in the calls that its crate does best with.
//!
//! What goes in is the same for all of them, and whoever reads is shown all of it. Who can show it
//! where it lies does so; who cannot copies it out first, into a buffer of the reader's. The calls here
//! are always inlined, so that a row times what its peer's user would write there.

mod ours;
mod piper;
mod rings;
mod tokio;

use std::future::Future;
use std::hint::black_box;

use aqueduct::{Pool, SliceMut};

pub use ours::Ours;
pub use piper::{Piper, PiperPeek};
pub use rings::{AsyncRing, BipBuffer, Rtrb};
pub use tokio::{Duplex, Simplex};

/// A pipe, in the calls that do not wait.
pub trait Pipe: 'static {
    /// The key in the report.
    const KEY: &'static str;
    /// What it does less, or otherwise.
    const NOTE: &'static str;
    /// The end that is written to.
    type Writer: Send + 'static;
    /// The end that is read, with the buffer that it reads into if it needs one.
    type Reader: Send + 'static;

    /// A pipe with room for this many bytes. Ours pauses where it does by default.
    fn new(room: usize) -> (Self::Writer, Self::Reader);

    /// Writes all of `bytes` and lets the reader know; false where there was no room for all.
    fn put(writer: &mut Self::Writer, bytes: &[u8]) -> bool;

    /// Shows all that is there, piece by piece, and is done with it; tells how much that was.
    fn drain(reader: &mut Self::Reader, see: impl FnMut(&[u8])) -> usize;
}

/// A pipe whose ends can wait for each other.
pub trait Waits: Pipe {
    /// Writes all of `bytes`, lets the reader know, and waits while there is no room; false where
    /// nobody reads any more.
    fn send(writer: &mut Self::Writer, bytes: &[u8]) -> impl Future<Output = bool> + Send;

    /// Waits until there is something, shows all that is there and is done with it; tells how much
    /// that was, which is nothing at the end.
    fn receive(
        reader: &mut Self::Reader,
        see: impl FnMut(&[u8]) + Send,
    ) -> impl Future<Output = usize> + Send;

    /// Ends it; dropping does for most.
    fn end(writer: Self::Writer) {
        drop(writer);
    }
}

/// So many bytes at the start of a line of the cache. A copy from elsewhere takes up to half as long
/// again, which is no pipe's doing; so every entrant copies from, and to, such bytes where it is the
/// caller's choice.
#[must_use]
pub fn aligned(len: usize) -> SliceMut {
    let mut bytes = Pool::global().get(len);
    bytes.resize(len, 7);
    bytes
}

/// What a reader of a row does with what it is shown.
#[inline]
pub fn see(bytes: &[u8]) {
    black_box(bytes);
}

#[cfg(test)]
mod tests {
    use ::tokio::runtime::Builder;

    use super::*;

    const ROOM: usize = 4096;

    /// Some rooms full of bytes of which no two pieces are alike, whatever their lengths.
    fn stream() -> Vec<u8> {
        let words = 0..10_000_u32;
        words.flat_map(|word| word.wrapping_mul(0x9e37_79b1).to_le_bytes()).collect()
    }

    /// Fills and drains it in chunks that divide the room, as the rows do, and in others.
    fn fills<P: Pipe>() {
        for chunk in [64, ROOM, 100] {
            let (mut writer, mut reader) = P::new(ROOM);
            let (stream, mut seen) = (stream(), Vec::new());
            for window in stream.chunks(ROOM / chunk * chunk) {
                for bytes in window.chunks(chunk) {
                    assert!(P::put(&mut writer, bytes), "{}: no room in its window", P::KEY);
                }
                let count = P::drain(&mut reader, |bytes| seen.extend_from_slice(bytes));
                assert_eq!(count, window.len(), "{}", P::KEY);
            }
            assert!(seen == stream, "{} with chunks of {chunk}: other bytes came out", P::KEY);
            assert_eq!(P::drain(&mut reader, |_| ()), 0, "{}", P::KEY);
        }
    }

    /// Writer and reader as two tasks that wait for each other, at chunks below and above the room.
    fn waits<P: Waits>() {
        let runtime = Builder::new_current_thread().build().unwrap();
        for chunk in [8, 3 * ROOM] {
            let (mut writer, mut reader) = P::new(ROOM);
            runtime.spawn(async move {
                for bytes in stream().chunks(chunk) {
                    assert!(P::send(&mut writer, bytes).await);
                }
                P::end(writer);
            });
            let mut seen = Vec::new();
            let see = |bytes: &[u8]| seen.extend_from_slice(bytes);
            runtime.block_on(drained::<P>(&mut reader, see));
            assert!(seen == stream(), "{} with chunks of {chunk}: other bytes came out", P::KEY);
        }
    }

    async fn drained<P: Waits>(reader: &mut P::Reader, mut see: impl FnMut(&[u8]) + Send) {
        while P::receive(reader, &mut see).await > 0 {}
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        fills::<Ours>();
        fills::<Duplex>();
        fills::<Simplex>();
        fills::<Piper>();
        fills::<PiperPeek>();
        fills::<AsyncRing>();
        fills::<Rtrb>();
        fills::<BipBuffer>();
    }

    #[test]
    fn what_is_received_is_what_was_sent() {
        waits::<Ours>();
        waits::<Duplex>();
        waits::<Simplex>();
        waits::<Piper>();
        waits::<PiperPeek>();
        waits::<AsyncRing>();
    }
}
