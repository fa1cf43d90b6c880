//! To and from the `bytes` crate, both ways without copying.
//!
//! Invariant of this file: the bytes of `chunk_mut` are the spare capacity of a `SliceMut`, all of
//! it initialised, whatever is written to it.

use crate::{Slice, SliceMut, foreign};
use bytes::{Buf, BufMut, Bytes, buf::UninitSlice};
#[cfg(feature = "std")]
use std::io::IoSlice;

/// Room that `BufMut` makes when there is none: what `BytesMut` makes, too.
const STEP: usize = 64;

impl From<Bytes> for Slice {
    /// Takes the `Bytes` over as a foreign owner, without copying.
    fn from(bytes: Bytes) -> Self {
        foreign::from_bytes(bytes)
    }
}

impl From<Slice> for Bytes {
    /// Hands the slice to `Bytes` as its owner, without copying. One small allocation.
    ///
    /// A slice that was made of `Bytes` gives those, or the part of them that it shows: there and back any
    /// number of times makes no chain of owners.
    fn from(slice: Slice) -> Self {
        if slice.is_empty() {
            return Self::new();
        }
        foreign::bytes_of(&slice).unwrap_or_else(|| Self::from_owner(slice))
    }
}

impl Buf for Slice {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        Self::advance(self, count);
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, to: &mut [IoSlice<'a>]) -> usize {
        match to {
            [first, ..] if !self.is_empty() => {
                *first = IoSlice::new(self);
                1
            }
            _ => 0,
        }
    }

    /// The first `len` bytes on the same block, without copying.
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        Bytes::from(self.split_to(len))
    }
}

impl Buf for SliceMut {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        Self::advance(self, count);
    }

    /// The first `len` bytes on the same block, without copying.
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        Bytes::from(self.split_frozen(len))
    }
}

// SAFETY: `remaining_mut` is what `chunk_mut` and growing together can give; `chunk_mut` answers
// with the same spare capacity until `advance_mut` commits part of it, and is empty only when
// growing has failed, which panics instead.
unsafe impl BufMut for SliceMut {
    #[inline]
    fn remaining_mut(&self) -> usize {
        isize::MAX as usize - self.len()
    }

    #[inline]
    unsafe fn advance_mut(&mut self, count: usize) {
        self.commit(count);
    }

    #[inline]
    fn chunk_mut(&mut self) -> &mut UninitSlice {
        if self.len() == self.capacity() {
            self.reserve(STEP);
        }
        UninitSlice::new(self.spare_mut())
    }

    fn put_slice(&mut self, from: &[u8]) {
        self.extend_from_slice(from);
    }

    fn put_bytes(&mut self, byte: u8, count: usize) {
        let Some(len) = self.len().checked_add(count) else {
            crate::AllocError::too_large(usize::MAX).raise()
        };
        self.resize(len, byte);
    }
}
