//! [`Sequence`]: the owned form.

use crate::{
    SequenceReader, SequenceRef,
    segment::{Segment, end_of, join},
    seqref::raise,
    window::Window,
};
use alloc::vec::Vec;
use aqueduct_slice::{RangeError, Slice};
use core::{mem, ops::RangeBounds, slice};

/// Room in a list that a second segment founds: what `Vec` would make, too.
const FIRST_LIST: usize = 4;

/// An owned sequence of slices that reads as one, cheap to clone and to send.
///
/// Bytes in one segment are held inline; more segments are one shared list, of which the sequence
/// shows a window. A clone is one more count on the list, however many segments it has.
///
/// A list keeps all its slices alive while more than one sequence shares it. Once one is left, the next
/// cut of that or push to it lets go of all that it does not show: a queue holds what is in it.
///
/// What reads is in [`SequenceRef`], which [`as_ref`](Self::as_ref) gives. Here is what builds and
/// cuts. Nothing here copies payload but [`into_slice`](Self::into_slice), which says when.
///
/// ```
/// use aqueduct_sequence::Sequence;
/// use aqueduct_slice::Slice;
///
/// let mut message = Sequence::from(Slice::from(vec![b'h'; 100]));
/// message.push(Slice::from(vec![b'b'; 4000]));
/// let head = message.split_to(100); // shares, copies nothing
/// assert_eq!((head.len(), message.len()), (100, 4000));
/// ```
#[derive(Clone)]
pub struct Sequence {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// The bytes of one slice, from zero on; or none, and then the slice is empty.
    One(Segment),
    /// More than one segment, when it was made.
    Many(Window),
}

#[cfg(all(target_pointer_width = "64", not(any(aqueduct_loom, aqueduct_shuttle))))]
const _: () = assert!(size_of::<Sequence>() == 32);

impl Sequence {
    /// A sequence without bytes. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self { kind: Kind::One(Segment { slice: Slice::new(), end: 0 }) }
    }

    #[inline]
    pub(crate) fn one(slice: Slice) -> Self {
        let end = slice.len() as u64;
        Self { kind: Kind::One(Segment { slice, end }) }
    }

    /// The sequence of all bytes of a list, none of whose segments is empty.
    pub(crate) fn from_segments(mut segments: Vec<Segment>) -> Self {
        if segments.len() < 2 {
            return segments.pop().map_or_else(Self::new, |only| Self::one(only.slice));
        }
        Self { kind: Kind::Many(Window::from(segments)) }
    }

    /// The borrowed form, which has all that reads.
    #[must_use]
    #[inline]
    pub fn as_ref(&self) -> SequenceRef<'_> {
        match &self.kind {
            Kind::One(only) => SequenceRef {
                head: only.slice.as_slice(),
                segments: slice::from_ref(only),
                after: 0,
                end: only.end,
            },
            Kind::Many(window) => window.as_ref(),
        }
    }

    /// A reader of all bytes, from the first on: the borrowed form's. Where `Buf` of the `bytes` crate is in
    /// scope, `reader()` is its method, which takes the sequence: `as_ref().reader()` is this one.
    ///
    /// ```
    /// use aqueduct_sequence::Sequence;
    ///
    /// let message = Sequence::from(vec![0, 0, 1, 2, 3]);
    /// let mut reader = message.reader();
    /// assert_eq!(reader.read_u24_be()?, 1);
    /// assert_eq!(reader.read_rest(), [2, 3]);
    /// # Ok::<(), aqueduct_sequence::ReadError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn reader(&self) -> SequenceReader<'_> {
        self.as_ref().reader()
    }

    /// Bytes in the sequence. Constant time.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        match &self.kind {
            Kind::One(only) => only.slice.len(),
            Kind::Many(window) => window.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that this handle keeps alive: the blocks of all segments of its list, where others
    /// share it those outside its window too. A block that several segments share is counted for each. Linear in
    /// the number of segments.
    #[must_use]
    pub fn pinned_bytes(&self) -> usize {
        let segments = match &self.kind {
            Kind::One(only) => slice::from_ref(only),
            Kind::Many(window) => window.all(),
        };
        segments.iter().map(|segment| segment.slice.pinned_bytes()).sum()
    }

    /// The bytes of `range` as a sequence of their own: a slice when they lie in one segment, else
    /// a window on the same list. Takes the logarithm of the number of segments.
    ///
    /// # Panics
    ///
    /// When `range` does not lie within the sequence.
    #[must_use]
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        self.try_slice(range).unwrap_or_else(|refused| raise(refused))
    }

    /// As [`slice`](Self::slice), without a panic.
    ///
    /// # Errors
    ///
    /// [`RangeError`] when `range` does not lie within the sequence.
    pub fn try_slice(&self, range: impl RangeBounds<usize>) -> Result<Self, RangeError> {
        let part = self.as_ref().try_slice(range)?;
        Ok(match &self.kind {
            Kind::Many(window) if !part.is_contiguous() => {
                Self { kind: Kind::Many(window.part(part.start(), part.end)) }
            }
            _ if part.is_empty() => Self::new(),
            _ => part.to_sequence(),
        })
    }

    /// Takes the first `at` bytes off, as a sequence. Takes the logarithm of the number of segments.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[must_use = "the bytes are lost otherwise; advance() drops them"]
    pub fn split_to(&mut self, at: usize) -> Self {
        let front = self.slice(..at);
        self.narrow(at, self.len());
        front
    }

    /// Takes the bytes from `at` on off, as a sequence. Takes the logarithm of the number of
    /// segments.
    ///
    /// # Panics
    ///
    /// When there are fewer than `at`.
    #[must_use = "the bytes are lost otherwise; truncate() drops them"]
    pub fn split_off(&mut self, at: usize) -> Self {
        let back = self.slice(at..);
        self.narrow(0, at);
        back
    }

    /// Drops all but the first `len` bytes; does nothing when there are no more. Slices that are
    /// not needed any more are let go if no other sequence shares the list.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.narrow(0, len);
        }
    }

    /// Drops the first `count` bytes, and the slices that are not needed any more if no other
    /// sequence shares the list.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    pub fn advance(&mut self, count: usize) {
        let len = self.len();
        if let Err(refused) = RangeError::check(count.., len) {
            raise(refused);
        }
        self.narrow(count, len);
    }

    /// Drops all bytes, and every handle.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Keeps the bytes `from..to` only, which are part of the sequence.
    fn narrow(&mut self, from: usize, to: usize) {
        match &mut self.kind {
            _ if from == to => self.clear(),
            Kind::One(only) => {
                only.slice.truncate(to);
                only.slice.advance(from);
                only.end = only.slice.len() as u64;
            }
            Kind::Many(window) => {
                if let Some(only) = window.narrow(from, to) {
                    *self = Self::one(only);
                }
            }
        }
    }

    /// Appends a slice: as part of the last segment when it goes on where that ends in the same
    /// block, else as a segment of its own. An empty one is dropped.
    ///
    /// Amortised constant time while no other sequence shares the list; otherwise the list of
    /// handles is copied once.
    ///
    /// # Panics
    ///
    /// When the sequence would be longer than memory.
    #[inline]
    pub fn push(&mut self, slice: impl Into<Slice>) {
        self.push_slice(slice.into());
    }

    fn push_slice(&mut self, slice: Slice) {
        if slice.is_empty() {
            return;
        }
        match &mut self.kind {
            Kind::One(only) if only.slice.is_empty() => *self = Self::one(slice),
            Kind::One(only) => {
                let end = end_of(only.end, slice.len());
                if let Some(apart) = join(only, slice, end) {
                    let mut segments = Vec::with_capacity(FIRST_LIST);
                    segments.push(mem::replace(only, Segment { slice: Slice::new(), end: 0 }));
                    segments.push(Segment { slice: apart, end });
                    *self = Self::from_segments(segments);
                }
            }
            Kind::Many(window) => window.push(slice),
        }
    }

    /// Appends all segments of another sequence. As [`push`](Self::push) for each, and constant
    /// time when this one is empty.
    ///
    /// # Panics
    ///
    /// When the sequence would be longer than memory.
    pub fn append(&mut self, other: impl Into<Self>) {
        let other = other.into();
        if self.is_empty() {
            *self = other;
        } else {
            self.extend(other);
        }
    }

    /// The handles: one, or a list with no empty ones, that nobody shares and that has nothing
    /// outside the window.
    pub(crate) fn into_segments(self) -> Result<Slice, Vec<Segment>> {
        match self.kind {
            Kind::One(only) => Ok(only.slice),
            Kind::Many(window) => Err(window.into_segments()),
        }
    }

    /// The bytes in one slice: the handle itself when they lie in one segment, else a copy, which
    /// is counted.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    #[must_use]
    pub fn into_slice(self) -> Slice {
        match self.kind {
            Kind::One(only) => only.slice,
            Kind::Many(window) => window.as_ref().to_slice(),
        }
    }
}

impl Default for Sequence {
    fn default() -> Self {
        Self::new()
    }
}
