//! [`VectoredWrite`]: many pieces written by few calls.

use crate::{
    Call, Side, Step, TransferError,
    sys::calls::{self, MOST},
};
#[cfg(feature = "tokio")]
use crate::{Readiness, ready};
use rustix::io::Errno;
use std::{
    io::{self, ErrorKind, IoSlice},
    mem,
    os::fd::{AsFd, BorrowedFd},
};

/// The most pieces that the system takes at once.
const BATCH: usize = 1024;
/// Pieces of most writes: a head and a body, and some more. They cost a quarter of a kibibyte of the stack
/// to lay out instead of sixteen.
const FEW: usize = 16;

/// Writes pieces, such as the segments of a [`Sequence`](aqueduct_sequence::Sequence), in order, without
/// joining them.
///
/// ```
/// use aqueduct_sequence::Sequence;
/// use aqueduct_slice::Slice;
/// use std::{io::Read, os::unix::net::UnixStream};
///
/// let (mut receiver, socket) = UnixStream::pair()?;
/// let answer = Sequence::from_iter([Slice::from_static(b"head, "), Slice::from_static(b"body")]);
/// aqueduct_os::write_all_vectored(answer.as_ref()).run(&socket)?;
/// aqueduct_os::write_all_vectored([&b", tail"[..]]).run(&socket)?;
/// drop(socket);
/// let mut got = String::new();
/// receiver.read_to_string(&mut got)?;
/// assert_eq!(got, "head, body, tail");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn write_all_vectored<'a, P>(pieces: P) -> VectoredWrite<P::IntoIter>
where
    P: IntoIterator<Item = &'a [u8]>,
    P::IntoIter: Clone,
{
    VectoredWrite { pieces: pieces.into_iter(), skip: 0, done: 0 }
}

/// Pieces on their way to a descriptor: what is left of them. Made by [`write_all_vectored`].
///
/// One call takes up to 1,024 pieces; where it takes less than all their bytes, the next goes on in the
/// middle of a piece. It goes on likewise after an error, and after a future that was dropped.
#[derive(Clone, Debug)]
#[must_use = "nothing is written before it runs"]
pub struct VectoredWrite<I> {
    pieces: I,
    /// Bytes that are written, from the first piece on.
    skip: usize,
    done: u64,
}

impl<'a, I: Iterator<Item = &'a [u8]> + Clone> VectoredWrite<I> {
    /// Bytes that are written.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Writes all of them, and blocks meanwhile, also where the descriptor itself does not. Gives how
    /// many bytes they were.
    ///
    /// # Errors
    ///
    /// The system's, with the bytes that were written; the same call again goes on behind them. It is
    /// `WouldBlock`, as std's, where a socket that blocks has a timeout and takes nothing for so long.
    pub fn run(&mut self, to: impl AsFd) -> Result<u64, TransferError> {
        let to = to.as_fd();
        loop {
            let step = self.step(to)?;
            if step == Step::End {
                return Ok(self.done);
            }
            calls::wait(step, to, to).map_err(|error| self.error(Call::Poll, error))?;
        }
    }

    /// One call to the system.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn step(&mut self, to: impl AsFd) -> Result<Step, TransferError> {
        let to = to.as_fd();
        self.settle();
        let mut ahead = self.pieces.clone().filter(|piece| !piece.is_empty());
        if ahead.next().is_none() {
            return Ok(Step::End);
        }
        let written = match ahead.nth(FEW - 1) {
            None => self.write::<FEW>(to),
            Some(_) => self.write::<BATCH>(to),
        };
        match written {
            Ok(0) => Err(self.error(Call::Writev, ErrorKind::WriteZero.into())),
            Ok(count) => {
                self.done += count as u64;
                self.skip += count;
                Ok(Step::Moved(count))
            }
            Err(error) if calls::is_unready(&error, to) => Ok(Step::Wait(Side::Target)),
            Err(error) => Err(self.error(Call::Writev, error)),
        }
    }

    #[inline(never)] // a frame of its own for each size
    fn write<const N: usize>(&self, to: BorrowedFd<'_>) -> io::Result<usize> {
        calls::patient(Call::Writev, MOST, |most| self.gather::<N>(to, most))
    }

    fn gather<const N: usize>(&self, to: BorrowedFd<'_>, most: usize) -> Result<usize, Errno> {
        let (mut left, mut count) = (most, 0);
        let mut batch = [IoSlice::new(&[]); N];
        let mut skip = self.skip;
        for piece in self.pieces.clone().filter(|piece| !piece.is_empty()) {
            if left == 0 || count == N {
                break;
            }
            let piece = &piece[skip..];
            let piece = &piece[..piece.len().min(left)];
            batch[count] = IoSlice::new(piece);
            (left, count, skip) = (left - piece.len(), count + 1, 0);
        }
        rustix::io::writev(to, &batch[..count])
    }

    /// Forgets pieces that are written. Whatever their iterator does, no byte is forgotten twice, or not at
    /// all.
    fn settle(&mut self) {
        let mut behind = self.pieces.clone();
        while let Some(piece) = behind.next() {
            if self.skip < piece.len() {
                break;
            }
            let left = behind.clone();
            self.skip -= piece.len();
            let _first = mem::replace(&mut self.pieces, left);
        }
    }

    pub(crate) fn error(&self, call: Call, error: io::Error) -> TransferError {
        TransferError { call, offset: Some(self.done), done: self.done, error }
    }
}

#[cfg(feature = "tokio")]
impl<'a, I: Iterator<Item = &'a [u8]> + Clone> VectoredWrite<I> {
    /// As [`run`](Self::run), but waits as tokio's tasks do. Dropping the future loses nothing: the
    /// same call again goes on.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_async(&mut self, to: &impl Readiness) -> Result<u64, TransferError> {
        loop {
            let step = ready::try_target(to, || self.step(to))?;
            if step == Step::End {
                return Ok(self.done);
            }
            ready::wait(step, to, to).await.map_err(|error| self.error(Call::Poll, error))?;
        }
    }
}
