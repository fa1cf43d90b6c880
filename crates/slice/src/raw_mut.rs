//! The words of an exclusive handle: a tag, and a range of a block with data in its middle.
//!
//! ```text
//!     | headroom |    data    |   spare   |
//!                ptr          ptr+len     ptr+cap
//! ```
//!
//! Invariants of this file, on [`RawMut`]:
//!
//! 1. The range from `ptr - head` to `ptr + cap` lies in one block, and belongs to this handle
//!    alone: no other handle reads or writes there. Its bytes are initialised. `len <= cap`.
//! 2. The tag is the address of the block's header, on which this handle holds one count; or
//!    [`STATIC`], and then the range is empty.
//! 3. `ptr` may be used for the whole block: it comes from the owner, not from a borrowed part.

use crate::{
    header::Header,
    raw::{Raw, STATIC},
};
use core::{ptr::NonNull, slice};

pub(crate) struct RawMut {
    tag: NonNull<Header>,
    ptr: NonNull<u8>,
    len: usize,
    cap: usize,
    head: usize,
}

// SAFETY: the range is this handle's alone (1), so sending the handle sends plain bytes; the count
// and the owner behind it are as free to go to another thread as those of a `Slice`.
unsafe impl Send for RawMut {}
// SAFETY: a shared handle gives shared access to its bytes, and changes nothing.
unsafe impl Sync for RawMut {}

impl RawMut {
    pub(crate) const EMPTY: Self =
        Self { tag: STATIC, ptr: NonNull::dangling(), len: 0, cap: 0, head: 0 };

    /// # Safety
    ///
    /// The contract of `SliceMut::from_block`.
    #[inline(always)]
    pub(crate) const unsafe fn from_block(
        header: NonNull<Header>,
        start: NonNull<u8>,
        cap: usize,
    ) -> Self {
        Self { tag: header, ptr: start, len: 0, cap, head: 0 }
    }

    #[inline(always)]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(crate) const fn capacity(&self) -> usize {
        self.cap
    }

    #[inline(always)]
    pub(crate) const fn headroom(&self) -> usize {
        self.head
    }

    #[inline(always)]
    pub(crate) fn header(&self) -> Option<NonNull<Header>> {
        (self.tag != STATIC).then_some(self.tag)
    }

    #[inline(always)]
    pub(crate) fn data(&self) -> &[u8] {
        // SAFETY: initialised bytes of our range, which nobody else writes (1).
        unsafe { slice::from_raw_parts(self.ptr.as_ptr(), self.len) }
    }

    #[inline(always)]
    pub(crate) fn data_mut(&mut self) -> &mut [u8] {
        // SAFETY: initialised bytes of our range, which nobody else uses (1); `self` is borrowed.
        unsafe { slice::from_raw_parts_mut(self.ptr.as_ptr(), self.len) }
    }

    #[inline(always)]
    pub(crate) fn spare_mut(&mut self) -> &mut [u8] {
        let end = self.ptr.as_ptr().wrapping_add(self.len);
        // SAFETY: initialised bytes of our range, which nobody else uses (1); `self` is borrowed.
        unsafe { slice::from_raw_parts_mut(end, self.cap - self.len) }
    }

    /// The whole range: headroom, data and spare.
    pub(crate) fn range_mut(&mut self) -> &mut [u8] {
        let start = self.ptr.as_ptr().wrapping_sub(self.head);
        // SAFETY: initialised bytes of our range, which nobody else uses (1); `self` is borrowed.
        unsafe { slice::from_raw_parts_mut(start, self.head + self.cap) }
    }

    /// # Panics
    ///
    /// When `len` is above the capacity.
    #[inline(always)]
    pub(crate) fn set_len(&mut self, len: usize) {
        assert!(len <= self.cap, "length {len} exceeds the capacity of {} bytes", self.cap);
        self.len = len;
    }

    /// Moves the start of the data to `head` bytes behind the start of the range; the data goes on
    /// for as many bytes as before, or to the end.
    ///
    /// # Panics
    ///
    /// When the range is shorter.
    pub(crate) fn set_start(&mut self, head: usize, len: usize) {
        let whole = self.head + self.cap;
        assert!(head <= whole && len <= whole - head, "data ends behind its range");
        let start = self.ptr.as_ptr().wrapping_sub(self.head).wrapping_add(head);
        let Some(ptr) = NonNull::new(start) else { unreachable!("ranges never reach null") };
        *self = Self { tag: self.tag, ptr, len, cap: whole - head, head };
    }

    /// Drops `count` bytes of data from the front, which become headroom.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[inline]
    pub(crate) fn advance(&mut self, count: usize) {
        assert!(count <= self.len, "cannot advance {count} of {} bytes", self.len);
        // SAFETY: `count <= len <= cap`, so the result lies in the range, which is in a block (1).
        self.ptr = unsafe { self.ptr.add(count) };
        self.len -= count;
        self.cap -= count;
        self.head += count;
    }

    /// Gives the front up for good: the range starts with the data.
    #[inline]
    pub(crate) fn forget_headroom(&mut self) {
        self.head = 0;
    }

    /// Gives the data up for good: the range starts behind it. Returns how many bytes that is.
    #[inline(always)]
    pub(crate) fn give_up_data(&mut self) -> usize {
        let count = self.len;
        // SAFETY: `len <= cap`, so the result lies in the range, which is in a block (1).
        self.ptr = unsafe { self.ptr.add(count) };
        self.cap -= count;
        (self.len, self.head) = (0, 0);
        count
    }

    /// Where the data starts.
    #[inline(always)]
    pub(crate) const fn start(&self) -> NonNull<u8> {
        self.ptr
    }

    /// Takes what was given up back, from `start` on. There is no data then.
    ///
    /// # Safety
    ///
    /// The range began there once, at its data's start, and nobody else reads or writes in between.
    #[inline]
    pub(crate) unsafe fn take_back(&mut self, start: NonNull<u8>) {
        self.cap += self.ptr.addr().get() - start.addr().get();
        (self.ptr, self.len, self.head) = (start, 0, 0);
    }

    /// Gives what follows the first `at` bytes up for good.
    ///
    /// # Panics
    ///
    /// When `at` is not behind the data, or above the capacity.
    #[inline]
    pub(crate) fn cede(&mut self, at: usize) {
        assert!(self.len <= at && at <= self.cap, "cannot end {} bytes at {at}", self.cap);
        self.cap = at;
    }

    /// Splits the range at `at` bytes behind the start of the data; the result is what follows.
    ///
    /// # Panics
    ///
    /// When `at` is above the capacity.
    pub(crate) fn split_off(&mut self, at: usize) -> Self {
        assert!(at <= self.cap, "cannot split {} bytes of capacity at {at}", self.cap);
        self.acquire();
        // SAFETY: `at <= cap`, so the result lies in the range, which is in a block (1).
        let ptr = unsafe { self.ptr.add(at) };
        let len = self.len.saturating_sub(at);
        // The two ranges meet at `at` and do not overlap (1).
        let back = Self { tag: self.tag, ptr, len, cap: self.cap - at, head: 0 };
        self.len -= len;
        self.cap = at;
        back
    }

    /// Whether `next` is the range that follows this one in the same block, with no gap in the data.
    pub(crate) fn precedes(&self, next: &Self) -> bool {
        self.header().is_some()
            && self.tag == next.tag
            && self.ptr.as_ptr().wrapping_add(self.cap) == next.ptr.as_ptr()
            && next.head == 0
            && (self.len == self.cap || next.len == 0)
    }

    /// Takes the range of `next` over, which [`precedes`](Self::precedes) vouched for. The caller
    /// gives up `next` and its count.
    ///
    /// # Panics
    ///
    /// When it does not follow.
    pub(crate) fn absorb(&mut self, next: &Self) {
        assert!(self.precedes(next));
        self.len += next.len;
        self.cap += next.cap;
    }

    /// Spreads over the whole block, when no other handle is left on it.
    pub(crate) fn spread(&mut self) -> bool {
        let Some(header) = self.header() else { return false };
        // SAFETY: our own count keeps the header in place (2).
        if !unsafe { header.as_ref() }.is_unique() {
            return false;
        }
        // Nobody else has a range of this block, so all of it is ours (1).
        let extent = Header::extent(header);
        let Some(start) = NonNull::new(extent.start) else { return false };
        self.head = self.ptr.addr().get() - start.addr().get();
        self.cap = extent.len - self.head;
        true
    }

    /// A shared handle on the first `len` bytes of data, with a count of its own. The caller sees to
    /// it that this range gives them up.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[inline]
    pub(crate) fn share(&self, len: usize) -> Raw {
        assert!(len <= self.len, "cannot freeze {len} of {} bytes", self.len);
        self.acquire();
        Raw::from_parts(self.tag, self.ptr.as_ptr(), len)
    }

    /// A shared handle on the data, with this handle's count, which the caller gives up.
    #[inline(always)]
    pub(crate) const fn freeze(&self) -> Raw {
        Raw::from_parts(self.tag, self.ptr.as_ptr(), self.len)
    }

    fn acquire(&self) {
        if let Some(header) = self.header() {
            // SAFETY: our own count keeps the header in place (2).
            unsafe { header.as_ref() }.acquire();
        }
    }
}
