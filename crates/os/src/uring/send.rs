//! Sending slices.

use super::{Op, Ring};
use crate::{
    sys::uring::{Done, Gather, Held, ZeroCopy},
    zero_copy::{SendWay, ZeroCopyAnswer, ZeroCopyChoice, is_local},
};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use io_uring::opcode;
use std::{fmt, io, os::fd::AsFd, sync::Arc};

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

    /// As [`send`](Self::send), many slices, 1024 with each call, one after the other until all are sent.
    /// Where an error comes in between, the bytes that were sent before it.
    pub fn send_all(
        &self,
        socket: &Arc<impl AsFd + 'static>,
        slices: impl Into<Sequence>,
    ) -> Op<io::Result<usize>> {
        let finish = |_: &Self, done: Done| match done.held {
            Some(Held::Gather(gather)) if gather.sent > 0 => Ok(gather.sent),
            _ => done.result,
        };
        self.start(Held::Gather(Gather::new(slices.into(), None)), socket, finish)
    }

    /// Writes slices to a file from `offset` on, as `pwritev` does: with one call, which takes the first
    /// 1024. The bytes that were written, which may be fewer than there are; the rest is for the next
    /// call. An offset that no file can have, above `i64::MAX`, is an error of kind `InvalidInput`.
    pub fn write_at(
        &self,
        file: &Arc<impl AsFd + 'static>,
        offset: u64,
        slices: impl Into<Sequence>,
    ) -> Op<io::Result<usize>> {
        self.start(Held::Gather(Gather::new(slices.into(), Some(offset))), file, sent)
    }

    /// Sends to a connected stream socket without copying, where that helps.
    #[must_use]
    pub fn sender<S: AsFd + 'static>(&self, socket: &Arc<S>) -> Sender<S> {
        self.sender_with_choice(socket, ZeroCopyChoice::default())
    }

    /// As [`sender`](Self::sender), with a choice of your own.
    #[must_use]
    pub fn sender_with_choice<S: AsFd + 'static>(
        &self,
        socket: &Arc<S>,
        choice: ZeroCopyChoice,
    ) -> Sender<S> {
        // A socket of which the system does not say where it leads may lead here.
        let peer_is_local = is_local(socket.as_fd()).unwrap_or(true);
        let said = ZeroCopy::default();
        if !self.core.borrow().knows(opcode::SendZc::CODE) {
            said.note(ZeroCopyAnswer::Unsupported);
        }
        Sender { ring: self.clone(), socket: Arc::clone(socket), choice, peer_is_local, said }
    }
}

fn sent(_: &Ring, done: Done) -> io::Result<usize> {
    done.result
}

/// Sends to one socket without copying what [`ZeroCopyChoice`] says, until the kernel says that it copied
/// all the same: to a network card that cannot gather, for example, or to a socket of another kind. Then
/// it sends as [`Ring::send`]; and so it does with a single send for which the process may lock no more
/// memory.
///
/// The block of a slice that was sent without copying is in use until the peer has acknowledged it, after
/// the operation has ended.
pub struct Sender<S> {
    ring: Ring,
    socket: Arc<S>,
    choice: ZeroCopyChoice,
    peer_is_local: bool,
    said: ZeroCopy,
}

impl<S: AsFd + 'static> Sender<S> {
    /// Sends a slice; see [`Ring::send`].
    pub fn send(&self, slice: impl Into<Slice>) -> Op<io::Result<usize>> {
        let slice = slice.into();
        let way = self.choice.way(slice.len(), 1, self.peer_is_local, self.answer());
        let zero_copy = (way == SendWay::ZeroCopy).then(|| self.said.clone());
        self.ring.start(Held::Send { slice, zero_copy }, &self.socket, sent)
    }
}

impl<S> Sender<S> {
    /// What the kernel has said so far.
    #[must_use]
    pub fn answer(&self) -> ZeroCopyAnswer {
        self.said.answer()
    }
}

impl<S> fmt::Debug for Sender<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { choice, peer_is_local, .. } = self;
        f.debug_struct("Sender")
            .field("choice", choice)
            .field("peer_is_local", peer_is_local)
            .field("answer", &self.answer())
            .finish_non_exhaustive()
    }
}
