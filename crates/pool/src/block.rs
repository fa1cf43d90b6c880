//! A pool's block: its header, its memory, and the change from free to live and back.
//!
//! Invariants of this file:
//!
//! 1. A [`Block`] is the exclusive owner of a block that is not live. It cannot be cloned, so the
//!    list, batch or stack that holds it is the only party that may touch it.
//! 2. `note` says how the block was allocated: where its header lies, and the slot of its pool. With
//!    its class that gives the very shapes to free it with.
//! 3. `home` is the list of its class in a heap record, from [`Heap::list`]; records are never freed.
//!    The one exception to 2 and 3, a block of the heap, becomes live as soon as it is made.
//! 4. All bytes of the data are initialised: the allocator cleared them, and only bytes are written.

use crate::{
    builder::IN_FRONT,
    class::Class,
    core::Core,
    heap::{Heap, List},
    local,
};
use aqueduct_base::{
    AllocError,
    block::{self, Shape},
};
use aqueduct_slice::{
    SliceMut,
    owner::{Extent, Header, Vtable, heap_block},
};
use std::ptr::NonNull;

/// Exclusive ownership of a block that is not live.
pub(crate) struct Block(NonNull<Header>);

// SAFETY: a block is plain memory that belongs to whoever holds this (1), on any thread; what was
// done to it before happens-before through whatever handed it over.
unsafe impl Send for Block {}

/// A header that is not in front of its data.
#[repr(C)]
struct Side {
    header: Header,
    data: NonNull<u8>,
}

/// What is asked of the allocator: more would make it clear the block by hand.
const ALIGN: usize = 16;
/// Room in front of the data for the header and for rounding the data up to [`IN_FRONT`].
const FRONT: usize = size_of::<Header>() + IN_FRONT - ALIGN;
/// What the size and the place of a header are multiples of.
const UNIT: usize = align_of::<Header>();
const HUGE: usize = 2 << 20;

/// The note of a block: bits 0-7 slot, 8-15 eighths of the bytes in front of the header, 16 whether
/// the header is at the side.
#[derive(Clone, Copy)]
struct Note(u32);

impl Note {
    fn new(slot: usize, skipped: usize, side: bool) -> Self {
        let bits = slot | (skipped / UNIT) << 8 | usize::from(side) << 16;
        #[allow(clippy::cast_possible_truncation, reason = "17 bits")]
        Self(bits as u32)
    }

    #[inline(always)]
    fn slot(self) -> usize {
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

impl Block {
    /// A new block of the system's memory.
    pub(crate) fn allocate(heap: &'static Heap, class: Class) -> Result<Self, AllocError> {
        let core = heap.core();
        let vtable = if core.config().scrub { &SCRUBBING } else { &PLAIN };
        let home = heap.list(class).cast_mut().cast();
        let header =
            |skipped, side| Header::new(vtable, home, Note::new(core.slot(), skipped, side).0);
        if let Some(shape) = side_shape(core, class)? {
            return Self::allocate_at_side(core, shape, header(0, true));
        }
        let base = block::allocate(front_shape(core, class)?)?;
        let data = base.addr().get() + size_of::<Header>();
        let skipped = data.next_multiple_of(IN_FRONT) - data;
        // SAFETY: the shape has room for rounding up in front of the header (`FRONT`).
        let place = unsafe { base.add(skipped) }.cast::<Header>();
        // SAFETY: the block is ours, and aligned to 16 at every multiple of it.
        unsafe { place.write(header(skipped, false)) };
        Ok(Self(place))
    }

    fn allocate_at_side(core: &Core, shape: Shape, header: Header) -> Result<Self, AllocError> {
        let data = block::allocate(shape)?;
        let side = match Shape::new(0, size_of::<Side>(), ALIGN).and_then(block::allocate) {
            Ok(side) => side.cast::<Side>(),
            Err(refused) => {
                // SAFETY: made above with this shape, and not used.
                unsafe { block::free(data, shape) };
                return Err(refused);
            }
        };
        if core.config().huge_pages {
            // SAFETY: made above with this shape.
            unsafe { block::advise_huge(data, shape) };
        }
        // SAFETY: the memory is ours, as large as a `Side` and aligned to 16.
        unsafe { side.write(Side { header, data }) };
        Ok(Self(side.cast()))
    }

    /// Gives the memory back to the system.
    pub(crate) fn free(self) {
        let (core, class, note, header) = (self.heap().core(), self.class(), self.note(), self.0);
        let unmade = "the block was made with this shape";
        let data = self.data();
        let Ok(side) = side_shape(core, class) else { unreachable!("{unmade}") };
        if let Some(shape) = side {
            // SAFETY: the data of a side block was allocated with this shape (2), and is ours (1).
            unsafe { block::free(data, shape) };
            let Ok(shape) = Shape::new(0, size_of::<Side>(), ALIGN) else {
                unreachable!("{unmade}")
            };
            // SAFETY: the header was allocated with this shape, and is ours (1, 2).
            unsafe { block::free(header.cast(), shape) };
            return;
        }
        let Ok(shape) = front_shape(core, class) else { unreachable!("{unmade}") };
        // SAFETY: the header stands `skipped` bytes behind the start of the allocation (2).
        let base = unsafe { header.cast::<u8>().sub(note.skipped()) };
        // SAFETY: allocated with this shape, and ours (1, 2).
        unsafe { block::free(base, shape) }
    }

    #[inline(always)]
    fn header(&self) -> &Header {
        // SAFETY: the header is in place, and ours (1).
        unsafe { self.0.as_ref() }
    }

    #[inline(always)]
    fn note(&self) -> Note {
        Note(self.header().note())
    }

    #[inline(always)]
    pub(crate) fn class(&self) -> Class {
        self.list().class
    }

    /// Where the threads keep their heap of this block's pool.
    #[inline(always)]
    pub(crate) fn slot(&self) -> usize {
        self.note().slot()
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
        if self.note().side() {
            // SAFETY: the note says that the header is the first part of a `Side` (2).
            return unsafe { self.0.cast::<Side>().as_ref() }.data;
        }
        // SAFETY: the data follows the header in the same allocation.
        unsafe { self.0.add(1) }.cast()
    }

    /// The block as an empty buffer. It writes nothing: the count of a free block is one.
    #[inline(always)]
    pub(crate) fn into_live(self, capacity: usize) -> SliceMut {
        let data = self.data();
        // SAFETY: the count of one is this block's, and `capacity` is that of its class, or what the
        // heap block was made with: as many initialised bytes (4), which are ours alone (1).
        unsafe { SliceMut::from_block(self.0, data, capacity) }
    }

    /// A block of the heap with `len` bytes: no pool's, and to be made live at once.
    pub(crate) fn of_heap(len: usize) -> Result<Self, AllocError> {
        // Its note of zero says that the data follows the header (2).
        heap_block(len).map(Self)
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
    pub(crate) fn into_raw(self) -> *mut Header {
        self.0.as_ptr()
    }

    /// Takes ownership from a list that gives the pointer up; none for null.
    ///
    /// # Safety
    ///
    /// `raw` is null, or came from [`into_raw`](Self::into_raw) and makes a block this once.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(raw: *mut Header) -> Option<Self> {
        NonNull::new(raw).map(Self)
    }
}

fn front_shape(core: &Core, class: Class) -> Result<Shape, AllocError> {
    Shape::new(FRONT, core.classes().capacity(class), ALIGN)
}

/// The shape of data whose header is at the side; none when it is in front.
fn side_shape(core: &Core, class: Class) -> Result<Option<Shape>, AllocError> {
    let capacity = core.classes().capacity(class);
    let huge = core.config().huge_pages && capacity >= HUGE;
    let align = if huge { HUGE } else { core.config().align };
    if align <= IN_FRONT { Ok(None) } else { Shape::new(0, capacity, align).map(Some) }
}

static PLAIN: Vtable = Vtable { release, extent, allocate };
static SCRUBBING: Vtable = Vtable { release: scrub, extent, allocate };

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
    let mut buffer = block.into_live(capacity);
    buffer.spare_mut().fill(0);
    std::mem::forget(buffer);
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
