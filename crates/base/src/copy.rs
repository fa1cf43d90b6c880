//! The one function that copies payload bytes, and the load that moves a short slice into registers.
//!
//! Invariant 1 of this file: a `&[u8]` is readable for its whole length, a `&mut [u8]` writable, and
//! the two never overlap.

#![allow(clippy::disallowed_methods, reason = "this is the one file that copies, and it counts")]

use crate::meter;
use core::ptr;

/// Copies `from` into `to`, and counts it.
///
/// Linear in the length.
///
/// # Panics
///
/// When the lengths differ.
#[inline]
pub fn copy(to: &mut [u8], from: &[u8]) {
    assert!(to.len() == from.len(), "copy of {} bytes into {}", from.len(), to.len());
    meter::count_copy(from.len());
    // SAFETY: both are whole slices of this length that do not overlap (1).
    unsafe { ptr::copy_nonoverlapping(from.as_ptr(), to.as_mut_ptr(), from.len()) }
}

/// Moves `len` bytes at `from` to `to` within one buffer, overlapping or not, and counts it.
///
/// # Panics
///
/// When either range lies outside the buffer.
pub fn shift(buffer: &mut [u8], from: usize, to: usize, len: usize) {
    let end = from.checked_add(len).filter(|&end| end <= buffer.len());
    let Some(end) = end else { panic!("{len} bytes from {from} on of {}", buffer.len()) };
    buffer.copy_within(from..end, to);
    meter::count_copy(len);
}

/// The bytes of a slice of at most 24, as three little-endian words padded with zeros, in registers.
///
/// Counts nothing: the caller knows whether this copies payload in or moves a short slice inline.
///
/// Overlapping loads build the words without a stack image, whose reload the processor could not
/// forward from the narrower stores.
///
/// # Panics
///
/// When the slice is longer than 24 bytes.
#[inline(always)]
#[must_use]
pub fn load_short(from: &[u8]) -> [u64; 3] {
    let len = from.len();
    let bits = 8 * len;
    if len >= 16 {
        assert!(len <= 24, "{len} bytes do not fit three words");
        // The last word overlaps the second; what the second has already is shifted out. A shift by
        // 64, for a length of 16, is done in two steps.
        let last = read::<8>(from, len - 8) >> ((192 - bits) / 2) >> ((192 - bits).div_ceil(2));
        [read::<8>(from, 0), read::<8>(from, 8), last]
    } else if len >= 8 {
        let last = read::<8>(from, len - 8) >> ((128 - bits) / 2) >> ((128 - bits).div_ceil(2));
        [read::<8>(from, 0), last, 0]
    } else if len >= 4 {
        [read::<4>(from, 0) | read::<4>(from, len - 4) << (bits - 32), 0, 0]
    } else if len > 0 {
        // One, two or three bytes: first, middle, last, of which some are the same byte.
        let middle = read::<1>(from, len / 2) << (8 * (len / 2));
        [read::<1>(from, 0) | middle | read::<1>(from, len - 1) << (bits - 8), 0, 0]
    } else {
        [0; 3]
    }
}

/// `N` bytes at `at`, little-endian. The callers' lengths prove them in bounds, to the compiler too.
#[inline(always)]
fn read<const N: usize>(from: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word[..N].copy_from_slice(&from[at..at + N]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_slices_load_as_they_stand() {
        let bytes: Vec<u8> = (1..=24).collect();
        for len in 0..=24 {
            let mut want = [0; 24];
            want[..len].copy_from_slice(&bytes[..len]);
            let words = load_short(&bytes[..len]);
            let got: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
            assert_eq!(got, want, "{len} bytes");
        }
    }

    #[test]
    #[should_panic(expected = "copy of 2 bytes into 3")]
    fn lengths_must_agree() {
        copy(&mut [0; 3], &[1; 2]);
    }

    #[test]
    fn shifts_within_a_buffer() {
        let mut buffer = *b"abcdef";
        shift(&mut buffer, 2, 0, 4);
        assert_eq!(&buffer, b"cdefef");
    }
}
