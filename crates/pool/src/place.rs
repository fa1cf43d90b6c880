//! The memory of a block: where its header stands and where its data lies.
//!
//! Invariants of this file:
//!
//! 1. A header at the side is the first part of a [`Side`] that names its data; one in front is
//!    followed by its data. Its note says which.
//! 2. The note also says how many bytes were skipped in front, to round the data up. So the start of
//!    the allocation follows from the place of the data or of the header.
//! 3. A [`Place`] made of the same settings and capacity gives the same shapes.

use crate::builder::{Config, IN_FRONT};
use aqueduct_base::{
    AllocError,
    block::{self, Shape},
};
use aqueduct_slice::owner::Header;
use std::ptr::NonNull;

/// What is asked of the allocator: more would make it clear the block by hand.
const ALIGN: usize = 16;
/// What the place behind a header, or behind nothing, is a multiple of: a header of 24 bytes, where addresses
/// have 32 bits, keeps less than the allocator gives.
const STEP: usize = if size_of::<Header>().is_multiple_of(ALIGN) { ALIGN } else { UNIT };
/// Bytes of a huge page: smaller blocks get none.
const HUGE: usize = 2 << 20;
/// What the size and the place of a header are multiples of.
const UNIT: usize = align_of::<Header>();

/// What a block is to be: its data, and where its header goes.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    capacity: usize,
    align: usize,
    huge: bool,
    side: bool,
}

/// A header that is not in front of its data.
#[repr(C)]
struct Side {
    header: Header,
    data: NonNull<u8>,
    capacity: usize,
}

/// The note of a block: bits 0-7 the slot of its pool, 8-15 eighths of the bytes skipped in front, 16
/// whether the header is at the side.
#[derive(Clone, Copy)]
pub(crate) struct Note(u32);

impl Note {
    #[inline(always)]
    pub(crate) fn of(header: &Header) -> Self {
        Self(header.note())
    }

    fn bits(slot: usize, skipped: usize, side: bool) -> u32 {
        let bits = slot | (skipped / UNIT) << 8 | usize::from(side) << 16;
        #[allow(clippy::cast_possible_truncation, reason = "17 bits")]
        let note = bits as u32;
        note
    }

    #[inline(always)]
    pub(crate) fn slot(self) -> usize {
        (self.0 & 0xff) as usize
    }

    fn skipped(self) -> usize {
        (self.0 >> 8 & 0xff) as usize * UNIT
    }

    #[inline(always)]
    fn side(self) -> bool {
        self.0 >> 16 != 0
    }
}

/// The data of a block.
///
/// # Safety
///
/// `header` came from [`Place::allocate`], and was not freed since.
#[inline(always)]
pub(crate) unsafe fn data(header: NonNull<Header>) -> NonNull<u8> {
    // SAFETY: the header is in place (caller).
    if Note::of(unsafe { header.as_ref() }).side() {
        // SAFETY: at the side, so the first part of a `Side` (1).
        return unsafe { header.cast::<Side>().as_ref() }.data;
    }
    // SAFETY: the data follows the header in the same allocation (1).
    unsafe { header.add(1) }.cast()
}

/// The capacity of a block whose header is at the side.
///
/// # Safety
///
/// `header` came from [`Place::allocate`] of such a place, and was not freed since.
pub(crate) unsafe fn capacity_at_side(header: NonNull<Header>) -> usize {
    // SAFETY: at the side, so the first part of a `Side` (1).
    unsafe { header.cast::<Side>().as_ref() }.capacity
}

impl Place {
    /// The place of a block with `capacity` bytes in a pool with these settings. Blocks that are not
    /// of a class are `loose`: they must know their capacity themselves.
    pub(crate) fn new(config: &Config, capacity: usize, loose: bool) -> Self {
        let huge = config.huge_pages && capacity >= HUGE;
        let align = if huge { HUGE } else { config.align };
        Self { capacity: capacity.max(1), align, huge, side: loose || align > IN_FRONT }
    }

    /// Bytes in front of the data, but for rounding.
    fn front(&self) -> usize {
        if self.side { 0 } else { size_of::<Header>() }
    }

    /// The allocation that the data lies in.
    fn shape(&self) -> Result<Shape, AllocError> {
        if self.align > IN_FRONT {
            return Shape::new(0, self.capacity, self.align);
        }
        Shape::new(self.front() + IN_FRONT - STEP, self.capacity, ALIGN)
    }

    /// Bytes that the system gives for it.
    pub(crate) fn footprint(&self) -> usize {
        let whole = self.shape().map_or(usize::MAX, Shape::size);
        let rounded = if self.align > IN_FRONT {
            whole.checked_next_multiple_of(self.align).unwrap_or(usize::MAX)
        } else {
            whole
        };
        rounded.saturating_add(if self.side { size_of::<Side>() } else { 0 })
    }

    /// Memory for such a block, with the header that `header` makes of its note.
    pub(crate) fn allocate(
        &self,
        slot: usize,
        header: impl FnOnce(u32) -> Header,
    ) -> Result<NonNull<Header>, AllocError> {
        let shape = self.shape()?;
        let base = if self.huge { block::allocate_huge(shape) } else { block::allocate(shape) }?;
        let start = base.addr().get() + self.front();
        let skipped = start.next_multiple_of(IN_FRONT) - start;
        let header = header(Note::bits(slot, skipped, self.side));
        debug_assert!(start.is_multiple_of(STEP), "{start:x}");
        // SAFETY: the shape has room for rounding up a multiple of STEP: a larger alignment leaves nothing
        // to round.
        let place = unsafe { base.add(skipped) };
        if !self.side {
            let place = place.cast::<Header>();
            // SAFETY: the block is ours; headers stand at multiples of their alignment, since the
            // data behind this one is aligned to more, and its size is a multiple of it.
            unsafe { place.write(header) };
            return Ok(place);
        }
        let side = match Self::side_shape().and_then(block::allocate) {
            Ok(side) => side.cast::<Side>(),
            Err(refused) => {
                // SAFETY: made above with this shape, and not used.
                unsafe { block::free(base, shape) };
                return Err(refused);
            }
        };
        // SAFETY: the memory is ours, as large as a `Side` and aligned to 16.
        unsafe { side.write(Side { header, data: place, capacity: self.capacity }) };
        Ok(side.cast())
    }

    fn side_shape() -> Result<Shape, AllocError> {
        Shape::new(0, size_of::<Side>(), ALIGN)
    }

    /// Gives the memory back.
    ///
    /// # Safety
    ///
    /// `header` came from [`allocate`](Self::allocate) of an equal place, and nothing refers to the
    /// block any more.
    pub(crate) unsafe fn free(&self, header: NonNull<Header>) {
        let unmade = "the block was made with these shapes (3)";
        let (Ok(shape), Ok(side)) = (self.shape(), Self::side_shape()) else {
            unreachable!("{unmade}")
        };
        // SAFETY: the header is in place (caller).
        let note = Note::of(unsafe { header.as_ref() });
        // SAFETY: the caller's contract.
        let place = if self.side { unsafe { data(header) } } else { header.cast() };
        // SAFETY: so many bytes were skipped behind the start of the allocation (2).
        let base = unsafe { place.sub(note.skipped()) };
        // SAFETY: allocated with this shape (3), and the caller's to free.
        unsafe { block::free(base, shape) };
        if self.side {
            // SAFETY: as above, with the shape of every `Side`.
            unsafe { block::free(header.cast(), side) };
        }
    }
}

#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod tests {
    use super::*;
    use crate::Pool;

    #[test]
    fn a_note_says_what_was_noted() {
        for slot in [0, 1, 63, 255] {
            for skipped in [0, UNIT, IN_FRONT - ALIGN, 255 * UNIT] {
                for side in [false, true] {
                    let note = Note(Note::bits(slot, skipped, side));
                    assert_eq!((note.slot(), note.skipped(), note.side()), (slot, skipped, side));
                }
            }
        }
    }

    #[test]
    fn small_blocks_get_no_huge_page_and_large_ones_whole_ones() {
        let pool = Pool::builder().huge_pages(true).build().unwrap();
        let footprint = |capacity| Place::new(pool.core().config(), capacity, false).footprint();
        for capacity in [64, 4096, HUGE - 1] {
            assert!(footprint(capacity) < capacity + 256, "{capacity} bytes");
        }
        for capacity in [HUGE, HUGE + 1, 3 * HUGE] {
            let pages = capacity.next_multiple_of(HUGE);
            assert!((pages..pages + 256).contains(&footprint(capacity)), "{capacity} bytes");
        }
    }
}
