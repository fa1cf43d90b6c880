//! Blocks that belong to somebody else: a `Vec`, an `Arc`, a map, anything `AsRef<[u8]>`.
//!
//! The owner moves into a node behind a header and stays there until the last handle is gone.
//!
//! Invariants of this file:
//!
//! 1. A node is a [`Node<O>`] at the start of memory that [`Place::take`] gave for `O`; its
//!    vtable is one of the same `O`.
//! 2. The owner is written once and taken out once, by the exclusive owner of the block.
//! 3. `as_ref` is called once, when the owner is in its final place, so that a slice of the bytes
//!    inside it, or an answer that changes, cannot dangle.
//! 4. The owner's destructor runs when the node is back already: it may panic, or use slices.

use crate::{
    Slice,
    header::{Extent, Header, Vtable},
    heap, spare,
};
use alloc::vec::Vec;
use aqueduct_base::{
    AllocError,
    block::{self, Shape},
};
#[cfg(feature = "bytes")]
use bytes::Bytes;
use core::{
    marker::PhantomData,
    ptr::{self, NonNull},
};

#[repr(C)]
struct Node<O> {
    header: Header,
    owner: O,
}

/// Where nodes of an owner come from: recycled ones when it is small, the allocator otherwise.
struct Place<O>(PhantomData<O>);

impl<O> Place<O> {
    const SMALL: bool = size_of::<Node<O>>() <= spare::SIZE && align_of::<O>() <= spare::ALIGN;

    fn shape() -> Result<Shape, AllocError> {
        Shape::new(0, size_of::<Node<O>>(), align_of::<Node<O>>())
    }

    /// A node with `owner` in it, ready to be live.
    ///
    /// # Panics
    ///
    /// Or aborts, as `Vec` does, when memory is out.
    #[inline(always)]
    fn take(vtable: &'static Vtable, owner: O) -> NonNull<Node<O>> {
        let header = if Self::SMALL { spare::take(vtable) } else { Self::allocate(vtable) };
        let node = header.cast::<Node<O>>();
        // SAFETY: the node is ours, and large and aligned enough for its type (1).
        let place = unsafe { &raw mut (*node.as_ptr()).owner };
        // SAFETY: as above.
        unsafe { place.write(owner) };
        node
    }

    #[cold]
    fn allocate(vtable: &'static Vtable) -> NonNull<Header> {
        let node = Self::shape().and_then(block::allocate);
        let header = node.unwrap_or_else(|refused| refused.raise()).cast();
        // SAFETY: the memory is ours, and begins with the header (1).
        unsafe { header.write(Header::new(vtable, ptr::null_mut(), 0)) };
        header
    }

    /// # Safety
    ///
    /// `node` came from [`Place::take`] and is used no more.
    #[inline(always)]
    unsafe fn give(node: NonNull<Node<O>>) {
        if Self::SMALL {
            // SAFETY: a small node came from the spare ones (1), and is the caller's to give.
            return unsafe { spare::give(node.cast()) };
        }
        let Ok(shape) = Self::shape() else { unreachable!("the node was made with this shape") };
        // SAFETY: made by `take` with this shape (1), and the caller's to give.
        unsafe { block::free(node.cast(), shape) }
    }
}

/// The vtable of owners of type `O`, which nobody writes to.
struct ReadOnly<O>(PhantomData<O>);

impl<O> ReadOnly<O> {
    const TABLE: Vtable =
        Vtable { release: release::<O>, extent: Self::extent, allocate: heap::allocate_like };
    const VTABLE: &'static Vtable = &Self::TABLE;

    unsafe fn extent(this: NonNull<Header>) -> Extent {
        // SAFETY: the caller holds a count, so the header is in place.
        let len = unsafe { this.as_ref() }.home().addr();
        Extent { start: ptr::null_mut(), len, pinned: len }
    }
}

/// A `Vec` can be written to again when one handle is left; its extent is its initialised length.
static VEC: Vtable =
    Vtable { release: release::<Vec<u8>>, extent: vec_extent, allocate: heap::allocate_like };

unsafe fn vec_extent(this: NonNull<Header>) -> Extent {
    let node = this.cast::<Node<Vec<u8>>>();
    // SAFETY: this vtable stands on nodes of `Vec<u8>` only (1), and the owner is in place (2).
    // Nobody forms an exclusive reference to it while a handle is left.
    let owner = unsafe { &(*node.as_ptr()).owner };
    // The pointer is the allocation's own, as it came from the allocator: writing through it is
    // allowed to whoever may write to the block.
    let start = owner.as_ptr().cast_mut();
    Extent { start, len: owner.len(), pinned: owner.capacity() }
}

/// The usual way: the node goes on the list of spare ones. Nothing but the node is kept across the
/// call that may be needed to find that list.
unsafe fn release<O>(this: NonNull<Header>) {
    let node = this.cast::<Node<O>>();
    let recycled = Place::<O>::SMALL
        && spare::if_room(|room| {
            // SAFETY: this function stands in vtables of nodes of `O` only (1); the caller owns the
            // block alone, and the owner is taken out this once (2).
            let owner = unsafe { take_out(node) };
            // SAFETY: a small node came from the spare ones (1), and is used no more.
            unsafe { room.fill(node.cast()) };
            drop(owner); // (4)
        });
    if !recycled {
        // SAFETY: as above; nothing was done yet.
        unsafe { release_slowly(node) }
    }
}

#[cold]
#[inline(never)]
unsafe fn release_slowly<O>(node: NonNull<Node<O>>) {
    // SAFETY: the contract of `release`, its only caller.
    let owner = unsafe { take_out(node) };
    // SAFETY: the owner is out, and the node is used no more.
    unsafe { Place::<O>::give(node) };
    drop(owner); // (4)
}

/// # Safety
///
/// The caller owns the node alone, and the owner in it is taken out this once.
#[inline(always)]
unsafe fn take_out<O>(node: NonNull<Node<O>>) -> O {
    // SAFETY: the node is live memory (caller).
    let owner = unsafe { &raw const (*node.as_ptr()).owner };
    // SAFETY: the owner is in place, and not read again (caller).
    unsafe { owner.read() }
}

/// A slice of all the bytes of `owner`.
pub(crate) fn from_owner<O: AsRef<[u8]> + Send + Sync + 'static>(owner: O) -> Slice {
    owned(ReadOnly::<O>::VTABLE, owner)
}

/// `Bytes` are told from all other owners by their vtable: the address of a `static` is no other's, while
/// equal constants may be one.
#[cfg(feature = "bytes")]
static BYTES: Vtable = ReadOnly::<Bytes>::TABLE;

/// A slice of all of `bytes`, from which [`bytes_of`] gets them back.
#[cfg(feature = "bytes")]
pub(crate) fn from_bytes(bytes: Bytes) -> Slice {
    owned(&BYTES, bytes)
}

/// The part of `Bytes` that a slice of them shows.
#[cfg(feature = "bytes")]
pub(crate) fn bytes_of(slice: &Slice) -> Option<Bytes> {
    let header = slice.raw.header()?;
    // SAFETY: the slice's count keeps the header in place.
    if !unsafe { header.as_ref() }.is_of(&BYTES) {
        return None;
    }
    let node = header.cast::<Node<Bytes>>();
    // SAFETY: this vtable stands on nodes of `Bytes` only (1), and the owner is in place (2), where it is
    // only read while the slice is there.
    let owner = unsafe { &(*node.as_ptr()).owner };
    Some(owner.slice_ref(slice))
}

/// A slice of all the bytes of `owner`, with a vtable of its type.
#[inline]
fn owned<O: AsRef<[u8]>>(vtable: &'static Vtable, owner: O) -> Slice {
    let node = Place::take(vtable, owner);
    // Holds the count, so that an `as_ref` that panics drops the owner once.
    // SAFETY: the count of one is ours; an empty slice reads nothing.
    let guard = unsafe { Slice::from_block(node.cast(), NonNull::dangling(), 0) };
    // SAFETY: the owner is in place, and only read while the count is held.
    let bytes = unsafe { &(*node.as_ptr()).owner }.as_ref(); // (3)
    if bytes.is_empty() {
        return Slice::new();
    }
    // SAFETY: not shared yet, so not live to anybody else.
    let header = unsafe { &(*node.as_ptr()).header };
    // SAFETY: `guard` is the only handle, and reads nothing.
    unsafe { header.set_home(ptr::without_provenance_mut(bytes.len())) };
    let start = NonNull::from(bytes).cast();
    core::mem::forget(guard);
    // SAFETY: the guard's count passes on; the owner keeps the bytes until it is dropped, and gives
    // them to nobody else to write: it sits behind a header that hands out shared views only.
    unsafe { Slice::from_block(node.cast(), start, bytes.len()) }
}

/// A slice of all the bytes of `vec`, which can become a `SliceMut` again.
#[inline]
pub(crate) fn from_vec(vec: Vec<u8>) -> Slice {
    if vec.is_empty() {
        return Slice::new();
    }
    // Only ever read through: who may write asks for the extent, and gets the Vec's own pointer.
    let (start, len) = (NonNull::from(vec.as_slice()).cast(), vec.len());
    let node = Place::take(&VEC, vec);
    // SAFETY: the count of one is ours; the bytes are the Vec's, which is not touched while handles
    // are left, and does not move them when it moves.
    unsafe { Slice::from_block(node.cast(), start, len) }
}
