//! [`Window`]: what a sequence of many segments shows of a list that it may share.

use crate::{
    SequenceRef,
    segment::{
        Segment, append, checked_distance, cut, cut_end, distance, end_of, let_go, make_room,
    },
};
use alloc::vec::Vec;
use aqueduct_base::sync::Arc;
use aqueduct_slice::Slice;
use core::mem;

/// A part of a shared list.
///
/// 1. `start..end` lies within the list, is not empty, and touches more than one segment.
/// 2. Segments that no window touches may have given their slices up.
#[derive(Clone)]
pub(crate) struct Window {
    list: Arc<List>,
    start: u64,
    end: u64,
}

/// The segments that windows share. Only who has the one window on it changes it.
struct List {
    segments: Vec<Segment>,
    /// How many at the front have given their slices up: no window touches those.
    used: usize,
}

impl From<Vec<Segment>> for Window {
    /// All of a list of more than one segment, none of them empty.
    fn from(segments: Vec<Segment>) -> Self {
        let (start, end) = (segments[0].start(), segments[segments.len() - 1].end);
        checked_distance(start, end);
        Self { list: Arc::new(List { segments, used: 0 }), start, end }
    }
}

impl Window {
    #[inline]
    pub(crate) fn as_ref(&self) -> SequenceRef<'_> {
        SequenceRef::over(&self.list.segments, self.start, self.end)
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        distance(self.start, self.end)
    }

    /// All segments of the list, those outside the window too.
    pub(crate) fn all(&self) -> &[Segment] {
        &self.list.segments
    }

    /// The window `start..end` of the same list, which touches more than one segment.
    #[inline]
    pub(crate) fn part(&self, start: u64, end: u64) -> Self {
        Self { list: Arc::clone(&self.list), start, end }
    }

    /// Keeps the bytes `from..to` only, of which there are some. Gives the slice, when they lie in
    /// one segment.
    pub(crate) fn narrow(&mut self, from: usize, to: usize) -> Option<Slice> {
        let (start, end) = (self.start + from as u64, self.start + to as u64);
        let part = SequenceRef::over(&self.list.segments, start, end);
        if part.is_contiguous() {
            return Some(part.handle());
        }
        (self.start, self.end) = (start, end);
        if !self.list.fits(start, end) && self.is_alone() {
            self.let_go();
        }
        None
    }

    /// Appends a slice that is not empty.
    pub(crate) fn push(&mut self, slice: Slice) {
        let end = end_of(self.end, slice.len());
        checked_distance(self.start, end);
        if !self.is_alone() {
            let segments = self.as_ref().to_segments();
            self.list = Arc::new(List { segments, used: 0 });
        } else if !self.list.fits(self.start, self.end) {
            self.let_go();
        }
        let Some(list) = Arc::get_mut(&mut self.list) else { unreachable!("the list is ours") };
        make_room(&mut list.segments, &mut list.used);
        append(&mut list.segments, slice, end);
        self.end = end;
    }

    /// Whether nobody shares the list. Nobody can begin to share what only we hold, so a count of
    /// one is certain.
    #[inline]
    fn is_alone(&self) -> bool {
        Arc::strong_count(&self.list) == 1
    }

    /// Cuts the list to the window, if nobody shares it: also to what was left of it while others
    /// did.
    #[inline(never)]
    fn let_go(&mut self) {
        if let Some(list) = Arc::get_mut(&mut self.list) {
            list.fit(self.start, self.end);
        }
    }

    /// The segments of the window: the list itself, if nobody shares it, else a copy.
    pub(crate) fn into_segments(mut self) -> Vec<Segment> {
        let Some(list) = Arc::get_mut(&mut self.list) else { return self.as_ref().to_segments() };
        list.fit(self.start, self.end);
        let mut segments = mem::take(&mut list.segments);
        segments.drain(..list.used);
        cut(&mut segments, self.start, self.end);
        segments
    }
}

impl List {
    /// Whether it holds no segment in front of a window, and nothing behind it.
    #[inline]
    fn fits(&self, start: u64, end: u64) -> bool {
        matches!(&self.segments[self.used..], [first, .., last] if first.end > start && last.end == end)
    }

    /// Lets go of what lies outside a window. What an owner that panics leaves undone, the next call does.
    fn fit(&mut self, start: u64, end: u64) {
        let last = self.segments.partition_point(|segment| segment.end < end);
        self.segments.truncate(last + 1);
        cut_end(&mut self.segments, end);
        let first = self.segments.partition_point(|segment| segment.end <= start);
        let used = mem::replace(&mut self.used, first);
        let_go(&mut self.segments[used..first]);
    }
}
