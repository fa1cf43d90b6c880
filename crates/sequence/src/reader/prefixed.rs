//! Slices behind their length.

use super::SequenceReader;
use crate::{ReadError, ReadFault, SequenceRef};

/// How a length is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prefix {
    /// One byte.
    U8,
    /// Two bytes, little-endian.
    U16Le,
    /// Two bytes, big-endian.
    U16Be,
    /// Three bytes, little-endian.
    U24Le,
    /// Three bytes, big-endian.
    U24Be,
    /// Four bytes, little-endian.
    U32Le,
    /// Four bytes, big-endian.
    U32Be,
    /// Six bytes, little-endian.
    U48Le,
    /// Six bytes, big-endian.
    U48Be,
    /// Eight bytes, little-endian.
    U64Le,
    /// Eight bytes, big-endian.
    U64Be,
    /// Unsigned LEB128.
    Leb128,
    /// A QUIC integer.
    Quic,
}

impl<'a> SequenceReader<'a> {
    /// A length, and so many bytes behind it. What the length claims is believed up to `most` bytes
    /// only; nothing is ever allocated for it.
    ///
    /// ```
    /// use aqueduct_sequence::{Prefix, ReadFault, SequenceRef};
    ///
    /// let mut reader = SequenceRef::from(b"\x00\x02hi\xff\xffrest").reader();
    /// assert_eq!(reader.read_prefixed(Prefix::U16Be, 100)?, b"hi");
    /// let refused = reader.read_prefixed(Prefix::U16Be, 100).unwrap_err();
    /// assert_eq!(refused.fault(), ReadFault::TooLong { claimed: 0xffff, most: 100 });
    /// assert_eq!(reader.position(), 4); // before the prefix
    /// # Ok::<(), aqueduct_sequence::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReadFault::TooLong`] when the length is more than `most`, [`ReadFault::Short`] with the
    /// bytes that prefix and slice need together when there are fewer, [`ReadFault::Overflow`] as
    /// for [`read_leb128`](Self::read_leb128).
    pub fn read_prefixed(
        &mut self,
        prefix: Prefix,
        most: usize,
    ) -> Result<SequenceRef<'a>, ReadError> {
        let before = self.unread;
        let read = self.read_length(prefix).and_then(|claimed| {
            let fits = usize::try_from(claimed).ok().filter(|&len| len <= most);
            let len = fits.ok_or_else(|| self.refuse(ReadFault::TooLong { claimed, most }))?;
            self.read_slice(len)
        });
        read.map_err(|refused| {
            let prefix = before.len() - self.remaining();
            self.unread = before;
            match refused.fault {
                ReadFault::Short { needed, .. } => self.short(prefix.saturating_add(needed)),
                fault => self.refuse(fault),
            }
        })
    }

    /// A length as `prefix` says.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] where the bytes end first, [`ReadFault::Overflow`] as for
    /// [`read_leb128`](Self::read_leb128).
    pub fn read_length(&mut self, prefix: Prefix) -> Result<u64, ReadError> {
        match prefix {
            Prefix::U8 => self.read_u8().map(u64::from),
            Prefix::U16Le => self.read_u16_le().map(u64::from),
            Prefix::U16Be => self.read_u16_be().map(u64::from),
            Prefix::U24Le => self.read_u24_le().map(u64::from),
            Prefix::U24Be => self.read_u24_be().map(u64::from),
            Prefix::U32Le => self.read_u32_le().map(u64::from),
            Prefix::U32Be => self.read_u32_be().map(u64::from),
            Prefix::U48Le => self.read_u48_le(),
            Prefix::U48Be => self.read_u48_be(),
            Prefix::U64Le => self.read_u64_le(),
            Prefix::U64Be => self.read_u64_be(),
            Prefix::Leb128 => self.read_leb128(),
            Prefix::Quic => self.read_quic(),
        }
    }
}
