//! [`Segment`]: a slice, and where it ends on a scale that never moves.

use alloc::vec::Vec;
use aqueduct_slice::{Slice, Unjoined};
use core::{mem, slice};

/// One piece of a list.
///
/// Its end is absolute: counted from where the list once began, whatever was taken off the front
/// since. So taking off the front and slicing rebase nothing, and a place is found by bisection.
///
/// Invariants of a list of segments, wherever one is kept:
///
/// 1. No segment is empty when it is put in. (One whose bytes nobody can reach any more may have
///    given its slice up; its end stays.)
/// 2. A segment starts where the one before it ends: `end` rises by the slice's length.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) slice: Slice,
    pub(crate) end: u64,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Segment>() == 32);

impl Segment {
    /// Where the segment starts.
    #[inline]
    pub(crate) fn start(&self) -> u64 {
        self.end - self.slice.len() as u64
    }
}

/// The end of what starts at `start` and has `len` bytes.
///
/// # Panics
///
/// When a list would hold more than 2^64 bytes, counting what was taken off its front.
#[inline]
pub(crate) fn end_of(start: u64, len: usize) -> u64 {
    let Some(end) = start.checked_add(len as u64) else {
        panic!("{len} bytes more than a sequence can count")
    };
    end
}

/// The bytes between two places.
///
/// No window is longer than `usize` says: [`checked_distance`] sees to it where bytes are added.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "checked where bytes are added")]
pub(crate) fn distance(start: u64, end: u64) -> usize {
    (end - start) as usize
}

/// As [`distance`], where a window grows.
///
/// # Panics
///
/// When it would be longer than `usize` says.
#[inline]
pub(crate) fn checked_distance(start: u64, end: u64) -> usize {
    let Ok(len) = usize::try_from(end - start) else {
        panic!("a sequence of {} bytes is longer than memory", end - start)
    };
    len
}

/// Appends `slice` to a segment, which then ends at `end`, if it goes on where that ends in the same
/// block, or both are short enough for one handle. Gives it back otherwise.
#[inline(always)]
pub(crate) fn join(last: &mut Segment, slice: Slice, end: u64) -> Option<Slice> {
    // Told from their addresses alone: worth a try.
    let worth = last.slice.as_ptr_range().end == slice.as_ptr()
        || last.slice.is_inline() && last.slice.len() + slice.len() <= Slice::INLINE;
    if worth { try_join(last, slice, end) } else { Some(slice) }
}

#[inline(never)]
fn try_join(last: &mut Segment, slice: Slice, end: u64) -> Option<Slice> {
    match mem::take(&mut last.slice).try_unsplit(slice) {
        Ok(joined) => {
            *last = Segment { slice: joined, end };
            None
        }
        Err(Unjoined { first, second }) => {
            last.slice = first;
            Some(second)
        }
    }
}

/// Appends a slice that is not empty to a list, which then ends at `end`.
#[inline(never)]
pub(crate) fn append(list: &mut Vec<Segment>, slice: Slice, end: u64) {
    let apart = match list.last_mut() {
        Some(last) => join(last, slice, end),
        None => Some(slice),
    };
    if let Some(slice) = apart {
        list.push(Segment { slice, end });
    }
}

/// Cuts the last segment of a list to `end`, which lies in it.
pub(crate) fn cut_end(list: &mut [Segment], end: u64) {
    if let Some(last) = list.last_mut().filter(|last| last.end > end) {
        let len = distance(last.start(), end);
        last.end = end; // first: few bytes move inline, and an owner may panic
        last.slice.truncate(len);
    }
}

/// Cuts the first and the last segment of a list to the window `start..end`, which touches both.
pub(crate) fn cut(list: &mut [Segment], start: u64, end: u64) {
    cut_end(list, end);
    if let Some(first) = list.first_mut().filter(|first| first.start() < start) {
        first.slice.advance(distance(first.start(), start));
    }
}

/// Uses the places of the first `used` segments, which have given their slices up, again before the
/// vector would grow.
#[inline]
pub(crate) fn make_room(list: &mut Vec<Segment>, used: &mut usize) {
    // At least half: so each segment is moved once in the mean.
    let full = list.len() == list.capacity();
    if full && *used > 0 && *used >= list.len() / 2 {
        list.drain(..*used);
        *used = 0;
    }
}

/// Lets go of the slices of segments that are used up: of all of them, even if an owner panics.
#[inline]
pub(crate) fn let_go(segments: &mut [Segment]) {
    Used(segments.iter_mut()).let_go();
}

/// Segments that are used up. Dropped, they have given all their slices up, also if an owner panics.
struct Used<'a>(slice::IterMut<'a, Segment>);

impl Used<'_> {
    #[inline]
    fn let_go(&mut self) {
        self.0.by_ref().for_each(|used| drop(mem::take(&mut used.slice)));
    }
}

impl Drop for Used<'_> {
    #[inline]
    fn drop(&mut self) {
        self.let_go();
    }
}
