//! Integers of variable length.

use super::SequenceReader;
use crate::{ReadError, ReadFault};

/// Where the last byte of a 64-bit LEB128 has its bits.
const LAST_SHIFT: u32 = 63;

impl SequenceReader<'_> {
    /// An unsigned LEB128: seven bits to a byte, the lowest first. At most ten bytes; padding within
    /// them is taken.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] where the bytes end first, [`ReadFault::Overflow`] when it does not fit
    /// 64 bits.
    #[inline]
    pub fn read_leb128(&mut self) -> Result<u64, ReadError> {
        match self.peek() {
            Some(byte) if byte < 0x80 => self.read_u8().map(u64::from),
            _ => self.long_leb128(|last| last <= 1).map(|(value, _)| value),
        }
    }

    /// A signed LEB128: as [`read_leb128`](Self::read_leb128), in two's complement.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] where the bytes end first, [`ReadFault::Overflow`] when it does not fit
    /// 64 bits.
    pub fn read_signed_leb128(&mut self) -> Result<i64, ReadError> {
        let (value, bits) = self.long_leb128(|last| last == 0 || last == 0x7f)?;
        // The highest bit that was read is the sign.
        let unused = u64::BITS.saturating_sub(bits);
        Ok((value << unused).cast_signed() >> unused)
    }

    /// The value and how many bits of it were read; `fits` says what the tenth byte may be.
    #[inline(never)]
    fn long_leb128(&mut self, fits: impl Fn(u8) -> bool) -> Result<(u64, u32), ReadError> {
        let mut rest = self.unread;
        let (mut value, mut shift) = (0, 0);
        while let Some(&byte) = rest.head.first() {
            rest.skip_in_head(1);
            if shift == LAST_SHIFT && !fits(byte) {
                return Err(self.refuse(ReadFault::Overflow));
            }
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                self.unread = rest;
                return Ok((value, shift));
            }
        }
        Err(self.short(self.remaining() + 1))
    }

    /// A QUIC integer: one, two, four or eight bytes, big-endian, whose length stands in the upper
    /// two bits of the first.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`] when there are fewer.
    #[inline]
    pub fn read_quic(&mut self) -> Result<u64, ReadError> {
        match self.peek().map(|first| first >> 6) {
            None => Err(self.short(1)),
            Some(0) => self.read_u8().map(u64::from),
            Some(1) => self.read_u16_be().map(|value| u64::from(value & 0x3fff)),
            Some(2) => self.read_u32_be().map(|value| u64::from(value & 0x3fff_ffff)),
            Some(_) => self.read_u64_be().map(|value| value & (u64::MAX >> 2)),
        }
    }
}
