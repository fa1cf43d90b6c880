//! Blocks of memory from the allocator: initialised, fallible, and sized without wrapping.
//!
//! Every block is zeroed when it is made, so that the library never forms a reference to memory
//! that was not initialised. An allocator gives zeroed pages to large blocks for nothing.
//!
//! Invariants of this file:
//!
//! 1. The layout of a [`Shape`] has a size above zero and at most `isize::MAX`.
//! 2. A block is freed with the shape that it was made with: the contract of [`free`].

use alloc::alloc as allocator;
use core::{alloc::Layout, error::Error, fmt, ptr::NonNull};

/// The size and alignment of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape(Layout);

impl Shape {
    /// A shape of `front` bytes for a header and `len` bytes of data, at `align`.
    ///
    /// # Errors
    ///
    /// [`AllocError`] when the sum is zero or above `isize::MAX`, or `align` is no power of two.
    #[inline]
    pub const fn new(front: usize, len: usize, align: usize) -> Result<Self, AllocError> {
        let refused = AllocError { len, align, kind: AllocErrorKind::TooLarge };
        let Some(size) = front.checked_add(len) else { return Err(refused) };
        if size == 0 {
            return Err(refused);
        }
        match Layout::from_size_align(size, align) {
            Ok(layout) => Ok(Self(layout)),
            Err(_) => Err(refused),
        }
    }

    /// Bytes of the whole block.
    #[inline]
    #[must_use]
    pub const fn size(self) -> usize {
        self.0.size()
    }
}

/// Asks the allocator for a zeroed block.
///
/// # Errors
///
/// [`AllocError`] when the allocator has none.
#[inline]
pub fn allocate(shape: Shape) -> Result<NonNull<u8>, AllocError> {
    // SAFETY: the layout's size is not zero (1).
    let block = unsafe { allocator::alloc_zeroed(shape.0) };
    let refused = AllocError {
        len: shape.0.size(),
        align: shape.0.align(),
        kind: AllocErrorKind::OutOfMemory,
    };
    NonNull::new(block).ok_or(refused)
}

/// Gives a block back to the allocator.
///
/// # Safety
///
/// `block` came from [`allocate`] with this very `shape`, was not freed since, and nothing refers
/// to it any more.
#[inline]
pub unsafe fn free(block: NonNull<u8>, shape: Shape) {
    // SAFETY: the caller vouches for the block and its shape (2).
    unsafe { allocator::dealloc(block.as_ptr(), shape.0) }
}

/// As [`allocate`], on huge pages where the kernel has them: it is asked before the block is touched,
/// since what has a small page keeps it. A hint, and nothing without the feature `huge-pages`.
///
/// # Errors
///
/// As [`allocate`].
pub fn allocate_huge(shape: Shape) -> Result<NonNull<u8>, AllocError> {
    if !cfg!(all(feature = "huge-pages", target_os = "linux")) {
        return allocate(shape);
    }
    // SAFETY: the layout's size is not zero (1).
    let block = unsafe { allocator::alloc(shape.0) };
    let refused = AllocError {
        len: shape.0.size(),
        align: shape.0.align(),
        kind: AllocErrorKind::OutOfMemory,
    };
    let block = NonNull::new(block).ok_or(refused)?;
    advise_huge(block, shape);
    // SAFETY: the block is as long as its shape, and ours.
    unsafe { block.write_bytes(0, shape.size()) };
    Ok(block)
}

#[cfg(all(feature = "huge-pages", target_os = "linux"))]
fn advise_huge(block: NonNull<u8>, shape: Shape) {
    const PAGE: usize = 4096;
    // The pages that lie whole within the block; the kernel takes whole pages only.
    let skip = block.as_ptr().align_offset(PAGE);
    let whole = shape.size().saturating_sub(skip) / PAGE * PAGE;
    if whole > 0 {
        let start = block.as_ptr().wrapping_add(skip).cast();
        // SAFETY: advice on live pages of our own changes no contents. Refusal costs nothing.
        let _ = unsafe { rustix::mm::madvise(start, whole, rustix::mm::Advice::LinuxHugepage) };
    }
}

#[cfg(not(all(feature = "huge-pages", target_os = "linux")))]
fn advise_huge(_: NonNull<u8>, _: Shape) {}

/// Why memory could not be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AllocErrorKind {
    /// The size, with what stands in front of it, exceeds `isize::MAX`, or the alignment is no
    /// power of two.
    TooLarge,
    /// The allocator had no block of this size.
    OutOfMemory,
}

/// Memory could not be had: how much was asked for, and why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocError {
    len: usize,
    align: usize,
    kind: AllocErrorKind,
}

impl AllocError {
    /// The error of a length that is the sum of parts and wrapped, or is above every limit.
    #[must_use]
    pub const fn too_large(len: usize) -> Self {
        Self { len, align: 1, kind: AllocErrorKind::TooLarge }
    }

    /// The bytes that were asked for.
    #[must_use]
    pub const fn requested(&self) -> usize {
        self.len
    }

    /// Why there are none.
    #[must_use]
    pub const fn kind(&self) -> AllocErrorKind {
        self.kind
    }

    /// Ends as `Vec` does: a panic for a length no machine has, [`handle_alloc_error`](alloc::alloc::handle_alloc_error)
    /// for memory that is out.
    ///
    /// # Panics
    ///
    /// Always, or aborts.
    #[doc(hidden)]
    #[cold]
    pub fn raise(self) -> ! {
        match (self.kind, Layout::from_size_align(self.len, self.align)) {
            (AllocErrorKind::OutOfMemory, Ok(layout)) => allocator::handle_alloc_error(layout),
            _ => panic!("capacity overflow: {self}"),
        }
    }
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { len, align, kind } = self;
        match kind {
            AllocErrorKind::TooLarge => {
                write!(f, "a block of {len} bytes aligned to {align} cannot exist")
            }
            AllocErrorKind::OutOfMemory => write!(f, "no memory for a block of {len} bytes"),
        }
    }
}

impl Error for AllocError {}

#[cfg(feature = "std")]
impl From<AllocError> for std::io::Error {
    /// `OutOfMemory`.
    fn from(refused: AllocError) -> Self {
        Self::new(std::io::ErrorKind::OutOfMemory, refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_never_wrap() {
        for len in [usize::MAX, usize::MAX - 31, isize::MAX as usize, isize::MAX as usize - 31] {
            let refused = Shape::new(32, len, 16).unwrap_err();
            assert_eq!((refused.requested(), refused.kind()), (len, AllocErrorKind::TooLarge));
        }
        assert!(Shape::new(0, 0, 1).is_err());
        assert!(Shape::new(32, 1, 3).is_err());
    }

    #[test]
    fn blocks_are_zeroed_and_come_back() {
        let shape = Shape::new(32, 100, 16).unwrap();
        assert_eq!(shape.size(), 132);
        let block = allocate(shape).unwrap();
        for at in 0..shape.size() {
            let byte = block.as_ptr().wrapping_add(at);
            // SAFETY: within the block.
            assert_eq!(unsafe { byte.read() }, 0);
        }
        // SAFETY: made above with this shape, and not used again.
        unsafe { free(block, shape) }
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri ends where an allocator would refuse")]
    fn what_no_machine_has_is_refused() {
        let shape = Shape::new(0, isize::MAX as usize - 15, 16).unwrap();
        let refused = allocate(shape).unwrap_err();
        assert_eq!(refused.kind(), AllocErrorKind::OutOfMemory);
        assert!(refused.to_string().starts_with("no memory for a block of 9223"));
    }

    /// The kernel says which of our pages it was asked about: all of those in the block, and no other.
    #[test]
    #[cfg(all(feature = "huge-pages", target_os = "linux"))]
    #[cfg_attr(miri, ignore = "Miri has no pages")]
    fn the_kernel_is_asked_for_huge_pages_in_the_block_alone() {
        // Aligned to a page, but for the first; and with a part of a page at its end.
        for (front, align) in [(0, 4096), (32, 16)] {
            let shape = Shape::new(front, (8 << 20) + 100, align).unwrap();
            let block = allocate_huge(shape).unwrap();
            let start = block.addr().get().next_multiple_of(4096);
            let end = (block.addr().get() + shape.size()) / 4096 * 4096;
            let asked = asked_for_huge_pages(start - 4096..end + 4096);
            let none = std::fs::exists("/sys/kernel/mm/transparent_hugepage").is_ok_and(|is| !is);
            assert!(none || asked == [(start, end)], "{start:x}..{end:x}: {asked:x?}");
            // SAFETY: made above with this shape, and not used again.
            unsafe { free(block, shape) }
        }
    }

    /// Parts of a range that have the flag `hg`.
    #[cfg(all(feature = "huge-pages", target_os = "linux"))]
    fn asked_for_huge_pages(within: std::ops::Range<usize>) -> Vec<(usize, usize)> {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let (mut found, mut map) = (Vec::new(), (0, 0));
        for line in maps.lines() {
            let ends = line.split(' ').next().and_then(|word| word.split_once('-'));
            let ends = ends.map(|ends| [ends.0, ends.1].map(|end| usize::from_str_radix(end, 16)));
            if let Some([Ok(start), Ok(end)]) = ends {
                map = (start.max(within.start), end.min(within.end));
            } else if line.starts_with("VmFlags:") && line.contains(" hg") && map.0 < map.1 {
                found.push(map);
            }
        }
        found
    }
}
