//! [`SliceMut`]: the exclusive form that is filled and frozen.

use crate::{AllocError, NoHeadroom, Slice, error::resolve, header::Header, heap, raw_mut::RawMut};
use alloc::vec::Vec;
use aqueduct_base::{copy, meter, shift};
use core::{
    fmt, mem,
    ops::{Deref, DerefMut},
};

/// An exclusive, growable range of a block: filled, then frozen into a [`Slice`] for nothing.
///
/// The handle owns its **range**, not its block: what [`split_frozen`](Self::split_frozen) took off
/// the front is read by others while the rest is written. All capacity is initialised memory with
/// unspecified contents, so that filling it is safe code:
///
/// ```
/// use aqueduct_slice::SliceMut;
///
/// let mut buffer = SliceMut::with_capacity(1024);
/// let spare = buffer.spare_mut();
/// spare[..5].fill(b'x');
/// buffer.commit(5);
/// let first = buffer.split_frozen(5); // shared from here on
/// buffer.extend_from_slice(b"more"); // in the same block
/// assert_eq!((&first[..], &buffer[..]), (&b"xxxxx"[..], &b"more"[..]));
/// ```
///
/// It grows as `Vec` does, by doubling, into a block of the same kind: a pool's block into a pool's,
/// which has the capacity of its size class. What it asks for is at most twice the data, 64 bytes, or
/// what [`reserve`](Self::reserve) was asked for.
pub struct SliceMut {
    pub(crate) raw: RawMut,
}

impl SliceMut {
    /// An empty buffer without a block.
    #[must_use]
    #[inline]
    pub const fn new() -> Self {
        Self { raw: RawMut::EMPTY }
    }

    /// An empty buffer with a heap block of exactly `capacity` bytes, all zero. Linear in it.
    ///
    /// # Panics
    ///
    /// As `Vec` does: when the capacity overflows, or memory is out.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        heap::allocate(capacity).unwrap_or_else(|refused| refused.raise())
    }

    /// As [`with_capacity`](Self::with_capacity), without a panic.
    ///
    /// # Errors
    ///
    /// [`AllocError`] when the capacity overflows, or memory is out.
    pub fn try_with_capacity(capacity: usize) -> Result<Self, AllocError> {
        heap::allocate(capacity)
    }

    /// An empty buffer with `headroom` bytes in front for what is [prepended](Self::prepend) later,
    /// and `capacity` behind.
    ///
    /// # Panics
    ///
    /// As [`with_capacity`](Self::with_capacity).
    #[must_use]
    pub fn with_headroom(headroom: usize, capacity: usize) -> Self {
        let Some(both) = headroom.checked_add(capacity) else {
            AllocError::too_large(usize::MAX).raise()
        };
        let mut buffer = Self::with_capacity(both);
        buffer.raw.set_start(headroom, 0);
        buffer
    }

    /// Bytes of data.
    #[must_use]
    #[inline]
    pub const fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there is no data.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.raw.len() == 0
    }

    /// Bytes from the start of the data to the end of the range.
    #[must_use]
    #[inline]
    pub const fn capacity(&self) -> usize {
        self.raw.capacity()
    }

    /// Bytes in front of the data that [`prepend`](Self::prepend) can use.
    #[must_use]
    #[inline]
    pub const fn headroom(&self) -> usize {
        self.raw.headroom()
    }

    /// The capacity behind the data: initialised, with unspecified contents. Fill some of it and
    /// [`commit`](Self::commit).
    #[must_use]
    #[inline]
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.raw.spare_mut()
    }

    /// Makes the first `count` bytes of the spare capacity data.
    ///
    /// # Panics
    ///
    /// When there is less spare capacity.
    #[inline]
    pub fn commit(&mut self, count: usize) {
        let spare = self.capacity() - self.len();
        assert!(count <= spare, "cannot commit {count} of {spare} spare bytes");
        self.raw.set_len(self.len() + count);
    }

    /// Takes the first `count` bytes of data off and shares them; the rest of the range stays
    /// exclusive. Constant time; never inlines. The headroom is given up.
    ///
    /// # Panics
    ///
    /// When there is less data.
    #[must_use]
    #[inline]
    pub fn split_frozen(&mut self, count: usize) -> Slice {
        let raw = self.raw.share(count);
        self.raw.advance(count);
        self.raw.forget_headroom();
        Slice { raw }
    }

    /// Takes the first `at` bytes of data off, with a range of just that size. Constant time.
    ///
    /// # Panics
    ///
    /// When there is less data.
    #[must_use]
    pub fn split_to(&mut self, at: usize) -> Self {
        let (_, at) = resolve(..at, self.len()).unwrap_or_else(|refused| refused.raise());
        let back = Self { raw: self.raw.split_off(at) };
        mem::replace(self, back)
    }

    /// Takes what follows the first `at` bytes off, spare capacity included: `at` may lie in it.
    /// Constant time.
    ///
    /// # Panics
    ///
    /// When there is less capacity.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        Self { raw: self.raw.split_off(at) }
    }

    /// Takes back a part that was split off the end. Constant time, copies nothing.
    ///
    /// # Errors
    ///
    /// `next`, when it does not follow this buffer's range without a gap.
    pub fn try_unsplit(&mut self, next: Self) -> Result<(), Self> {
        if next.capacity() == 0 {
            return Ok(());
        }
        if self.capacity() == 0 && self.headroom() == 0 {
            *self = next;
            return Ok(());
        }
        if !self.raw.precedes(&next.raw) {
            return Err(next);
        }
        self.raw.absorb(&next.raw);
        Ok(())
    }

    /// As [`try_unsplit`](Self::try_unsplit), but appends a copy of what does not follow: counted,
    /// and linear then.
    ///
    /// # Panics
    ///
    /// As [`reserve`](Self::reserve).
    pub fn unsplit(&mut self, next: Self) {
        if let Err(next) = self.try_unsplit(next) {
            self.extend_from_slice(&next);
        }
    }

    /// The data as a [`Slice`]. Costs nothing and never inlines.
    #[must_use]
    #[inline(always)]
    pub fn freeze(self) -> Slice {
        let raw = mem::ManuallyDrop::new(self).raw.freeze();
        Slice { raw }
    }

    /// Appends a copy of `bytes`, which the meter counts.
    ///
    /// # Panics
    ///
    /// As [`reserve`](Self::reserve).
    #[inline]
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        copy(&mut self.spare_mut()[..bytes.len()], bytes);
        self.commit(bytes.len());
    }

    /// Makes the data `len` bytes long: drops the end, or appends `byte`.
    ///
    /// # Panics
    ///
    /// As [`reserve`](Self::reserve).
    pub fn resize(&mut self, len: usize, byte: u8) {
        if let Some(more) = len.checked_sub(self.len()) {
            self.reserve(more);
            self.spare_mut()[..more].fill(byte);
        }
        self.raw.set_len(len);
    }

    /// Drops all but the first `len` bytes of data; does nothing when there are no more.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.raw.set_len(len.min(self.len()));
    }

    /// Drops the data; the capacity stays.
    #[inline]
    pub fn clear(&mut self) {
        self.raw.set_len(0);
    }

    /// Drops the first `count` bytes of data, which become headroom.
    ///
    /// # Panics
    ///
    /// When there is less data.
    #[inline]
    pub fn advance(&mut self, count: usize) {
        self.raw.advance(count);
    }

    /// Puts a copy of `bytes` in front of the data, which the meter counts. Linear in `bytes`.
    ///
    /// # Errors
    ///
    /// [`NoHeadroom`] when the [headroom](Self::headroom) is too small: growing may have used it.
    pub fn prepend(&mut self, bytes: &[u8]) -> Result<(), NoHeadroom> {
        let (asked, headroom) = (bytes.len(), self.headroom());
        let start = headroom.checked_sub(asked).ok_or(NoHeadroom { asked, headroom })?;
        self.raw.set_start(start, self.len() + asked);
        copy(&mut self[..asked], bytes);
        Ok(())
    }

    /// Makes the spare capacity at least `additional` bytes. Amortised constant time.
    ///
    /// In this order: nothing, when there is room already; takes the rest of the block, when no
    /// other handle is left on it; moves the data to the front of such a block, when what was
    /// consumed there is at least as long; or moves to a new block of twice the data or as much as
    /// is asked for. Moved data counts as copied.
    ///
    /// # Panics
    ///
    /// As `Vec` does: when the capacity overflows, or memory is out.
    #[inline]
    pub fn reserve(&mut self, additional: usize) {
        if additional > self.capacity() - self.len() {
            self.grow(additional).unwrap_or_else(|refused| refused.raise());
        }
    }

    /// As [`reserve`](Self::reserve), without a panic.
    ///
    /// # Errors
    ///
    /// [`AllocError`] when the capacity overflows, or memory is out; the buffer is as it was.
    #[inline]
    pub fn try_reserve(&mut self, additional: usize) -> Result<(), AllocError> {
        if additional > self.capacity() - self.len() { self.grow(additional) } else { Ok(()) }
    }

    #[cold]
    fn grow(&mut self, additional: usize) -> Result<(), AllocError> {
        let len = self.len();
        let need = len.checked_add(additional).ok_or(AllocError::too_large(usize::MAX))?;
        if self.raw.spread() {
            if need <= self.capacity() {
                return Ok(());
            }
            let head = self.headroom();
            if head >= len && need <= head + self.capacity() {
                shift(self.raw.range_mut(), head, 0, len);
                self.raw.set_start(0, len);
                return Ok(());
            }
        }
        // Twice the data, not twice the capacity: a queue that is filled and consumed in turn must
        // not grow for ever.
        let wish = need.max(len.saturating_mul(2)).max(64);
        let mut larger = match self.raw.header() {
            Some(header) => Header::allocate(header, wish)?,
            None => heap::allocate(wish)?,
        };
        copy(&mut larger.spare_mut()[..len], self);
        larger.commit(len);
        *self = larger;
        Ok(())
    }
}

impl Drop for SliceMut {
    #[inline(always)]
    fn drop(&mut self) {
        // The count goes where a frozen slice gives it up.
        drop(Slice { raw: self.raw.freeze() });
    }
}

impl Deref for SliceMut {
    type Target = [u8];

    #[inline(always)]
    fn deref(&self) -> &[u8] {
        self.raw.data()
    }
}

impl DerefMut for SliceMut {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.raw.data_mut()
    }
}

impl Default for SliceMut {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Write for SliceMut {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Extend<u8> for SliceMut {
    fn extend<I: IntoIterator<Item = u8>>(&mut self, bytes: I) {
        let bytes = bytes.into_iter();
        // A hint may lie, upwards too: it is worth one page at the most.
        self.reserve(bytes.size_hint().0.min(4096));
        let before = self.len();
        for byte in bytes {
            self.reserve(1);
            self.spare_mut()[0] = byte;
            self.commit(1);
        }
        meter::count_copy(self.len() - before);
    }
}

impl From<Vec<u8>> for SliceMut {
    /// Takes the vector over, without copying; its spare capacity, which is not initialised, is not
    /// used.
    fn from(vec: Vec<u8>) -> Self {
        // What was just made has one handle, and is writable; an empty one has no block.
        Slice::from(vec).try_into_mut().unwrap_or_default()
    }
}

impl From<SliceMut> for Slice {
    fn from(buffer: SliceMut) -> Self {
        buffer.freeze()
    }
}
