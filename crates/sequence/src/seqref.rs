//! [`SequenceRef`]: the borrowed form, which holds the algorithms.

use crate::{
    Sequence, SequenceReader,
    segment::{Segment, cut, distance},
};
use alloc::{borrow::Cow, vec, vec::Vec};
use aqueduct_base::copy;
use aqueduct_slice::{RangeError, Slice, SliceMut};
use core::{iter::FusedIterator, ops::RangeBounds, slice};

/// A borrowed, `Copy` window over bytes that lie in one or in many segments.
///
/// Reading one allocates nothing and copies nothing, but where a method says so. Positions are
/// offsets from its first byte, whatever the segments are: the end of one segment and the start of
/// the next are the same place, and a position means on a flat slice what it means here.
///
/// It is made from a [`Sequence`], a [`SegmentList`](crate::SegmentList) or a plain `&[u8]`.
///
/// ```
/// use aqueduct_sequence::Sequence;
/// use aqueduct_slice::Slice;
///
/// let parts = [Slice::from_static(b"GET /index"), Slice::from_static(b".html HTTP/1.1\r\n")];
/// let sequence = Sequence::from_iter(parts);
/// let line = sequence.as_ref();
/// let end = line.find_slice(b"\r\n").expect("a whole line");
/// let words: Vec<_> = line.slice(..end).split(b' ').collect();
/// assert_eq!(words[1], b"/index.html"); // it lies in two segments
/// ```
#[derive(Clone, Copy)]
pub struct SequenceRef<'a> {
    /// 1. The bytes of the window in its first segment: empty only when the window is.
    pub(crate) head: &'a [u8],
    /// 2. The segments that the window touches, of which `head` lies in the first and the window's
    ///    last byte in the last; or none, when the bytes are those of a plain slice.
    pub(crate) segments: &'a [Segment],
    /// 3. The bytes of the window behind `head`.
    pub(crate) after: usize,
    /// 4. Where the window ends, on the scale of the segments' ends.
    pub(crate) end: u64,
}

impl<'a> SequenceRef<'a> {
    /// A window without bytes.
    pub const EMPTY: Self = Self { head: &[], segments: &[], after: 0, end: 0 };

    /// The window `start..end` of a list.
    #[inline]
    pub(crate) fn over(segments: &'a [Segment], start: u64, end: u64) -> Self {
        if start == end {
            return Self::EMPTY;
        }
        // Windows mostly begin and end where their list does.
        let first = match segments.first() {
            Some(first) if first.end > start => 0,
            _ => segments.partition_point(|segment| segment.end <= start),
        };
        let last = match segments.len().checked_sub(2) {
            Some(before) if segments[before].end >= end => {
                segments.partition_point(|segment| segment.end < end)
            }
            _ => segments.len() - 1,
        };
        Self::within(&segments[first..=last], start, end)
    }

    /// The window `start..end`, which is not empty, over exactly the segments that it touches.
    #[inline]
    fn within(segments: &'a [Segment], start: u64, end: u64) -> Self {
        let first = &segments[0];
        let bytes = first.slice.as_slice();
        let begins = first.end - bytes.len() as u64;
        let head = &bytes[distance(begins, start)..distance(begins, end.min(first.end))];
        Self { head, segments, after: distance(start, end) - head.len(), end }
    }

    /// Bytes in the window. Constant time.
    #[must_use]
    #[inline]
    pub const fn len(self) -> usize {
        self.head.len() + self.after
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.head.is_empty()
    }

    /// Whether all bytes lie in one segment. An empty window counts as one that does.
    #[must_use]
    #[inline]
    pub const fn is_contiguous(self) -> bool {
        self.after == 0
    }

    /// The bytes of the first segment: all of them, when they lie in one; empty only when the
    /// window is.
    #[must_use]
    #[inline]
    pub const fn first(self) -> &'a [u8] {
        self.head
    }

    /// The bytes of the last segment: empty only when the window is.
    #[must_use]
    pub fn last(self) -> &'a [u8] {
        let (Some(last), false) = (self.segments.last(), self.after == 0) else {
            return self.head;
        };
        &last.slice.as_slice()[..distance(last.start(), self.end)]
    }

    /// How many segments the window touches. Constant time.
    #[must_use]
    #[inline]
    pub const fn segment_count(self) -> usize {
        match (self.after, self.head.is_empty()) {
            (0, empty) => !empty as usize,
            _ => self.segments.len(),
        }
    }

    /// The pieces of the window, in order, none of them empty.
    #[must_use]
    #[inline]
    pub fn segments(self) -> Segments<'a> {
        let behind = if self.after == 0 { &[] } else { &self.segments[1..] };
        Segments { next: self.head, rest: behind.iter(), after: self.after }
    }

    /// The byte at `offset`. Takes the logarithm of the number of segments.
    #[must_use]
    pub fn get(self, offset: usize) -> Option<u8> {
        if offset >= self.len() {
            return None;
        }
        self.window(offset, self.len()).head.first().copied()
    }

    /// The bytes of `range` as a window of their own. Takes the logarithm of the number of segments,
    /// and copies nothing.
    ///
    /// # Panics
    ///
    /// When `range` does not lie within the window.
    #[must_use]
    #[inline]
    pub fn slice(self, range: impl RangeBounds<usize>) -> Self {
        match self.try_slice(range) {
            Ok(part) => part,
            Err(refused) => raise(refused),
        }
    }

    /// As [`slice`](Self::slice), without a panic.
    ///
    /// # Errors
    ///
    /// [`RangeError`] when `range` does not lie within the window.
    #[inline]
    pub fn try_slice(self, range: impl RangeBounds<usize>) -> Result<Self, RangeError> {
        let range = RangeError::check(range, self.len())?;
        Ok(self.window(range.start, range.end))
    }

    /// Where the window starts, on the scale of the segments' ends.
    #[inline]
    pub(crate) fn start(self) -> u64 {
        self.end - self.len() as u64
    }

    /// The bytes `from..to`, which lie within the window.
    #[inline]
    pub(crate) fn window(self, from: usize, to: usize) -> Self {
        if from == to {
            return Self::EMPTY;
        }
        if to > self.head.len() {
            return self.far_window(from, to);
        }
        let segments = self.segments.get(..1).unwrap_or_default();
        let end = self.start() + to as u64;
        Self { head: &self.head[from..to], segments, after: 0, end }
    }

    #[inline(never)]
    fn far_window(self, from: usize, to: usize) -> Self {
        let start = self.start();
        Self::over(self.segments, start + from as u64, start + to as u64)
    }

    /// Forgets the first `count` bytes of the head.
    #[inline(always)]
    pub(crate) fn skip_in_head(&mut self, count: usize) {
        self.head = &self.head[count..];
        if self.head.is_empty() {
            self.refill();
        }
    }

    /// Forgets the head.
    #[inline(always)]
    pub(crate) fn skip_head(&mut self) {
        self.skip_in_head(self.head.len());
    }

    /// Goes on to the next segment, when the head is used up.
    #[inline(never)]
    fn refill(&mut self) {
        self.refill_here();
    }

    #[inline(always)]
    pub(crate) fn refill_here(&mut self) {
        let [_, rest @ ..] = self.segments else { return };
        let Some(next) = rest.first() else { return };
        self.head = up_to(next.slice.as_slice(), self.after);
        self.after -= self.head.len();
        self.segments = rest;
    }

    /// A reader from the first byte on.
    #[must_use]
    #[inline]
    pub const fn reader(self) -> SequenceReader<'a> {
        SequenceReader::new(self)
    }

    /// The same bytes as an owned sequence: one more handle for each segment, nothing copied. Only
    /// the bytes of a plain `&[u8]`, which nobody shares, are copied, and counted.
    #[must_use]
    pub fn to_sequence(self) -> Sequence {
        if self.segments.is_empty() {
            return Sequence::from(self.copied());
        }
        if self.is_contiguous() {
            return Sequence::from(self.handle());
        }
        Sequence::from_segments(self.to_segments())
    }

    /// The bytes of the head, which nobody shares. None is no copy, and would be counted as one.
    fn copied(self) -> Slice {
        if self.head.is_empty() { Slice::new() } else { Slice::copy_from_slice(self.head) }
    }

    /// A handle on the bytes of the head, which are a segment's.
    pub(crate) fn handle(self) -> Slice {
        let first = &self.segments[0];
        let from = distance(first.start(), self.start());
        first.slice.slice(from..from + self.head.len())
    }

    /// Handles on exactly the bytes of the window, which are segments'.
    pub(crate) fn to_segments(self) -> Vec<Segment> {
        let mut segments = Vec::from(self.segments);
        cut(&mut segments, self.start(), self.end);
        segments
    }

    /// The bytes in one slice: one more handle when they lie in one segment, else a copy, which is
    /// counted.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    #[must_use]
    pub fn to_slice(self) -> Slice {
        if self.segments.is_empty() {
            return self.copied();
        }
        if self.is_contiguous() {
            return self.handle();
        }
        let mut flat = SliceMut::with_capacity(self.len());
        self.segments().for_each(|piece| flat.extend_from_slice(piece));
        flat.freeze()
    }

    /// The bytes in one piece: borrowed when they lie in one segment, else copied, and counted.
    #[must_use]
    pub fn to_contiguous(self) -> Cow<'a, [u8]> {
        if self.is_contiguous() {
            return Cow::Borrowed(self.head);
        }
        let mut flat = vec![0; self.len()];
        self.fill(&mut flat);
        Cow::Owned(flat)
    }

    /// Copies all bytes to the front of `to`, and counts them. Gives how many there were; what lies
    /// behind them stays as it was.
    ///
    /// # Errors
    ///
    /// [`RangeError`] when `to` is too short; nothing was copied.
    #[inline]
    pub fn gather(self, to: &mut [u8]) -> Result<usize, RangeError> {
        let all = RangeError::check(..self.len(), to.len())?;
        self.fill(&mut to[all]);
        Ok(self.len())
    }

    /// Copies all bytes to `to`, which is as long.
    #[inline]
    pub(crate) fn fill(self, mut to: &mut [u8]) {
        for piece in self.segments() {
            let (here, rest) = to.split_at_mut(piece.len());
            copy(here, piece);
            to = rest;
        }
    }
}

#[cold]
#[inline(never)]
pub(crate) fn raise(refused: RangeError) -> ! {
    panic!("{refused}");
}

impl Default for SequenceRef<'_> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a> From<&'a [u8]> for SequenceRef<'a> {
    /// A window over a plain slice: what is written for sequences reads slices at the same speed.
    #[inline]
    fn from(bytes: &'a [u8]) -> Self {
        Self { head: bytes, segments: &[], after: 0, end: bytes.len() as u64 }
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for SequenceRef<'a> {
    #[inline]
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::from(bytes.as_slice())
    }
}

impl<'a> From<&'a Sequence> for SequenceRef<'a> {
    #[inline]
    fn from(sequence: &'a Sequence) -> Self {
        sequence.as_ref()
    }
}

/// The pieces of a sequence; made by [`SequenceRef::segments`].
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    next: &'a [u8],
    /// Those behind `next`.
    rest: slice::Iter<'a, Segment>,
    /// Bytes in them.
    after: usize,
}

impl<'a> Iterator for Segments<'a> {
    type Item = &'a [u8];

    #[inline(always)] // a loop over pieces does little else
    fn next(&mut self) -> Option<&'a [u8]> {
        let piece = self.next;
        self.next = match self.rest.next() {
            Some(segment) => up_to(segment.slice.as_slice(), self.after),
            None => &[],
        };
        self.after -= self.next.len();
        if piece.is_empty() { None } else { Some(piece) }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = usize::from(!self.next.is_empty()) + self.rest.len();
        (count, Some(count))
    }
}

/// The first `most` bytes, or all of them when there are fewer.
#[inline(always)]
fn up_to(bytes: &[u8], most: usize) -> &[u8] {
    &bytes[..bytes.len().min(most)]
}

impl ExactSizeIterator for Segments<'_> {}

impl FusedIterator for Segments<'_> {}

impl<'a> IntoIterator for SequenceRef<'a> {
    type Item = &'a [u8];
    type IntoIter = Segments<'a>;

    fn into_iter(self) -> Segments<'a> {
        self.segments()
    }
}
