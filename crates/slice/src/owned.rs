//! Where handles take a count over and give it up: their unsafe edges, apart from their methods.
//!
//! Invariant of this file: a `Slice` owns what its [`Raw`] describes. Its three words are copied
//! out only where its destructor does not run.

use crate::{
    Slice, SliceMut,
    header::Header,
    raw::{Raw, into_raw},
    raw_mut::RawMut,
    slice::RawSlice,
};
use core::ptr::NonNull;

// SAFETY: a slice gives shared access to bytes that nobody writes while it lives, wherever they
// are; inline bytes are its own. The one thing that handles on different threads change is the
// count, an atomic, whose orderings make every use of the block happen before its reuse (header.rs,
// 3). The block ends up in its vtable's hands on whichever thread drops last: a heap block may be
// freed anywhere, a foreign owner is `Send + Sync` by the bound of `from_owner`, and other
// owners promise it in the contract of `from_block`. `link`, which is no atomic, belongs to a
// local group, which is not `Send`.
unsafe impl Send for Slice {}
// SAFETY: as above; through a shared slice one can read, clone, and ask for the extent, all of
// which a holder of a count may do on any thread.
unsafe impl Sync for Slice {}

// SAFETY: the words of a slice, which is `Send`; they do nothing until `from_raw`, whose caller
// vouches that it happens once.
unsafe impl Send for RawSlice {}

impl Slice {
    /// A slice on part of a block that the caller owns: for implementing an owner.
    ///
    /// # Safety
    ///
    /// * `header` is valid and stays so until its vtable's `release` is called; the caller gives
    ///   one of its counts to the slice.
    /// * `start` and `len` describe initialised bytes that stay valid as long, and that nobody
    ///   writes while the slice, or one made from it, lives.
    /// * The vtable's functions may be called on any thread, and keep what [`Vtable`] says.
    ///
    /// [`Vtable`]: crate::owner::Vtable
    #[doc(hidden)]
    #[must_use]
    #[inline]
    pub unsafe fn from_block(header: NonNull<Header>, start: NonNull<u8>, len: usize) -> Self {
        Self { raw: Raw::from_parts(header, start.as_ptr(), len) }
    }

    /// The slice that [`into_raw`](Self::into_raw) took apart.
    ///
    /// # Safety
    ///
    /// `raw` came from `into_raw`, perhaps with `start` and `len` narrowed to a part of the bytes,
    /// and becomes a slice once only.
    #[must_use]
    pub unsafe fn from_raw(raw: RawSlice) -> Self {
        raw.raw().map_or_else(Self::new, |raw| Self { raw })
    }
}

impl Drop for Slice {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: nothing uses this handle after its destructor, and no copy of it is left.
        unsafe { self.raw.release() }
    }
}

impl SliceMut {
    /// A buffer on a block that the caller owns: for implementing an owner.
    ///
    /// # Safety
    ///
    /// As for [`Slice::from_block`], and the `capacity` bytes from `start` on are initialised and
    /// used by nobody else while the buffer, or a part of it, lives.
    #[doc(hidden)]
    #[must_use]
    #[inline(always)]
    pub const unsafe fn from_block(
        header: NonNull<Header>,
        start: NonNull<u8>,
        capacity: usize,
    ) -> Self {
        // SAFETY: the same contract.
        Self { raw: unsafe { RawMut::from_block(header, start, capacity) } }
    }

    /// The exclusive form of a slice that is the only handle on a writable block.
    pub(crate) fn from_unique(slice: Slice) -> Result<Self, Slice> {
        let Some(header) = slice.raw.header().filter(|_| slice.raw.is_unique()) else {
            return Err(slice);
        };
        let extent = Header::extent(header);
        let Some(start) = NonNull::new(extent.start) else { return Err(slice) };
        let skipped = slice.raw.start().addr() - start.addr().get();
        let len = slice.len();
        let _ = into_raw!(slice);
        // SAFETY: the only count is ours and passes on, so the whole extent, which is writable and
        // initialised, belongs to the new handle alone; the slice lay within it.
        let mut whole = unsafe { Self::from_block(header, start, extent.len) };
        whole.commit(skipped + len);
        whole.advance(skipped);
        Ok(whole)
    }
}
