//! [`Receive`]: what a socket has, in blocks that the kernel chose.

use super::{Ring, op::give_up};
use crate::sys::uring::{File, Group, Held, Key, Stream};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use std::{io, os::fd::AsFd, sync::Arc, task::Waker};

/// Blocks of a pool that the kernel fills, one after the other, when one of many sockets has something:
/// so that sockets that wait have no block.
///
/// A block that was filled becomes a [`Slice`], and another of the pool takes its place: nothing is copied.
/// But who sends a byte at a time would have a block held for each. So the blocks of bytes that follow each
/// other are at most eight times as large as these, and four more: from there on, a receive of less than an
/// eighth of a block is copied into a small one, which the [meter](aqueduct_base::meter) counts, and its
/// block serves again. One that fills its block pays for seven that do not.
#[derive(Clone, Debug)]
pub struct Provided {
    ring: Ring,
    group: u16,
    count: u16,
}

impl Ring {
    /// Gives `count` blocks of `pool`, a power of two of at most 32,768, with room for `len` bytes each
    /// to the kernel, for as long as the ring lives. What is received at once by all sockets together
    /// should fit: where it does not, receiving pauses for a moment.
    ///
    /// That is no bound of what is received and not dropped: a block that was filled has another take its
    /// place at once. Beyond `count * len` bytes for the kernel, what waits in [`Receive`]s takes up to
    /// `count / 2 * len` bytes for each socket, and up to `4 * len` for one that has sent a few bytes: ten
    /// thousand of these take 655 MB with blocks of 16 KiB, and 41 MB with blocks of 1 KiB. What has been
    /// taken is its taker's to bound.
    ///
    /// # Errors
    ///
    /// Of kind `InvalidInput` when `count` is no such number or `len` is zero; `Unsupported` before
    /// Linux 5.19; else the system's.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    pub fn provide(&self, pool: &Pool, count: u16, len: usize) -> io::Result<Provided> {
        if !count.is_power_of_two() || len == 0 {
            let why = format!("{count} blocks of {len} bytes: want a power of two, of some");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let group = self.core.borrow_mut().provide(Group::new(pool, count, len)?)?;
        Ok(Provided { ring: self.clone(), group, count })
    }
}

impl Provided {
    /// Receives from a connected stream socket until it ends, whether it is non-blocking or not.
    ///
    /// Half as many slices as there are blocks may wait to be taken; then the socket is left alone until
    /// there are fewer.
    #[must_use = "nobody receives what is not taken"]
    pub fn receive(&self, socket: &Arc<impl AsFd + 'static>) -> Receive {
        let ahead = usize::from(self.count / 2).max(1);
        let held = Held::Stream(Stream::new(self.group, ahead));
        let file = File::new(Arc::clone(socket) as Arc<dyn AsFd>);
        let key = self.ring.core.borrow_mut().start(held, file);
        Receive { ring: self.ring.clone(), key }
    }
}

/// What a socket receives, slice by slice. Dropping it has the kernel leave the socket alone; what was
/// received and not taken is lost.
#[derive(Debug)]
pub struct Receive {
    pub(super) ring: Ring,
    key: Key,
}

impl Receive {
    /// The next bytes, none at the end; sleeps this thread until they are there. After an error comes
    /// the end.
    ///
    /// # Errors
    ///
    /// The system's; `Unsupported` before Linux 6.0.
    pub fn wait_next(&mut self) -> io::Result<Option<Slice>> {
        let ring = self.ring.clone();
        ring.block(|| self.take(None))?.transpose()
    }

    /// As [`wait_next`](Self::wait_next), without sleeping; dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As there; `Other` outside [`Ring::run_until`].
    #[cfg(feature = "tokio")]
    pub async fn next(&mut self) -> io::Result<Option<Slice>> {
        std::future::poll_fn(|context| self.poll_next(context)).await
    }

    pub(super) fn take(&mut self, waker: Option<&Waker>) -> Option<Option<io::Result<Slice>>> {
        let mut waker = waker.cloned();
        let next = self.ring.core.borrow_mut().next(self.key, &mut waker);
        drop(waker);
        next
    }
}

impl Drop for Receive {
    fn drop(&mut self) {
        give_up(&self.ring, self.key);
    }
}
