//! Sending slices.

use super::{Op, Ring};
use crate::sys::uring::{Done, Gather, Held, ZeroCopy};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use io_uring::opcode;
use std::{fmt, io, os::fd::AsFd, sync::Arc};

/// Bytes from which on sending without copying may be worth it: the kernel's own advice is about 10 KiB,
/// below which looking pages up and telling that they are free costs more than the copy.
const WORTH: usize = 16 << 10;

impl Ring {
    /// Sends a slice to a stream socket: all of it, on Linux 5.19 and later, unless an error comes in
    /// between. The bytes that were sent. Never raises a signal.
    ///
    /// A slice that is inline is moved to a block first, which the meter counts.
    pub fn send(
        &self,
        socket: &Arc<impl AsFd + 'static>,
        slice: impl Into<Slice>,
    ) -> Op<io::Result<usize>> {
        self.start(Held::Send { slice: slice.into(), zero_copy: None }, socket, sent)
    }

    /// As [`send`](Self::send), many slices, of which the first 1024 are looked at.
    pub fn send_all(
        &self,
        socket: &Arc<impl AsFd + 'static>,
        slices: impl Into<Sequence>,
    ) -> Op<io::Result<usize>> {
        self.start(Held::Gather(Gather::new(slices.into(), None)), socket, sent)
    }

    /// Writes slices, of which the first 1024 are looked at, to a file from `offset` on. The bytes that
    /// were written: fewer than there are when the disk is full, for example.
    pub fn write_at(
        &self,
        file: &Arc<impl AsFd + 'static>,
        offset: u64,
        slices: impl Into<Sequence>,
    ) -> Op<io::Result<usize>> {
        self.start(Held::Gather(Gather::new(slices.into(), Some(offset))), file, sent)
    }

    /// Sends to a stream socket without copying, where that helps.
    #[must_use]
    pub fn sender<S: AsFd + 'static>(&self, socket: &Arc<S>) -> Sender<S> {
        let copied = ZeroCopy::default();
        copied.0.set(!self.core.borrow().knows(opcode::SendZc::CODE));
        Sender { ring: self.clone(), socket: Arc::clone(socket), copied }
    }
}

fn sent(_: &Ring, done: Done) -> io::Result<usize> {
    done.result
}

/// Sends the slices of 16 KiB and more to one socket without copying them, until the kernel says that it
/// copied them all the same: to this machine itself, to a network card that cannot gather, or to a socket
/// of another kind. Then it sends as [`Ring::send`].
///
/// The block of a slice that was sent without copying is in use until the peer has acknowledged it, after
/// the operation has ended.
pub struct Sender<S> {
    ring: Ring,
    socket: Arc<S>,
    copied: ZeroCopy,
}

impl<S: AsFd + 'static> Sender<S> {
    /// Sends a slice; see [`Ring::send`].
    pub fn send(&self, slice: impl Into<Slice>) -> Op<io::Result<usize>> {
        let slice = slice.into();
        let zero_copy = self.is_zero_copy() && slice.len() >= WORTH;
        let zero_copy = zero_copy.then(|| self.copied.clone());
        self.ring.start(Held::Send { slice, zero_copy }, &self.socket, sent)
    }
}

impl<S> Sender<S> {
    /// Whether it still sends large slices without copying, as far as it knows.
    #[must_use]
    pub fn is_zero_copy(&self) -> bool {
        !self.copied.0.get()
    }
}

impl<S> fmt::Debug for Sender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("zero_copy", &self.is_zero_copy()).finish_non_exhaustive()
    }
}
