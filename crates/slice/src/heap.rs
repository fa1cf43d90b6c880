//! Blocks of the global allocator: the header, then the data, in one allocation.
//!
//! Invariant: `home` of a heap block is its data length, with which [`shape`] gave the layout it
//! was allocated with.

use crate::{
    SliceMut,
    header::{Extent, Header, Vtable},
};
use aqueduct_base::{
    AllocError,
    block::{self, Shape},
};
use core::ptr::{self, NonNull};

/// What every allocator gives for nothing; more would make it clear the block by hand.
const ALIGN: usize = 16;

static VTABLE: Vtable = Vtable { release, extent, allocate: allocate_like };

fn shape(len: usize) -> Result<Shape, AllocError> {
    Shape::new(size_of::<Header>(), len, ALIGN)
}

/// An empty [`SliceMut`] with a capacity of exactly `len` bytes.
pub(crate) fn allocate(len: usize) -> Result<SliceMut, AllocError> {
    if len == 0 {
        return Ok(SliceMut::new());
    }
    let header = block::allocate(shape(len)?)?.cast::<Header>();
    let home = ptr::without_provenance_mut(len);
    // SAFETY: the block is ours, at least a header long and aligned for one.
    unsafe { header.write(Header::new(&VTABLE, home, 0)) };
    let start = data(header);
    // SAFETY: the header's count of one is ours; the `len` bytes behind it are zeroed and unshared.
    Ok(unsafe { SliceMut::from_block(header, start, len) })
}

#[inline(always)]
fn data(header: NonNull<Header>) -> NonNull<u8> {
    // SAFETY: a heap block is longer than its header, so the data lies in the same allocation.
    unsafe { header.add(1) }.cast()
}

unsafe fn release(this: NonNull<Header>) {
    // SAFETY: the caller owns the block alone, and its header is in place.
    let len = unsafe { this.as_ref() }.home().addr();
    let Ok(shape) = shape(len) else { unreachable!("the block was made with this shape") };
    // SAFETY: made by `allocate` with this shape, and owned by the caller alone.
    unsafe { block::free(this.cast(), shape) }
}

unsafe fn extent(this: NonNull<Header>) -> Extent {
    // SAFETY: the caller holds a count, so the header is in place.
    let len = unsafe { this.as_ref() }.home().addr();
    Extent { start: data(this).as_ptr(), len, pinned: len + size_of::<Header>() }
}

/// What growing asks of an owner that offers no memory of its own: a block of the heap.
pub(crate) unsafe fn allocate_like(_: NonNull<Header>, len: usize) -> Result<SliceMut, AllocError> {
    allocate(len)
}
