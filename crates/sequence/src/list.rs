//! [`SegmentList`]: the growing list behind a pipe's reader.

use crate::{
    Sequence, SequenceRef,
    segment::{Segment, checked_distance, distance, end_of, join, let_go, make_room},
};
use alloc::vec::Vec;
use aqueduct_slice::Slice;
use core::{fmt, mem};

/// Segments that are pushed at the back and consumed or taken at the front.
///
/// In steady state it allocates nothing: consumed places of its vector are used again.
///
/// The last segment stays when all its bytes are consumed, so that a block which is still written
/// to can go on growing in place ([`extend_last`](Self::extend_last));
/// [`release_used`](Self::release_used) lets go of it.
///
/// ```
/// use aqueduct_sequence::SegmentList;
/// use aqueduct_slice::Slice;
///
/// let mut list = SegmentList::new();
/// list.push_back(Slice::from_static(b"head"));
/// list.push_back(Slice::from_static(b"and body"));
/// list.consume(4);
/// let body = list.take(8); // moves the handle out
/// assert_eq!(body, b"and body");
/// assert!(list.is_empty());
/// ```
#[derive(Default)]
pub struct SegmentList {
    /// 1. Those before `first` are used up and have given their slices up; from there on they are
    ///    as [`Segment`] says.
    segments: Vec<Segment>,
    /// 2. The first segment with bytes to read, or the last one, or the number of segments when
    ///    there is none.
    first: usize,
    /// 3. Where reading goes on: within `segments[first]`, its end included. Zero in an empty list.
    start: u64,
}

/// The most places that an empty list keeps for the next segments: 32 KiB of them.
const KEPT: usize = 1024;

impl SegmentList {
    /// A list without segments. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { segments: Vec::new(), first: 0, start: 0 }
    }

    /// Bytes to read.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        distance(self.start, self.end())
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end()
    }

    #[inline]
    fn end(&self) -> u64 {
        self.segments.last().map_or(self.start, |last| last.end)
    }

    /// What there is to read.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> SequenceRef<'_> {
        SequenceRef::over(&self.segments[self.first..], self.start, self.end())
    }

    /// The first `most` bytes of what there is to read, or all of it when that is less.
    #[must_use]
    #[inline]
    pub fn as_ref_up_to(&self, most: usize) -> SequenceRef<'_> {
        let end = self.start + self.len().min(most) as u64;
        SequenceRef::over(&self.segments[self.first..], self.start, end)
    }

    /// Appends a slice: as part of the last segment when it goes on where that ends in the same
    /// block, else as a segment of its own. An empty one is dropped. Amortised constant time.
    ///
    /// # Panics
    ///
    /// When the list would be longer than memory.
    #[inline]
    pub fn push_back(&mut self, slice: Slice) {
        if slice.is_empty() {
            return;
        }
        let end = end_of(self.end(), slice.len());
        checked_distance(self.start, end);
        let slice = match self.segments.last_mut() {
            Some(last) => match join(last, slice, end) {
                Some(apart) => apart,
                None => return,
            },
            None => slice,
        };
        if self.is_empty() && !self.segments.is_empty() {
            return self.push_anew(slice);
        }
        make_room(&mut self.segments, &mut self.first);
        self.segments.push(Segment { slice, end });
    }

    /// Appends a slice to a list whose segments are all used up.
    #[inline(never)]
    fn push_anew(&mut self, slice: Slice) {
        // Dropped when the other is in its place: an owner may panic.
        let _used = self.segments.last_mut().map(|last| mem::take(&mut last.slice));
        self.start_anew();
        let end = slice.len() as u64;
        self.segments.push(Segment { slice, end });
    }

    /// Gives the last segment's slice to `grow`, which may make it longer in place, and takes note
    /// of its new end. Returns what `grow` does; zero when there is no segment.
    ///
    /// The segment may be used up: it stays for this, emptied or not.
    ///
    /// # Panics
    ///
    /// As `grow`; then, too, the slice counts as what it has become.
    #[inline]
    pub fn extend_last(&mut self, grow: impl FnOnce(&mut Slice) -> usize) -> usize {
        let Some(start) = self.segments.last().map(Segment::start) else { return 0 };
        let list = Settled { list: self, start };
        list.list.segments.last_mut().map_or(0, |last| grow(&mut last.slice))
    }

    /// The last segment's slice, used up or not.
    #[must_use]
    #[inline]
    pub fn last(&self) -> Option<&Slice> {
        self.segments.last().map(|last| &last.slice)
    }

    /// Forgets the first `count` bytes, and lets go of the slices that are used up, but for the
    /// last: of all of them, even if an owner panics.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.check(count);
        self.start += count as u64;
        let from = self.first;
        while self.first + 1 < self.segments.len() && self.segments[self.first].end <= self.start {
            self.first += 1;
        }
        let_go(&mut self.segments[from..self.first]); // (1)
    }

    /// Takes the first `count` bytes out, as a sequence. Handles on whole segments are moved; only
    /// a segment that is cut gets one more, or its few bytes are moved inline. Bytes in one segment
    /// need no list, and no allocation.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[must_use = "the bytes are lost otherwise; consume() drops them"]
    #[inline]
    pub fn take(&mut self, count: usize) -> Sequence {
        self.check(count);
        let end = self.start + count as u64;
        match self.segments.get(self.first) {
            _ if count == 0 => Sequence::new(),
            Some(first) if end <= first.end => Sequence::from(self.take_within(count)),
            _ => self.take_across(end),
        }
    }

    /// Takes all up to `end`, which lies behind the first segment.
    #[inline(never)]
    fn take_across(&mut self, end: u64) -> Sequence {
        let here = &self.segments[self.first..];
        let whole = here.partition_point(|segment| segment.end <= end);
        let cut = distance(here[whole - 1].end, end);
        let mut taken = Vec::with_capacity(whole + 1);
        let first_end = here[0].end;
        let (first, used) = self.take_first();
        taken.push(Segment { slice: first, end: first_end });
        for _ in 1..whole {
            let end = self.segments[self.first].end;
            taken.push(Segment { slice: self.take_first().0, end });
        }
        if cut > 0 {
            taken.push(Segment { slice: self.take_within(cut), end });
        }
        // Last, when all are out: few bytes move inline, and an owner may panic.
        taken[0].slice.advance(used);
        Sequence::from_segments(taken)
    }

    /// Takes the next `count` bytes, which lie in the first segment: the handle, with what is left
    /// of it, or a part of it.
    #[inline]
    fn take_within(&mut self, count: usize) -> Slice {
        let first = &self.segments[self.first];
        if first.end - self.start > count as u64 {
            let used = distance(first.start(), self.start);
            self.start += count as u64;
            return first.slice.slice(used..used + count);
        }
        let (mut slice, used) = self.take_first();
        if used > 0 {
            slice.advance(used); // an owner may panic
        }
        slice
    }

    /// Takes the first segment out: its slice, and how many bytes of that were used up before.
    #[inline(always)]
    fn take_first(&mut self) -> (Slice, usize) {
        let first = &mut self.segments[self.first];
        let used = distance(first.start(), self.start);
        let slice = mem::take(&mut first.slice);
        self.start = first.end;
        self.first += 1;
        if self.first == self.segments.len() {
            self.start_anew();
        }
        (slice, used)
    }

    /// Lets go of the last segment if all its bytes are consumed: an idle list holds no block.
    #[inline]
    pub fn release_used(&mut self) {
        if self.is_empty() && !self.segments.is_empty() {
            self.start_anew();
        }
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.start_anew();
    }

    #[inline]
    fn start_anew(&mut self) {
        (self.first, self.start) = (0, 0);
        self.segments.clear();
        if self.segments.capacity() > KEPT {
            self.segments.shrink_to(KEPT);
        }
    }

    /// Drops the last segment, whose slice was taken away.
    #[cold]
    fn drop_last(&mut self) {
        let _last = self.segments.pop(); // an empty slice may still have an owner
        if self.first >= self.segments.len() {
            self.start_anew();
        }
    }

    #[inline]
    fn check(&self, count: usize) {
        let len = self.len();
        assert!(count <= len, "{count} bytes of a list of {len}");
    }
}

/// Corrects the end of the last segment when its slice was lent out, also if the borrower panics.
struct Settled<'a> {
    list: &'a mut SegmentList,
    /// Where the segment starts.
    start: u64,
}

impl Drop for Settled<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(last) = self.list.segments.last_mut() else { return };
        let used_up = last.end == self.list.start;
        // A borrower that made it shorter than what is consumed ends it there.
        last.end = (self.start + last.slice.len() as u64).max(self.list.start);
        if last.slice.is_empty() && !used_up {
            self.list.drop_last();
        }
    }
}

impl Extend<Slice> for SegmentList {
    fn extend<I: IntoIterator<Item = Slice>>(&mut self, slices: I) {
        slices.into_iter().for_each(|slice| self.push_back(slice));
    }
}

impl FromIterator<Slice> for SegmentList {
    fn from_iter<I: IntoIterator<Item = Slice>>(slices: I) -> Self {
        let mut list = Self::new();
        list.extend(slices);
        list
    }
}

impl fmt::Debug for SegmentList {
    /// What there is to read, as a byte string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}
