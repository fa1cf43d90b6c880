//! [`Slice`]: what most users hold.

use crate::{
    AllocError, LocalSlice, RangeError, SliceMut, Unjoined,
    error::resolve,
    foreign,
    header::Header,
    heap,
    raw::{INLINE, Raw, into_raw},
};
use alloc::{boxed::Box, string::String, vec::Vec};
use aqueduct_base::meter;
use core::{mem, ops::RangeBounds, ptr::NonNull};

/// An immutable, refcounted view of bytes.
///
/// Three words, as is `Option<Slice>`. Up to [`Slice::INLINE`] bytes live in the handle itself;
/// longer ones in static memory, or in a block with a count: of the heap, of a pool, or of any
/// owner.
///
/// Narrowing a slice ([`slice`](Self::slice), [`split_to`](Self::split_to),
/// [`advance`](Self::advance), ...) to so few bytes moves them inline, so that **a few bytes never
/// keep a large block alive**. That is counted apart by the [meter](aqueduct_base::meter), not as a
/// copy. What must go on pointing into its block uses [`slice_shared`](Self::slice_shared).
///
/// Inline bytes move with the handle: a slice is not a stable address until it is
/// [pinned](Self::pin).
///
/// ```
/// use aqueduct_slice::Slice;
///
/// let page = Slice::from(vec![b'x'; 4096]); // takes the Vec over
/// let (head, body) = (page.slice(..16), page.slice(16..));
/// assert!(head.is_inline());
/// assert_eq!(body.as_ptr(), page[16..].as_ptr());
/// ```
pub struct Slice {
    // Holds what its tag says, and its destructor gives it up.
    pub(crate) raw: Raw,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Slice>() == 24 && size_of::<Option<Slice>>() == 24);

impl Slice {
    /// The most bytes that live in the handle: 23 on 64-bit targets.
    pub const INLINE: usize = INLINE;

    /// An empty slice. Allocates nothing.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self::from_static(&[])
    }

    /// A slice of static memory. No count, no allocation.
    #[must_use]
    #[inline]
    pub const fn from_static(bytes: &'static [u8]) -> Self {
        Self { raw: Raw::from_static(bytes) }
    }

    /// A slice with a copy of `bytes`, inline if they are few. Counted as a copy; linear.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    #[must_use]
    #[inline]
    pub fn copy_from_slice(bytes: &[u8]) -> Self {
        if bytes.len() <= INLINE {
            meter::count_copy(bytes.len());
            return Self { raw: Raw::inline(bytes) };
        }
        Self::copy_long(bytes)
    }

    /// Apart, so that a short copy is made where it is asked for.
    #[inline(never)]
    fn copy_long(bytes: &[u8]) -> Self {
        Self::copy_to_block(bytes).unwrap_or_else(|refused| refused.raise())
    }

    fn copy_to_block(bytes: &[u8]) -> Result<Self, AllocError> {
        let mut block = heap::allocate(bytes.len())?;
        block.extend_from_slice(bytes);
        Ok(block.freeze())
    }

    /// A slice of all the bytes of `owner`, which is kept until the last handle is gone and then
    /// dropped, on whichever thread that happens.
    ///
    /// Asks `as_ref` once. A small owner (up to 32 bytes) costs no allocation in steady state.
    ///
    /// ```
    /// use aqueduct_slice::Slice;
    /// use std::sync::Arc;
    ///
    /// let shared: Arc<[u8]> = Arc::from([7; 100]);
    /// let slice = Slice::from_owner(shared);
    /// assert_eq!(slice.len(), 100);
    /// ```
    ///
    /// An owner that must stay on its thread is refused:
    ///
    /// ```compile_fail,E0277
    /// let local: std::rc::Rc<[u8]> = std::rc::Rc::from([7; 100]);
    /// let _ = aqueduct_slice::Slice::from_owner(local);
    /// ```
    ///
    /// # Panics
    ///
    /// When memory is out, or when `as_ref` does; the owner is then dropped.
    #[must_use]
    pub fn from_owner<O: AsRef<[u8]> + Send + Sync + 'static>(owner: O) -> Self {
        foreign::from_owner(owner)
    }

    /// Bytes in the slice.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.as_slice().len()
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes. In a loop over them take this once: each call decides anew where they are.
    #[must_use]
    #[inline(always)]
    pub fn as_slice(&self) -> &[u8] {
        self.raw.as_slice()
    }

    /// The bytes of `range` as a slice of their own: inline when they are few, else one more handle
    /// on the same block. Constant time.
    ///
    /// # Panics
    ///
    /// When `range` does not lie within the slice.
    #[must_use]
    #[inline(always)] // a call would cost more than the rest
    pub fn slice(&self, range: impl RangeBounds<usize>) -> Self {
        match resolve(range, self.len()) {
            Ok((start, end)) => Self { raw: self.raw.part(start, end) },
            Err(refused) => refused.raise(),
        }
    }

    /// As [`slice`](Self::slice), without a panic.
    ///
    /// # Errors
    ///
    /// [`RangeError`] when `range` does not lie within the slice.
    #[inline]
    pub fn try_slice(&self, range: impl RangeBounds<usize>) -> Result<Self, RangeError> {
        let (start, end) = resolve(range, self.len())?;
        Ok(Self { raw: self.raw.part(start, end) })
    }

    /// As [`slice`](Self::slice), but on the same block however few the bytes are: for claims that
    /// no byte moved, and for I/O. (A slice that is inline already has no block.)
    ///
    /// ```
    /// use aqueduct_slice::Slice;
    ///
    /// let block = Slice::from(vec![7; 100]);
    /// assert!(block.slice(10..12).is_inline());
    /// assert_eq!(block.slice_shared(10..12).as_ptr(), &raw const block[10]);
    /// ```
    ///
    /// # Panics
    ///
    /// When `range` does not lie within the slice.
    #[must_use]
    #[inline]
    pub fn slice_shared(&self, range: impl RangeBounds<usize>) -> Self {
        match resolve(range, self.len()) {
            Ok((start, end)) => Self { raw: self.raw.part_shared(start, end) },
            Err(refused) => refused.raise(),
        }
    }

    /// The slice for `subset`, a borrowed part of this one: what a parser that knows `&[u8]` only
    /// found. Constant time.
    ///
    /// # Panics
    ///
    /// When `subset` is not part of this slice's bytes.
    #[must_use]
    pub fn slice_ref(&self, subset: &[u8]) -> Self {
        if subset.is_empty() {
            return Self::new();
        }
        let start = subset.as_ptr().addr().wrapping_sub(self.as_slice().as_ptr().addr());
        let refused =
            RangeError { start, end: start.saturating_add(subset.len()), len: self.len() };
        if refused.end > refused.len {
            refused.raise();
        }
        self.slice(start..refused.end)
    }

    /// Takes the first `at` bytes off, as a slice. Constant time.
    ///
    /// ```
    /// use aqueduct_slice::Slice;
    ///
    /// let mut rest = Slice::from_static(b"head, and a body that is longer");
    /// assert_eq!(rest.split_to(6), b"head, ");
    /// assert_eq!(rest, b"and a body that is longer");
    /// ```
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[must_use = "the bytes are lost otherwise; advance() drops them"]
    #[inline]
    pub fn split_to(&mut self, at: usize) -> Self {
        let raw = match self.raw.split(at) {
            Some((front, back)) => {
                self.raw = back;
                front
            }
            None => into_raw!(self.split_short_to(at)).rebuilt(),
        };
        Self { raw }
    }

    /// Where one of the parts moves inline, or there is only one.
    #[inline(never)]
    fn split_short_to(&mut self, at: usize) -> Self {
        if at == self.len() {
            return mem::take(self);
        }
        let front = self.slice(..at);
        self.narrow(at..);
        front
    }

    /// Takes the bytes from `at` on off, as a slice. Constant time.
    ///
    /// # Panics
    ///
    /// When there are fewer than `at`.
    #[must_use = "the bytes are lost otherwise; truncate() drops them"]
    #[inline]
    pub fn split_off(&mut self, at: usize) -> Self {
        let front = self.split_to(at);
        mem::replace(self, front)
    }

    /// Drops all but the first `len` bytes; does nothing when there are no more.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.narrow(..len);
        }
    }

    /// Drops the first `count` bytes.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.narrow(count..);
    }

    /// Drops all bytes, and the handle on their block.
    #[inline]
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// Keeps the bytes of `range` only: inline when they are few, which gives the count up.
    #[inline]
    fn narrow(&mut self, range: impl RangeBounds<usize>) {
        let len = self.len();
        let (start, end) = resolve(range, len).unwrap_or_else(|refused| refused.raise());
        if end - start <= INLINE || self.is_inline() {
            *self = self.slice(start..end);
        } else {
            self.raw = self.raw.narrowed(start, end - start);
        }
    }

    /// Joins `next` to the end of this slice: two parts of one block that were neighbours, or two
    /// inline slices short enough together. Constant time, copies nothing.
    ///
    /// ```
    /// use aqueduct_slice::Slice;
    ///
    /// let mut back = Slice::from(vec![7; 100]);
    /// let front = back.split_to(40);
    /// assert_eq!(front.try_unsplit(back)?, [7; 100]);
    /// # Ok::<(), aqueduct_slice::Unjoined>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unjoined`], with both slices, when they are not neighbours.
    pub fn try_unsplit(self, next: Self) -> Result<Self, Unjoined> {
        let (left, right) = (self.len(), next.len());
        if right == 0 {
            return Ok(self);
        }
        if left == 0 {
            return Ok(next);
        }
        if self.is_inline() && next.is_inline() && left + right <= INLINE {
            let mut both = [0; INLINE];
            both.iter_mut().zip(self.iter().chain(next.iter())).for_each(|(to, from)| *to = *from);
            meter::count_inlined();
            return Ok(Self { raw: Raw::inline(&both[..left + right]) });
        }
        let neighbours = !self.is_inline()
            && !next.is_inline()
            && self.raw.header().is_some()
            && self.raw.header() == next.raw.header()
            && self.raw.start().wrapping_add(left) == next.raw.start();
        if !neighbours {
            return Err(Unjoined { first: self, second: next });
        }
        let raw = into_raw!(self).widened(right);
        drop(next);
        Ok(Self { raw })
    }

    /// Whether no other handle shares the block. False for static memory, true inline.
    #[must_use]
    #[inline]
    pub fn is_unique(&self) -> bool {
        self.is_inline() || self.raw.is_unique()
    }

    /// The slice as a [`SliceMut`] over the same bytes, with the rest of the block as headroom and
    /// capacity. Constant time, copies nothing.
    ///
    /// ```
    /// use aqueduct_slice::Slice;
    ///
    /// let slice = Slice::from(vec![7; 100]);
    /// let other = slice.clone();
    /// let slice = slice.try_into_mut().expect_err("two handles share the block");
    /// drop(other);
    /// let mut bytes = slice.try_into_mut().expect("the only handle");
    /// bytes[0] = 8;
    /// ```
    ///
    /// # Errors
    ///
    /// The slice itself, when the block is shared, is not writable (static memory, a foreign owner
    /// other than a `Vec`), or there is none (inline).
    pub fn try_into_mut(self) -> Result<SliceMut, Self> {
        SliceMut::from_unique(self)
    }

    /// The slice with a plain count, for work on this thread. Constant time.
    ///
    /// # Errors
    ///
    /// The slice itself, when the block is shared with other handles.
    pub fn into_local(self) -> Result<LocalSlice, Self> {
        LocalSlice::from_unique(self)
    }

    /// Whether the bytes live in the handle.
    #[must_use]
    #[inline]
    pub fn is_inline(&self) -> bool {
        self.raw.is_inline()
    }

    /// Bytes of memory that this handle keeps alive: all of the block, not just the slice. Zero
    /// when inline or static.
    #[must_use]
    pub fn pinned_bytes(&self) -> usize {
        self.raw.header().map_or(0, |header| Header::extent(header).pinned)
    }

    /// A slice with the same bytes in memory of its own: for what is kept long after its block.
    /// Counted as a copy; linear.
    ///
    /// ```
    /// use aqueduct_slice::Slice;
    ///
    /// let part = Slice::from(vec![7; 1 << 20]).slice(..100);
    /// assert!(part.pinned_bytes() >= 1 << 20);
    /// assert!(part.detach().pinned_bytes() < 1000);
    /// ```
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    #[must_use]
    pub fn detach(&self) -> Self {
        Self::copy_from_slice(self)
    }

    /// The same bytes at an address that stays when the handle moves: an inline slice is copied
    /// into a block, and counted; any other is returned as it is. Narrowing it may inline it again.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    #[must_use]
    pub fn pin(self) -> Self {
        if self.is_inline() {
            return Self::copy_long(&self);
        }
        self
    }

    /// The [pinned](Self::pin) slice as plain words, for C or for the kernel. It keeps its block
    /// until [`from_raw`](Self::from_raw) makes a slice of it again.
    ///
    /// # Panics
    ///
    /// As [`pin`](Self::pin).
    #[must_use = "the block is leaked otherwise"]
    pub fn into_raw(self) -> RawSlice {
        let raw = into_raw!(self.pin());
        RawSlice { owner: raw.tag().as_ptr().cast(), start: raw.start(), len: raw.as_slice().len() }
    }
}

/// A [`Slice`] as plain words; see [`Slice::into_raw`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct RawSlice {
    owner: *mut (),
    /// The first byte.
    pub start: *const u8,
    /// Bytes from there on.
    pub len: usize,
}

impl RawSlice {
    pub(crate) fn raw(self) -> Option<Raw> {
        Some(Raw::from_parts(NonNull::new(self.owner)?.cast(), self.start, self.len))
    }
}

impl Clone for Slice {
    /// One more handle. Constant time, no allocation.
    #[inline]
    fn clone(&self) -> Self {
        Self { raw: self.raw.duplicate() }
    }
}

impl Default for Slice {
    #[inline]
    fn default() -> Self {
        Self::new()
    }
}

impl From<Vec<u8>> for Slice {
    /// Takes the vector over, without copying.
    #[inline]
    fn from(vec: Vec<u8>) -> Self {
        foreign::from_vec(vec)
    }
}

impl From<Box<[u8]>> for Slice {
    fn from(bytes: Box<[u8]>) -> Self {
        Self::from(bytes.into_vec())
    }
}

impl From<String> for Slice {
    fn from(text: String) -> Self {
        Self::from(text.into_bytes())
    }
}

impl From<&'static [u8]> for Slice {
    fn from(bytes: &'static [u8]) -> Self {
        Self::from_static(bytes)
    }
}

impl<const N: usize> From<&'static [u8; N]> for Slice {
    fn from(bytes: &'static [u8; N]) -> Self {
        Self::from_static(bytes)
    }
}

impl From<&'static str> for Slice {
    fn from(text: &'static str) -> Self {
        Self::from_static(text.as_bytes())
    }
}
