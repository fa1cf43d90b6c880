//! A pool's block: its header, its memory, and the change from free to live and back.
//!
//! Invariants of this file:
//!
//! 1. A [`Block`] is the exclusive owner of a block that is not live. It cannot be cloned, so the
//!    list, batch or stack that holds it is the only party that may touch it.
//! 2. `note` says how the block was allocated: where its header lies, and the slot of its pool. With
//!    its class that gives the very shapes to free it with.
//! 3. `home` is the list of its class in a heap record, from [`Heap::list`]; records are never freed.
//!    The one exception to 2 and 3, a loose block, becomes live as soon as it is made.
//! 4. All bytes of the data are initialised: the allocator cleared them, and only bytes are written.

use crate::{
    class::Class,
    core::Core,
    heap::Heap,
    list::List,
    local,
    place::{self, Note, Place},
};
use aqueduct_base::AllocError;
use aqueduct_slice::{
    SliceMut,
    owner::{Extent, Header, Vtable},
};
use std::ptr::{self, NonNull};

/// Exclusive ownership of a block that is not live.
pub(crate) struct Block(NonNull<Header>);

// SAFETY: a block is plain memory that belongs to whoever holds this (1), on any thread; what was
// done to it before happens-before through whatever handed it over.
unsafe impl Send for Block {}

impl Block {
    /// A new block of the system's memory.
    pub(crate) fn allocate(heap: &'static Heap, class: Class) -> Result<Self, AllocError> {
        let core = heap.core();
        let vtable = if core.config().scrub { &SCRUBBING } else { &PLAIN };
        let home = heap.list(class).cast_mut().cast();
        let place = Place::new(core.config(), core.classes().capacity(class), false);
        place.allocate(core.slot(), |note| Header::new(vtable, home, note)).map(Self)
    }

    /// A block of `len` bytes that is of no class, and goes back to the system when it dies. It is as
    /// the pool's settings say, and is to be made live at once.
    pub(crate) fn allocate_loose(core: &'static Core, len: usize) -> Result<Self, AllocError> {
        let home = ptr::from_ref(core).cast_mut().cast();
        let place = Place::new(core.config(), len, true);
        place.allocate(core.slot(), |note| Header::new(&LOOSE, home, note)).map(Self)
    }

    /// Gives the memory back to the system.
    pub(crate) fn free(self) {
        let place = Place::new(self.heap().core().config(), self.list().capacity, false);
        // SAFETY: made in `allocate` with an equal place (2), and ours (1).
        unsafe { place.free(self.0) }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: the header is in place, and ours (1).
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    pub(crate) fn class(&self) -> Class {
        self.list().class
    }

    /// Where the threads keep their heap of this block's pool.
    #[inline(always)]
    pub(crate) fn slot(&self) -> usize {
        Note::of(self.header()).slot()
    }

    /// The address of the list at home.
    #[inline(always)]
    pub(crate) fn home(&self) -> *const List {
        self.header().home().cast()
    }

    /// The list at home.
    #[inline(always)]
    pub(crate) fn list(&self) -> &'static List {
        // SAFETY: every home is a list in a heap record, and those are never freed (3).
        unsafe { &*self.home() }
    }

    /// The heap at home.
    pub(crate) fn heap(&self) -> &'static Heap {
        // SAFETY: every home came from `Heap::list` (3).
        unsafe { Heap::of_list(self.home()) }
    }

    /// Makes `heap` the block's home.
    pub(crate) fn set_heap(&self, heap: &'static Heap) {
        let list = heap.list(self.class()).cast_mut().cast();
        // SAFETY: the block is ours, and not live (1).
        unsafe { self.header().set_home(list) }
    }

    #[inline(always)]
    fn data(&self) -> NonNull<u8> {
        // SAFETY: every block came from `Place::allocate`, and ours is not freed (1).
        unsafe { place::data(self.0) }
    }

    /// The block as an empty buffer. It writes nothing: the count of a free block is one.
    #[inline(always)]
    pub(crate) fn into_live(self, capacity: usize) -> SliceMut {
        let data = self.data();
        // SAFETY: the count of one is this block's, and `capacity` is that of its class, or what the
        // loose block was made with: as many initialised bytes (4), which are ours alone (1).
        unsafe { SliceMut::from_block(self.0, data, capacity) }
    }

    /// The next block of a list, of which this one is not a part any more.
    #[inline(always)]
    pub(crate) fn link(&self) -> *mut Header {
        // SAFETY: the block is ours (1).
        unsafe { self.header().link() }
    }

    /// Puts `next` behind this block.
    #[inline(always)]
    pub(crate) fn set_link(&self, next: *mut Header) {
        // SAFETY: the block is ours (1).
        unsafe { self.header().set_link(next) }
    }

    /// Gives ownership up to a list, which keeps the pointer.
    #[inline(always)]
    pub(crate) fn into_raw(self) -> NonNull<Header> {
        self.0
    }

    /// Takes ownership from a list that gives the pointer up.
    ///
    /// # Safety
    ///
    /// `raw` came from [`into_raw`](Self::into_raw) and makes a block this once.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(raw: NonNull<Header>) -> Self {
        Self(raw)
    }
}

static PLAIN: Vtable = Vtable { release, extent, allocate };
static SCRUBBING: Vtable = Vtable { release: scrub, extent, allocate };
static LOOSE: Vtable =
    Vtable { release: release_loose, extent: extent_loose, allocate: allocate_beside_loose };

/// The last handle is gone: the block goes back to its home, or on its way there.
unsafe fn release(this: NonNull<Header>) {
    let block = Block(this); // the caller is the exclusive owner (1)
    if let Err(block) = local::put(block) {
        local::put_elsewhere(block);
    }
}

unsafe fn scrub(this: NonNull<Header>) {
    let block = Block(this); // the caller is the exclusive owner (1)
    let capacity = block.list().capacity;
    clear(block, capacity);
    // SAFETY: as for this function; the buffer above was the only handle, and is gone.
    unsafe { release(this) }
}

unsafe fn extent(this: NonNull<Header>) -> Extent {
    // The handle that asks keeps the block from changing its home; nothing is written here.
    let block = Block(this);
    let len = block.list().capacity;
    Extent { start: block.data().as_ptr(), len, pinned: len }
}

unsafe fn allocate(this: NonNull<Header>, len: usize) -> Result<SliceMut, AllocError> {
    let (block, capacity) = Block(this).heap().core().get_or_heap(len)?;
    Ok(block.into_live(capacity))
}

/// Sets all bytes of a block that nobody else sees to zero.
fn clear(block: Block, capacity: usize) {
    let mut buffer = block.into_live(capacity);
    buffer.spare_mut().fill(0);
    std::mem::forget(buffer);
}

/// The core that a loose block was made for.
unsafe fn core_of_loose(this: NonNull<Header>) -> &'static Core {
    // SAFETY: the caller owns the block, or holds a count.
    let home = unsafe { this.as_ref() }.home();
    // SAFETY: the home of a loose block is a core, and those are never freed.
    unsafe { &*home.cast::<Core>() }
}

unsafe fn release_loose(this: NonNull<Header>) {
    // SAFETY: this function stands in the vtable of loose blocks only.
    let core = unsafe { core_of_loose(this) };
    // SAFETY: loose blocks have their header at the side.
    let capacity = unsafe { place::capacity_at_side(this) };
    if core.config().scrub {
        clear(Block(this), capacity); // the caller is the exclusive owner (1)
    }
    // SAFETY: made in `allocate_loose` with an equal place, and the caller's to free.
    unsafe { Place::new(core.config(), capacity, true).free(this) }
}

unsafe fn extent_loose(this: NonNull<Header>) -> Extent {
    // SAFETY: loose blocks have their header at the side; the caller holds a count.
    let len = unsafe { place::capacity_at_side(this) };
    Extent { start: Block(this).data().as_ptr(), len, pinned: len }
}

unsafe fn allocate_beside_loose(this: NonNull<Header>, len: usize) -> Result<SliceMut, AllocError> {
    // SAFETY: this function stands in the vtable of loose blocks only; the caller holds a count.
    let (block, capacity) = unsafe { core_of_loose(this) }.get_or_heap(len)?;
    Ok(block.into_live(capacity))
}
