//! What a sequence is made of, and what it is taken apart into.

use crate::{
    Sequence, SequenceRef,
    segment::{Segment, append, end_of},
};
use alloc::{boxed::Box, string::String, vec, vec::Vec};
use aqueduct_slice::{Slice, SliceMut, Str};
use core::{iter::FusedIterator, ptr};

/// What an iterator's hint of its length is trusted for.
const MOST_HINTED: usize = 1024;

impl From<Slice> for Sequence {
    /// One segment, held inline. Constant time.
    #[inline]
    fn from(slice: Slice) -> Self {
        Self::one(slice)
    }
}

impl From<SliceMut> for Sequence {
    fn from(buffer: SliceMut) -> Self {
        Self::one(buffer.freeze())
    }
}

macro_rules! from_what_a_slice_takes_over {
    ($($source:ty),*) => {$(
        impl From<$source> for Sequence {
            /// One segment, without copying.
            fn from(source: $source) -> Self {
                Self::one(Slice::from(source))
            }
        }
    )*};
}

from_what_a_slice_takes_over!(Vec<u8>, Box<[u8]>, String, Str, &'static [u8], &'static str);

impl<const N: usize> From<&'static [u8; N]> for Sequence {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self::one(Slice::from_static(bytes))
    }
}

impl From<SequenceRef<'_>> for Sequence {
    /// As [`SequenceRef::to_sequence`].
    fn from(parts: SequenceRef<'_>) -> Self {
        parts.to_sequence()
    }
}

impl FromIterator<Slice> for Sequence {
    /// Moves the handles; empty ones are dropped, neighbours in one block are joined.
    fn from_iter<I: IntoIterator<Item = Slice>>(slices: I) -> Self {
        let slices = slices.into_iter();
        // A hint may lie, upwards too.
        let mut segments = Vec::with_capacity(slices.size_hint().0.min(MOST_HINTED));
        let mut end = 0;
        let mut tail = ptr::null();
        for slice in slices {
            let bytes = slice.as_slice().as_ptr_range();
            if bytes.start == bytes.end {
                continue;
            }
            end = end_of(end, slice.len());
            // Only what begins where the last one ended, or is inline, may join it.
            if bytes.start == tail || slice.is_inline() {
                append(&mut segments, slice, end);
            } else {
                segments.push(Segment { slice, end });
            }
            tail = bytes.end;
        }
        Self::from_segments(segments)
    }
}

impl Extend<Slice> for Sequence {
    fn extend<I: IntoIterator<Item = Slice>>(&mut self, slices: I) {
        slices.into_iter().for_each(|slice| self.push(slice));
    }
}

impl IntoIterator for Sequence {
    type Item = Slice;
    type IntoIter = IntoSlices;

    /// The segments as slices, none of them empty: the handles themselves, if nobody shares the
    /// list.
    fn into_iter(self) -> IntoSlices {
        match self.into_segments() {
            Ok(one) => {
                let one = Some(one).filter(|slice| !slice.is_empty());
                IntoSlices { one, many: Vec::new().into_iter() }
            }
            Err(many) => IntoSlices { one: None, many: many.into_iter() },
        }
    }
}

/// The segments of a [`Sequence`] as slices.
#[derive(Clone, Debug)]
pub struct IntoSlices {
    one: Option<Slice>,
    many: vec::IntoIter<Segment>,
}

impl Iterator for IntoSlices {
    type Item = Slice;

    #[inline]
    fn next(&mut self) -> Option<Slice> {
        self.one.take().or_else(|| self.many.next().map(|segment| segment.slice))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = usize::from(self.one.is_some()) + self.many.len();
        (count, Some(count))
    }
}

impl ExactSizeIterator for IntoSlices {}

impl FusedIterator for IntoSlices {}
