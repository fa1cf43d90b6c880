//! [`SequenceReader`]: a place in a sequence, and what can be read from there on.

mod delimited;
mod ints;
mod prefixed;
mod varint;

use crate::{ReadError, ReadFault, SequenceRef};

pub use delimited::Delimiter;
pub use prefixed::Prefix;

/// Reads a sequence from front to back, whatever its segments are.
///
/// **A read that fails moves nothing**, and says where it stood and what was missing. Nothing
/// allocates; a value that lies across the end of a segment is shifted together in a register.
///
/// A reader is no iterator and no `Copy`: a copy that is passed on by mistake would read the same
/// bytes again. To try something, take a [`checkpoint`](Self::checkpoint).
///
/// ```
/// use aqueduct_sequence::SequenceRef;
///
/// let mut reader = SequenceRef::from(b"\x05hello and more").reader();
/// let length = reader.read_u8()?;
/// let word = reader.read_slice(length.into())?;
/// assert_eq!(word, b"hello");
/// assert_eq!(reader.position(), 6);
/// # Ok::<(), aqueduct_sequence::ReadError>(())
/// ```
#[derive(Debug)]
pub struct SequenceReader<'a> {
    /// What is left: the end of `whole`.
    unread: SequenceRef<'a>,
    whole: SequenceRef<'a>,
}

/// A place to which a [`SequenceReader`] can go back.
#[derive(Clone, Debug)]
pub struct Checkpoint<'a> {
    unread: SequenceRef<'a>,
    whole: SequenceRef<'a>,
}

impl<'a> SequenceReader<'a> {
    /// A reader from the first byte on.
    #[must_use]
    #[inline]
    pub const fn new(sequence: SequenceRef<'a>) -> Self {
        Self { unread: sequence, whole: sequence }
    }

    /// All that the reader was made from, read or not.
    #[must_use]
    #[inline]
    pub const fn sequence(&self) -> SequenceRef<'a> {
        self.whole
    }

    /// What is left.
    #[must_use]
    #[inline]
    pub const fn unread(&self) -> SequenceRef<'a> {
        self.unread
    }

    /// What is left of the segment at hand: empty only at the end.
    #[must_use]
    #[inline]
    pub const fn chunk(&self) -> &'a [u8] {
        self.unread.head
    }

    /// Bytes left.
    #[must_use]
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.unread.len()
    }

    /// Whether none are left.
    #[must_use]
    #[inline]
    pub const fn is_at_end(&self) -> bool {
        self.unread.is_empty()
    }

    /// Bytes read so far: the offset of the next one.
    #[must_use]
    #[inline]
    pub const fn position(&self) -> usize {
        self.whole.len() - self.unread.len()
    }

    /// The place where the reader is, for [`rewind`](Self::rewind). Constant time.
    #[must_use]
    #[inline]
    pub const fn checkpoint(&self) -> Checkpoint<'a> {
        Checkpoint { unread: self.unread, whole: self.whole }
    }

    /// Goes back, or forward, to a checkpoint. Constant time. With a checkpoint of another reader
    /// this one goes on where that one was.
    #[inline]
    pub const fn rewind(&mut self, to: &Checkpoint<'a>) {
        (self.unread, self.whole) = (to.unread, to.whole);
    }

    /// Goes to a position, ahead or back. Takes the logarithm of the number of segments.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] when it lies behind the end.
    pub fn seek_to(&mut self, position: usize) -> Result<(), ReadError> {
        let (needed, left) = (position, self.whole.len());
        if needed > left {
            return Err(ReadError {
                at: self.position(),
                fault: ReadFault::Short { needed, left },
            });
        }
        self.unread = self.whole.window(position, left);
        Ok(())
    }

    /// The next byte, without moving.
    #[must_use]
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.chunk().first().copied()
    }

    /// The byte `offset` bytes ahead, without moving. Takes the logarithm of the number of segments.
    #[must_use]
    pub fn peek_at(&self, offset: usize) -> Option<u8> {
        self.unread.get(offset)
    }

    /// The next `count` bytes, without moving.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] when there are fewer.
    pub fn peek_slice(&self, count: usize) -> Result<SequenceRef<'a>, ReadError> {
        self.check(count)?;
        Ok(self.unread.window(0, count))
    }

    /// The next `count` bytes, on the same segments.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] when there are fewer.
    #[inline]
    pub fn read_slice(&mut self, count: usize) -> Result<SequenceRef<'a>, ReadError> {
        let read = self.peek_slice(count)?;
        self.skip(count);
        Ok(read)
    }

    /// All that is left.
    #[must_use = "the bytes are lost otherwise; advance_to_end() skips them"]
    pub fn read_rest(&mut self) -> SequenceRef<'a> {
        let rest = self.unread;
        self.advance_to_end();
        rest
    }

    /// Moves on by `count` bytes. Takes the logarithm of the number of segments.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] when there are fewer.
    #[inline]
    pub fn advance(&mut self, count: usize) -> Result<(), ReadError> {
        self.check(count)?;
        self.skip(count);
        Ok(())
    }

    /// Moves behind the last byte.
    #[inline]
    pub fn advance_to_end(&mut self) {
        self.unread = SequenceRef::EMPTY;
    }

    /// Copies the next bytes to `to`, as many as it holds, without moving. Counted.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] when there are fewer; nothing was copied.
    pub fn peek_into(&self, to: &mut [u8]) -> Result<(), ReadError> {
        self.peek_slice(to.len())?.fill(to);
        Ok(())
    }

    /// Copies the next bytes to `to`, as many as it holds, and moves behind them. Counted.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] when there are fewer; nothing was copied.
    pub fn read_into(&mut self, to: &mut [u8]) -> Result<(), ReadError> {
        self.peek_into(to)?;
        self.skip(to.len());
        Ok(())
    }

    /// Moves on by `count` bytes, which are there.
    #[inline]
    pub(crate) fn skip(&mut self, count: usize) {
        if count < self.unread.head.len() {
            self.unread.head = &self.unread.head[count..];
        } else {
            self.unread = self.unread.window(count, self.unread.len());
        }
    }

    #[inline]
    pub(crate) fn check(&self, needed: usize) -> Result<(), ReadError> {
        if needed <= self.remaining() { Ok(()) } else { Err(self.short(needed)) }
    }

    #[cold]
    pub(crate) fn short(&self, needed: usize) -> ReadError {
        self.refuse(ReadFault::Short { needed, left: self.remaining() })
    }

    pub(crate) const fn refuse(&self, fault: ReadFault) -> ReadError {
        ReadError { at: self.position(), fault }
    }
}
