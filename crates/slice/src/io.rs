//! `Read` and `Write` of std for a buffer that is filled, and what std's errors make of ours.

use crate::{RangeError, SliceMut, Utf8Error};
use alloc::format;
use std::io;

/// Room that [`SliceMut::read_from`] makes: what std's buffered readers use.
const READ: usize = 8 << 10;

/// The most that is cleared, and so read, at once: as much as a pipe reads, and cleared in about the time that
/// a call to the system takes.
const MOST: usize = 64 << 10;

impl SliceMut {
    /// Reads once, at most `max` bytes and 64 KiB, into the spare capacity; makes some when there is little.
    ///
    /// The room is cleared first, so that a reader which claims more than it wrote shows zeros and
    /// never what the block held before: a recycled block is not zero. That costs as much whether the reader has
    /// anything or not, hence the 64 KiB. A source that is trusted fills [`spare_mut`](Self::spare_mut) instead,
    /// of any length, and saves that.
    ///
    /// # Errors
    ///
    /// The reader's; `InvalidData` when it claims to have read more than there was room for;
    /// `OutOfMemory`. The data is as it was.
    pub fn read_from(&mut self, reader: &mut impl io::Read, max: usize) -> io::Result<usize> {
        // A maximum is a bound and no wish: it may be far more than there is to read.
        self.try_reserve(max.min(READ))?;
        let spare = self.spare_mut();
        let len = spare.len().min(max).min(MOST);
        let room = &mut spare[..len];
        room.fill(0);
        let read = reader.read(room)?;
        if read > len {
            let lie = format!("the reader claims {read} bytes where there was room for {len}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, lie));
        }
        self.commit(read);
        Ok(read)
    }
}

impl io::Write for SliceMut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_reserve(bytes.len())?;
        self.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl From<RangeError> for io::Error {
    /// `InvalidInput`.
    fn from(refused: RangeError) -> Self {
        Self::new(io::ErrorKind::InvalidInput, refused)
    }
}

impl From<Utf8Error> for io::Error {
    /// `InvalidData`. The slice is within, with the error.
    fn from(refused: Utf8Error) -> Self {
        Self::new(io::ErrorKind::InvalidData, refused)
    }
}
