//! `Buf` of the `bytes` crate.

use crate::{Sequence, SequenceReader};
use aqueduct_slice::Slice;
use bytes::{Buf, Bytes};
#[cfg(feature = "std")]
use std::io::IoSlice;

impl Buf for SequenceReader<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        Self::remaining(self)
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        Self::chunk(self)
    }

    /// # Panics
    ///
    /// When there are fewer bytes.
    #[inline]
    fn advance(&mut self, count: usize) {
        Self::advance(self, count).unwrap_or_else(|refused| panic!("{refused}"));
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, to: &mut [IoSlice<'a>]) -> usize {
        self.unread().fill_io_slices(to)
    }

    /// On the same block when the bytes lie in one segment; else a copy, which is counted.
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        let read = self.read_slice(len).unwrap_or_else(|refused| panic!("{refused}"));
        Bytes::from(read.to_slice())
    }
}

impl Buf for Sequence {
    #[inline]
    fn remaining(&self) -> usize {
        self.len()
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.as_ref().first()
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        Self::advance(self, count);
    }

    #[cfg(feature = "std")]
    fn chunks_vectored<'a>(&'a self, to: &mut [IoSlice<'a>]) -> usize {
        self.as_ref().fill_io_slices(to)
    }

    /// On the same block when the bytes lie in one segment; else a copy, which is counted.
    fn copy_to_bytes(&mut self, len: usize) -> Bytes {
        Bytes::from(self.split_to(len).into_slice())
    }
}

impl From<Bytes> for Sequence {
    /// Takes the `Bytes` over as one segment, without copying.
    fn from(bytes: Bytes) -> Self {
        Self::from(Slice::from(bytes))
    }
}
