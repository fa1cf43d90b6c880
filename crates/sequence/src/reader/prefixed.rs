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
    /// Five bytes, little-endian.
    U40Le,
    /// Five bytes, big-endian.
    U40Be,
    /// Six bytes, little-endian.
    U48Le,
    /// Six bytes, big-endian.
    U48Be,
    /// Seven bytes, little-endian.
    U56Le,
    /// Seven bytes, big-endian.
    U56Be,
    /// Eight bytes, little-endian.
    U64Le,
    /// Eight bytes, big-endian.
    U64Be,
    /// Unsigned LEB128.
    Leb128,
    /// A QUIC integer.
    Quic,
}

/// A length's bytes, and their order.
#[derive(Clone, Copy)]
enum Form {
    Little(usize),
    Big(usize),
    Leb128,
    Quic,
}

impl Prefix {
    /// Bytes of the longest prefix there is.
    pub const LONGEST: usize = 10;

    const fn form(self) -> Form {
        match self {
            Self::U8 => Form::Big(1),
            Self::U16Le => Form::Little(2),
            Self::U16Be => Form::Big(2),
            Self::U24Le => Form::Little(3),
            Self::U24Be => Form::Big(3),
            Self::U32Le => Form::Little(4),
            Self::U32Be => Form::Big(4),
            Self::U40Le => Form::Little(5),
            Self::U40Be => Form::Big(5),
            Self::U48Le => Form::Little(6),
            Self::U48Be => Form::Big(6),
            Self::U56Le => Form::Little(7),
            Self::U56Be => Form::Big(7),
            Self::U64Le => Form::Little(8),
            Self::U64Be => Form::Big(8),
            Self::Leb128 => Form::Leb128,
            Self::Quic => Form::Quic,
        }
    }

    /// How many bytes it has, where that does not depend on the length.
    #[must_use]
    pub const fn width(self) -> Option<usize> {
        match self.form() {
            Form::Little(width) | Form::Big(width) => Some(width),
            Form::Leb128 | Form::Quic => None,
        }
    }

    /// The largest length that it can say.
    #[must_use]
    pub const fn largest(self) -> u64 {
        match self.form() {
            // At least one byte, at most eight.
            #[expect(clippy::cast_possible_truncation, reason = "at most 56")]
            Form::Little(width) | Form::Big(width) => u64::MAX >> (u64::BITS - 8 * width as u32),
            Form::Leb128 => u64::MAX,
            Form::Quic => u64::MAX >> 2,
        }
    }

    /// Writes the bytes that say `length` to the front of `to`, and says how many they are: `least`
    /// or more, where the width may vary, and no more than it takes. (Padding is valid in both
    /// variable forms; it lets a length be filled in for which room was left.) `None` when the
    /// prefix cannot say it, or `to` is too short; nothing was written.
    ///
    /// ```
    /// use aqueduct_sequence::Prefix;
    ///
    /// let mut room = [0; Prefix::LONGEST];
    /// assert_eq!(Prefix::U24Be.encode(300, 0, &mut room), Some(3));
    /// assert_eq!(room[..3], [0, 1, 44]);
    /// assert_eq!(Prefix::Leb128.encode(300, 0, &mut room), Some(2));
    /// assert_eq!(room[..2], [0xac, 0x02]);
    /// assert_eq!(Prefix::U8.encode(300, 0, &mut room), None);
    /// ```
    #[must_use = "says how many bytes were written"]
    pub fn encode(self, length: u64, least: usize, to: &mut [u8]) -> Option<usize> {
        if length > self.largest() {
            return None;
        }
        let width = match self.form() {
            Form::Little(width) | Form::Big(width) => width,
            Form::Leb128 => significant(length).div_ceil(7).max(least),
            // The two bits that tell the width come on top.
            Form::Quic => {
                (significant(length) + 2).div_ceil(8).max(least).checked_next_power_of_two()?
            }
        };
        let most = if matches!(self, Self::Quic) { 8 } else { Self::LONGEST };
        let to = to.get_mut(..width).filter(|to| to.len() <= most)?;
        match self.form() {
            Form::Little(_) => put(to.iter_mut(), length, 8),
            Form::Big(_) => put(to.iter_mut().rev(), length, 8),
            Form::Leb128 => {
                put(to.iter_mut(), length, 7);
                to[..width - 1].iter_mut().for_each(|byte| *byte |= 0x80);
            }
            Form::Quic => {
                put(to.iter_mut().rev(), length, 8);
                #[expect(clippy::cast_possible_truncation, reason = "at most 3")]
                let tag = width.trailing_zeros() as u8;
                to[0] |= tag << 6;
            }
        }
        Some(width)
    }
}

/// Bits that it takes to say `length`: at least one.
const fn significant(length: u64) -> usize {
    (u64::BITS - (length | 1).leading_zeros()) as usize
}

/// Spreads `length` over bytes of so many bits, the lowest first.
#[expect(clippy::cast_possible_truncation, reason = "a byte's bits are masked out")]
fn put<'b>(bytes: impl Iterator<Item = &'b mut u8>, mut length: u64, bits: u32) {
    for byte in bytes {
        *byte = (length & ((1 << bits) - 1)) as u8;
        length >>= bits;
    }
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
            Prefix::U40Le => self.read_u40_le(),
            Prefix::U40Be => self.read_u40_be(),
            Prefix::U48Le => self.read_u48_le(),
            Prefix::U48Be => self.read_u48_be(),
            Prefix::U56Le => self.read_u56_le(),
            Prefix::U56Be => self.read_u56_be(),
            Prefix::U64Le => self.read_u64_le(),
            Prefix::U64Be => self.read_u64_be(),
            Prefix::Leb128 => self.read_leb128(),
            Prefix::Quic => self.read_quic(),
        }
    }
}
