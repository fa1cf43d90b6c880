//! Reading into blocks.

use super::{Op, Ring};
use crate::{
    Call, Fallback,
    sys::uring::{Done, Held},
};
use aqueduct_slice::SliceMut;
use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::AsFd, unix::fs::OpenOptionsExt},
    path::Path,
    sync::Arc,
};

impl Ring {
    /// Reads at most `len` bytes of a file from `offset` on into the spare capacity of `block`, and
    /// appends them. Fewer come at the end of the file, and when there is less room; none at its end. An
    /// offset that no file can have, above `i64::MAX`, is an error of kind `InvalidInput`.
    ///
    /// For a file opened with `O_DIRECT` (see [`open_direct`]) `offset` and `len` are multiples of its
    /// block size, 4096 always being one, and the block is empty and of a pool with that
    /// [alignment](aqueduct_pool::PoolBuilder::alignment).
    ///
    /// Gives the block back with the result: the system's error, with the block as it was. Only where
    /// the ring itself fails, the block is lost and another, empty one comes in its place.
    pub fn read_at(
        &self,
        file: &Arc<impl AsFd + 'static>,
        offset: u64,
        len: usize,
        block: SliceMut,
    ) -> Op<(io::Result<usize>, SliceMut)> {
        self.start(Held::Read { block, len, offset: Some(offset) }, file, filled)
    }

    /// As [`read_at`](Self::read_at), from where the file stands; or from a pipe, which waits for the first
    /// byte unless it is non-blocking.
    pub fn read(
        &self,
        file: &Arc<impl AsFd + 'static>,
        len: usize,
        block: SliceMut,
    ) -> Op<(io::Result<usize>, SliceMut)> {
        self.start(Held::Read { block, len, offset: None }, file, filled)
    }

    /// As [`read_at`](Self::read_at), what a socket has; none at its end. Waits for the first byte,
    /// whether the socket is non-blocking or not.
    pub fn recv(
        &self,
        socket: &Arc<impl AsFd + 'static>,
        block: SliceMut,
    ) -> Op<(io::Result<usize>, SliceMut)> {
        self.start(Held::Receive(block), socket, filled)
    }
}

fn filled(_: &Ring, done: Done) -> (io::Result<usize>, SliceMut) {
    let Some(Held::Read { mut block, .. } | Held::Receive(mut block)) = done.held else {
        return (done.result, SliceMut::new());
    };
    if let Ok(read) = done.result {
        block.commit(read);
    }
    (done.result, block)
}

/// Opens a file for reading past the system's cache, and says so; or through it, where the file system
/// has no other way, as the [`Fallback`] then says.
///
/// # Errors
///
/// The system's, when it cannot be opened at all.
pub fn open_direct(path: impl AsRef<Path>) -> io::Result<(File, Option<Fallback>)> {
    let direct = OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(&path);
    match direct {
        Err(refused) if refused.raw_os_error() == Some(libc::EINVAL) => {
            let fallback = Fallback { call: Call::OpenDirect, errno: libc::EINVAL };
            Ok((File::open(path)?, Some(fallback)))
        }
        opened => Ok((opened?, None)),
    }
}
