//! What can be refused, each with what was asked for and, where there is one, the value given back.

use crate::{Slice, Str};
use core::{
    error::Error,
    fmt,
    ops::{Bound, Range, RangeBounds},
};

/// A range that does not lie within a slice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeError {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) len: usize,
}

impl fmt::Display for RangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end, len } = self;
        write!(f, "range {start}..{end} does not lie within {len} bytes")
    }
}

impl Error for RangeError {}

impl RangeError {
    /// The bounds of `range` within `len` bytes: for other containers of bytes, so that all of them
    /// refuse alike.
    ///
    /// # Errors
    ///
    /// [`RangeError`] when `range` does not lie within `len` bytes.
    #[inline]
    pub fn check(range: impl RangeBounds<usize>, len: usize) -> Result<Range<usize>, Self> {
        resolve(range, len).map(|(start, end)| start..end)
    }

    #[cold]
    #[inline(never)]
    pub(crate) fn raise(self) -> ! {
        panic!("{self}");
    }
}

/// The first index of `range` and the one behind its last, within `len` bytes, with no sum that wraps.
#[inline(always)]
pub(crate) fn resolve(
    range: impl RangeBounds<usize>,
    len: usize,
) -> Result<(usize, usize), RangeError> {
    // An excluded start, or included end, of usize::MAX saturates to an index no slice has.
    let start = match range.start_bound() {
        Bound::Included(&at) => at,
        Bound::Excluded(&at) => at.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&at) => at.saturating_add(1),
        Bound::Excluded(&at) => at,
        Bound::Unbounded => len,
    };
    if start <= end && end <= len { Ok((start, end)) } else { Err(RangeError { start, end, len }) }
}

/// Two slices that are not neighbours in one block, given back as they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unjoined {
    /// The slice that was to be extended.
    pub first: Slice,
    /// The slice that was to follow it.
    pub second: Slice,
}

impl fmt::Display for Unjoined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = (self.first.len(), self.second.len());
        write!(f, "slices of {first} and {second} bytes are not neighbours in one block")
    }
}

impl Error for Unjoined {}

/// There is not enough room in front of the data for what was to be prepended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoHeadroom {
    pub(crate) asked: usize,
    pub(crate) headroom: usize,
}

impl fmt::Display for NoHeadroom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot prepend {} bytes with {} bytes of headroom", self.asked, self.headroom)
    }
}

impl Error for NoHeadroom {}

/// A slice that is not UTF-8, given back with the place of the first fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utf8Error {
    pub(crate) slice: Slice,
    pub(crate) error: core::str::Utf8Error,
}

impl Utf8Error {
    /// The slice that was refused.
    #[must_use]
    pub fn into_slice(self) -> Slice {
        self.slice
    }

    /// The longest prefix that is UTF-8. Constant time.
    #[must_use]
    pub fn valid_prefix(&self) -> Str {
        let valid = self.slice.slice(..self.error.valid_up_to());
        // A prefix that was just found valid cannot be refused.
        Str::from_utf8(valid).unwrap_or_default()
    }

    /// Where the first fault is, and how long.
    #[must_use]
    pub const fn cause(&self) -> core::str::Utf8Error {
        self.error
    }
}

impl fmt::Display for Utf8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Utf8Error {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}
