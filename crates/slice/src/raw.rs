//! The three words of a handle: a tag, a pointer and a length.
//!
//! Invariants of this file, on [`Raw`]:
//!
//! 1. The low two bits of the tag tell what it is. `00`: the address of a header on which this
//!    handle holds one count, with `ptr` and `len` within its block. `10`: `ptr` and `len` are of
//!    static memory. Bit 0 set: inline, the next seven bits are the length, at most
//!    [`INLINE`], and the other bytes of the handle are the data.
//! 2. Nobody writes to the bytes of a block that a `Raw` covers while it lives.
//! 3. The tag is never zero: headers have an address, the other two have a bit set.

use crate::header::Header;
use aqueduct_base::{load_short, meter};
use core::{hint, num::NonZeroUsize, ptr, ptr::NonNull, slice};

/// Bytes that fit in a handle beside the tag byte.
pub(crate) const INLINE: usize = size_of::<Raw>() - 1;

/// The tag of static memory, and of a mutable handle without a block.
pub(crate) const STATIC: NonNull<Header> =
    match NonNull::new(ptr::without_provenance_mut::<Header>(0b10)) {
        Some(tag) => tag,
        None => unreachable!(),
    };

/// A handle without its destructor: the types around it say what giving up a count means.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Raw {
    #[cfg(target_endian = "little")]
    tag: NonNull<Header>,
    ptr: *const u8,
    len: usize,
    #[cfg(target_endian = "big")]
    tag: NonNull<Header>,
}

/// Where the inline bytes start: behind the tag byte where that comes first, at the front where it
/// comes last.
const DATA: usize = if cfg!(target_endian = "little") { 1 } else { 0 };

impl Raw {
    /// A handle on static memory.
    #[inline]
    pub(crate) const fn from_static(bytes: &'static [u8]) -> Self {
        Self { tag: STATIC, ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// A handle on part of a block, or of static memory when the tag is [`STATIC`].
    #[inline(always)]
    pub(crate) const fn from_parts(tag: NonNull<Header>, ptr: *const u8, len: usize) -> Self {
        Self { tag, ptr, len }
    }

    /// A handle with a short slice inside it. Counts nothing.
    ///
    /// # Panics
    ///
    /// When there are more than [`INLINE`] bytes.
    #[inline(always)]
    pub(crate) fn inline(bytes: &[u8]) -> Self {
        assert!(bytes.len() <= INLINE, "{} bytes do not fit inline", bytes.len());
        Self::pack(load_short(bytes), bytes.len())
    }

    /// The words, moved up by a byte to make room for the tag, straight from registers.
    #[cfg(all(target_endian = "little", target_pointer_width = "64"))]
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "a word is 64 bits wide here")]
    fn pack([a, b, c]: [u64; 3], len: usize) -> Self {
        let tag = NonZeroUsize::MIN | (len << 1) | (a << 8) as usize;
        Self {
            tag: untied(tag),
            ptr: ptr::without_provenance((b << 8 | a >> 56) as usize),
            len: (c << 8 | b >> 56) as usize,
        }
    }

    #[cfg(not(all(target_endian = "little", target_pointer_width = "64")))]
    fn pack(words: [u64; 3], len: usize) -> Self {
        Self::pack_by_bytes(words, len)
    }

    /// The words as they would stand in memory: for other targets, and to compare with.
    #[cfg(any(test, not(all(target_endian = "little", target_pointer_width = "64"))))]
    fn pack_by_bytes(words: [u64; 3], len: usize) -> Self {
        const WORD: usize = size_of::<usize>();
        let bytes = words.map(u64::to_le_bytes);
        let bytes = bytes.as_flattened();
        let mut image = [0; 3 * WORD];
        image[DATA..].iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        image[(DATA + INLINE) % (3 * WORD)] = 0; // where the tag goes
        let word = |at: usize| {
            let word: [u8; WORD] = core::array::from_fn(|i| image[at * WORD + i]);
            usize::from_ne_bytes(word)
        };
        let tag_word = if cfg!(target_endian = "little") { 0 } else { 2 };
        let tag = NonZeroUsize::MIN | (len << 1) | word(tag_word);
        let rest = if cfg!(target_endian = "little") { 1 } else { 0 };
        Self { tag: untied(tag), ptr: ptr::without_provenance(word(rest)), len: word(rest + 1) }
    }

    #[inline(always)]
    pub(crate) fn is_inline(&self) -> bool {
        self.tag.addr().get() & 1 != 0
    }

    /// The header, when the bytes lie in a block.
    #[inline(always)]
    pub(crate) fn header(&self) -> Option<NonNull<Header>> {
        (self.tag.addr().get() & 0b11 == 0).then_some(self.tag)
    }

    /// The tag itself, of a handle that is not inline.
    #[inline(always)]
    pub(crate) fn tag(&self) -> NonNull<Header> {
        debug_assert!(!self.is_inline());
        self.tag
    }

    /// The bytes. Two conditional moves, no branch: a mix of inline and shared slices would be
    /// mispredicted.
    #[inline(always)]
    pub(crate) fn as_slice(&self) -> &[u8] {
        let word = self.tag.addr().get();
        let inline = word & 1 != 0;
        let here = ptr::from_ref(self).cast::<u8>().wrapping_add(DATA);
        let start = hint::select_unpredictable(inline, here, self.ptr);
        let len = hint::select_unpredictable(inline, (word & 0xff) >> 1, self.len);
        // SAFETY: inline, the bytes lie in `self` and are initialised; otherwise they lie in a block
        // or in static memory that stays while `self` does, and nobody writes to them (1, 2).
        unsafe { slice::from_raw_parts(start, len) }
    }

    /// The handle on a part of the same bytes: inside it when they are few, else sharing the block,
    /// with one more count.
    ///
    /// # Panics
    ///
    /// When `start..end` does not lie within the bytes.
    #[inline(always)]
    pub(crate) fn part(&self, start: usize, end: usize) -> Self {
        let bytes = &self.as_slice()[start..end];
        if bytes.len() <= INLINE {
            meter::count_inlined();
            return Self::inline(bytes);
        }
        self.acquire();
        // From the handle's own pointer, which may reach neighbours that are joined again later.
        Self { tag: self.tag, ptr: self.ptr.wrapping_add(start), len: end - start }
    }

    /// As [`part`](Self::part), but never moves bytes out of their block.
    ///
    /// # Panics
    ///
    /// When `start..end` does not lie within the bytes.
    #[inline]
    pub(crate) fn part_shared(&self, start: usize, end: usize) -> Self {
        if self.is_inline() {
            return self.part(start, end);
        }
        let part = self.narrowed(start, end - start);
        self.acquire();
        part
    }

    /// Two handles for the bytes before and from `at`, when neither moves inline: the second with
    /// this handle's count, which the caller gives up, the first with one more.
    #[inline(always)]
    pub(crate) fn split(&self, at: usize) -> Option<(Self, Self)> {
        let Self { tag, ptr, len } = *self;
        let long = !self.is_inline() && at > INLINE && at < len && len - at > INLINE;
        long.then(|| {
            self.acquire();
            (Self { tag, ptr, len: at }, Self { tag, ptr: ptr.wrapping_add(at), len: len - at })
        })
    }

    /// One more handle on the same bytes.
    #[inline(always)]
    pub(crate) fn duplicate(&self) -> Self {
        self.acquire();
        *self
    }

    /// The same words, one by one: so that a result of a call is in registers, as that of the
    /// code beside it, and not both in memory.
    #[inline(always)]
    pub(crate) fn rebuilt(self) -> Self {
        Self { tag: self.tag, ptr: self.ptr, len: self.len }
    }

    #[inline(always)]
    fn acquire(&self) {
        if let Some(header) = self.header() {
            // SAFETY: our own count keeps the header in place (1).
            unsafe { header.as_ref() }.acquire();
        }
    }

    /// Where a handle that is not inline starts, with the provenance of its block.
    #[inline(always)]
    pub(crate) fn start(&self) -> *const u8 {
        debug_assert!(!self.is_inline());
        self.ptr
    }

    /// The same handle over `len` of its bytes from `from` on.
    ///
    /// # Panics
    ///
    /// When the handle is inline, or the bytes are not its own.
    #[inline(always)]
    pub(crate) fn narrowed(self, from: usize, len: usize) -> Self {
        assert!(!self.is_inline() && from <= self.len && len <= self.len - from);
        Self { tag: self.tag, ptr: self.ptr.wrapping_add(from), len }
    }

    /// The same handle over `more` bytes behind its own.
    #[inline]
    pub(crate) fn widened(self, more: usize) -> Self {
        Self { len: self.len + more, ..self }
    }

    /// Where a handle that is not inline starts, and its length.
    #[inline(always)]
    pub(crate) fn span(&self) -> (*const u8, usize) {
        (self.start(), self.len)
    }

    /// Whether this is the only handle on a block.
    #[inline]
    pub(crate) fn is_unique(&self) -> bool {
        // SAFETY: our own count keeps the header in place (1).
        self.header().is_some_and(|header| unsafe { header.as_ref() }.is_unique())
    }

    /// Whether there are exactly so many handles on the block.
    #[inline]
    pub(crate) fn is_held_by(&self, handles: u32) -> bool {
        // SAFETY: our own count keeps the header in place (1).
        self.header().is_some_and(|header| unsafe { header.as_ref() }.is_held_by(handles))
    }

    /// Gives up the count, if there is one.
    ///
    /// # Safety
    ///
    /// The caller uses this handle, and every copy of its three words, no more.
    #[inline(always)]
    pub(crate) unsafe fn release(&self) {
        if let Some(header) = self.header() {
            // SAFETY: the handle's own count (1), which the caller gives up.
            unsafe { Header::release(header) }
        }
    }
}

/// A tag that is no pointer. (`NonNull::without_provenance` came after the oldest compiler.)
#[inline(always)]
fn untied(addr: NonZeroUsize) -> NonNull<Header> {
    STATIC.with_addr(addr)
}

/// Takes the words out of a handle, whose destructor then does not run.
macro_rules! into_raw {
    ($handle:expr) => {
        core::mem::ManuallyDrop::new($handle).raw
    };
}
pub(crate) use into_raw;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_packed_alike_by_words_and_by_bytes() {
        let bytes: Vec<u8> = (1..).map(|n: u8| n.wrapping_mul(37)).take(INLINE).collect();
        for len in 0..=INLINE {
            let words = load_short(&bytes[..len]);
            let (fast, plain) = (Raw::pack(words, len), Raw::pack_by_bytes(words, len));
            assert_eq!((fast.tag, fast.ptr, fast.len), (plain.tag, plain.ptr, plain.len));
            assert_eq!(plain.as_slice(), &bytes[..len]);
        }
    }
}
