//! Integers and floats of fixed width.
//!
//! One that lies in the segment at hand is one load. One that lies across an end is shifted together
//! in a register, out of line: through a buffer on the stack it would be read before its bytes are
//! all stored. Always the highest byte first, whatever the order: from the lowest on the compiler
//! would shift two registers at once, which is slow.

use super::SequenceReader;
use crate::{ReadError, SequenceRef};

/// The bytes of a word.
const WORD: usize = 8;

impl SequenceRef<'_> {
    /// Takes the next `count` bytes as a big-endian number; `None` where there are fewer. At most
    /// [`WORD`], and more than the head has.
    #[cold]
    #[inline(never)]
    fn shifted(&mut self, count: usize) -> Option<u64> {
        if count > self.len() {
            return None;
        }
        let mut word = 0;
        let mut rest = *self;
        for _ in 0..count {
            let [byte, behind @ ..] = rest.head else { return None };
            word = word << 8 | u64::from(*byte);
            rest.head = behind;
            if behind.is_empty() {
                rest.refill_here();
            }
        }
        *self = rest;
        Some(word)
    }
}

impl SequenceReader<'_> {
    #[inline(always)]
    fn word(&mut self, count: usize) -> Result<u64, ReadError> {
        self.unread.shifted(count).ok_or_else(|| self.short(count))
    }

    /// Sixteen bytes across an end, as two words.
    #[cold]
    #[inline(never)]
    fn two_words(&mut self) -> Result<[u64; 2], ReadError> {
        self.check(2 * WORD)?;
        Ok([self.word(WORD)?, self.word(WORD)?])
    }

    /// The next byte.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`](crate::ReadFault::Short) at the end.
    #[inline]
    pub fn read_u8(&mut self) -> Result<u8, ReadError> {
        match self.unread.head.first() {
            Some(&byte) => {
                self.unread.skip_in_head(1);
                Ok(byte)
            }
            None => Err(self.short(1)),
        }
    }

    /// The next byte, with a sign.
    ///
    /// # Errors
    ///
    /// [`ReadFault::Short`](crate::ReadFault::Short) at the end.
    #[inline]
    pub fn read_i8(&mut self) -> Result<i8, ReadError> {
        self.read_u8().map(u8::cast_signed)
    }
}

/// Methods that read `$size` bytes: `$here` makes the value of an array of them, `$across` of
/// the big-endian number.
macro_rules! fixed {
    ($($name:ident -> $type:ty, $size:literal, $what:literal, $here:expr, $across:expr;)*) => {
        impl SequenceReader<'_> {$(
            #[doc = concat!("The next ", $size, " bytes as ", $what, ".")]
            ///
            /// # Errors
            ///
            /// [`ReadFault::Short`](crate::ReadFault::Short) when there are fewer.
            #[inline]
            pub fn $name(&mut self) -> Result<$type, ReadError> {
                match self.unread.head.first_chunk::<$size>() {
                    Some(bytes) => {
                        let value = $here(*bytes);
                        self.unread.skip_in_head($size);
                        Ok(value)
                    }
                    None => self.word($size).map($across),
                }
            }
        )*}
    };
}

/// The little-endian number with so many bytes, of the big-endian one.
#[inline(always)]
const fn little<const SIZE: u32>(word: u64) -> u64 {
    word.swap_bytes() >> (u64::BITS - 8 * SIZE)
}

#[allow(clippy::cast_possible_truncation, reason = "the word has no more bytes than the type")]
mod narrow {
    pub(super) const fn u16(word: u64) -> u16 {
        word as u16
    }
    pub(super) const fn u32(word: u64) -> u32 {
        word as u32
    }
}

fixed! {
    read_u16_le -> u16, 2, "a little-endian `u16`", u16::from_le_bytes, |word| narrow::u16(little::<2>(word));
    read_u16_be -> u16, 2, "a big-endian `u16`", u16::from_be_bytes, narrow::u16;
    read_i16_le -> i16, 2, "a little-endian `i16`", i16::from_le_bytes, |word| narrow::u16(little::<2>(word)).cast_signed();
    read_i16_be -> i16, 2, "a big-endian `i16`", i16::from_be_bytes, |word| narrow::u16(word).cast_signed();
    read_u24_le -> u32, 3, "a little-endian 24-bit integer", |[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]), |word| narrow::u32(little::<3>(word));
    read_u24_be -> u32, 3, "a big-endian 24-bit integer", |[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]), narrow::u32;
    read_u32_le -> u32, 4, "a little-endian `u32`", u32::from_le_bytes, |word| narrow::u32(little::<4>(word));
    read_u32_be -> u32, 4, "a big-endian `u32`", u32::from_be_bytes, narrow::u32;
    read_i32_le -> i32, 4, "a little-endian `i32`", i32::from_le_bytes, |word| narrow::u32(little::<4>(word)).cast_signed();
    read_i32_be -> i32, 4, "a big-endian `i32`", i32::from_be_bytes, |word| narrow::u32(word).cast_signed();
    read_f32_le -> f32, 4, "a little-endian `f32`", f32::from_le_bytes, |word| f32::from_bits(narrow::u32(little::<4>(word)));
    read_f32_be -> f32, 4, "a big-endian `f32`", f32::from_be_bytes, |word| f32::from_bits(narrow::u32(word));
    read_u48_le -> u64, 6, "a little-endian 48-bit integer", |[a, b, c, d, e, f]: [u8; 6]| u64::from_le_bytes([a, b, c, d, e, f, 0, 0]), little::<6>;
    read_u48_be -> u64, 6, "a big-endian 48-bit integer", |[a, b, c, d, e, f]: [u8; 6]| u64::from_be_bytes([0, 0, a, b, c, d, e, f]), |word| word;
    read_u64_le -> u64, 8, "a little-endian `u64`", u64::from_le_bytes, little::<8>;
    read_u64_be -> u64, 8, "a big-endian `u64`", u64::from_be_bytes, |word| word;
    read_i64_le -> i64, 8, "a little-endian `i64`", i64::from_le_bytes, |word| little::<8>(word).cast_signed();
    read_i64_be -> i64, 8, "a big-endian `i64`", i64::from_be_bytes, u64::cast_signed;
    read_f64_le -> f64, 8, "a little-endian `f64`", f64::from_le_bytes, |word| f64::from_bits(little::<8>(word));
    read_f64_be -> f64, 8, "a big-endian `f64`", f64::from_be_bytes, f64::from_bits;
}

/// Methods that read sixteen bytes: `$across` makes the value of two big-endian words.
macro_rules! wide {
    ($($name:ident -> $type:ty, $what:literal, $here:expr, $across:expr;)*) => {
        impl SequenceReader<'_> {$(
            #[doc = concat!("The next 16 bytes as ", $what, ".")]
            ///
            /// # Errors
            ///
            /// [`ReadFault::Short`](crate::ReadFault::Short) when there are fewer.
            #[inline]
            pub fn $name(&mut self) -> Result<$type, ReadError> {
                match self.unread.head.first_chunk::<16>() {
                    Some(bytes) => {
                        let value = $here(*bytes);
                        self.unread.skip_in_head(16);
                        Ok(value)
                    }
                    None => self.two_words().map($across),
                }
            }
        )*}
    };
}

const fn joined([high, low]: [u64; 2]) -> u128 {
    (high as u128) << u64::BITS | low as u128
}

wide! {
    read_u128_le -> u128, "a little-endian `u128`", u128::from_le_bytes, |words| joined(words).swap_bytes();
    read_u128_be -> u128, "a big-endian `u128`", u128::from_be_bytes, joined;
    read_i128_le -> i128, "a little-endian `i128`", i128::from_le_bytes, |words| joined(words).swap_bytes().cast_signed();
    read_i128_be -> i128, "a big-endian `i128`", i128::from_be_bytes, |words| joined(words).cast_signed();
}
