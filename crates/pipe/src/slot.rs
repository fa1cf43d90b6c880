//! [`WriteSlot`]: room in the pipe's own memory.

use crate::output::Output;
use aqueduct_base::copy;
use std::fmt;

/// Room for the next bytes of the stream: see [`Writer::reserve`](crate::Writer::reserve).
///
/// Fill some of its [`room`](Self::room) from the front and [`commit`](Self::commit) that, or
/// [`put`](Self::put) copies. What is not committed was never written.
///
/// ```
/// use aqueduct_pipe::{Options, pipe};
/// use std::io::Read;
///
/// let (mut writer, _reader) = pipe(Options::default());
/// let mut slot = writer.reserve(100)?;
/// let count = (&b"from a socket"[..]).read(slot.room())?;
/// slot.commit(count);
/// assert_eq!(writer.unflushed(), 13);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is written until commit()"]
pub struct WriteSlot<'a> {
    output: &'a mut Output,
    len: usize,
}

impl<'a> WriteSlot<'a> {
    pub(crate) fn new(output: &'a mut Output, len: usize) -> Self {
        Self { output, len }
    }

    /// The room: initialised, with unspecified contents.
    #[must_use]
    #[inline]
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.output.spare_mut()[..self.len]
    }

    /// Bytes of room.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no room left.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes the first `count` bytes part of the stream, to be seen after the next flush.
    ///
    /// # Panics
    ///
    /// When the slot is shorter; nothing is written then.
    #[inline]
    pub fn commit(self, count: usize) {
        assert!(count <= self.len, "cannot commit {count} of a slot of {} bytes", self.len);
        self.output.commit(count);
    }

    /// Copies as many of `bytes` as fit to the front of the slot and commits them; the slot is what
    /// follows then. Returns how many.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.len);
        copy(&mut self.output.spare_mut()[..count], &bytes[..count]);
        self.output.commit(count);
        self.len -= count;
        count
    }
}

impl fmt::Debug for WriteSlot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteSlot").field("len", &self.len).finish_non_exhaustive()
    }
}
