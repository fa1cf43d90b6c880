//! An allocator that answers byte-aligned requests with odd addresses.
//!
//! Invariants:
//! 1. A request of alignment 1 is served from a block of alignment 2 that is one byte longer; the
//!    caller's pointer is that block's plus one, always, so `dealloc` finds the way back by layout.
//! 2. Every other request is forwarded to [`System`] unchanged.
//! 3. `realloc` is the trait's own: a new block, a copy, a release, each by 1 or 2.

use std::alloc::{GlobalAlloc, Layout, System};

/// A global allocator under which the buffer of every `Vec<u8>` starts at an odd address, so that a
/// tag in a pointer's lowest bit is found out.
#[derive(Clone, Copy, Debug, Default)]
pub struct OddAlloc;

/// The layout of the block behind an align-1 request; `None` for the others.
fn behind(layout: Layout) -> Option<Layout> {
    if layout.align() != 1 {
        return None;
    }
    Layout::from_size_align(layout.size().checked_add(1)?, 2).ok()
}

/// A request that cannot be made one byte longer fails instead of breaking invariant 1.
fn too_long(layout: Layout) -> bool {
    layout.align() == 1 && behind(layout).is_none()
}

// SAFETY: by invariants 1 to 3 the memory given is `layout.size()` bytes inside a live block of
// `System`, aligned as asked, and released with the layout it was made with.
unsafe impl GlobalAlloc for OddAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if too_long(layout) {
            return std::ptr::null_mut();
        }
        let Some(longer) = behind(layout) else {
            // SAFETY: invariant 2.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: the longer layout has a size above zero.
        let p = unsafe { System.alloc(longer) };
        if p.is_null() {
            return p;
        }
        // SAFETY: invariant 1: the block is one byte longer than what the caller may use.
        unsafe { p.add(1) }
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        let Some(longer) = behind(layout) else {
            // SAFETY: invariant 2; an align-1 block was made, so its longer layout exists.
            return unsafe { System.dealloc(p, layout) };
        };
        // SAFETY: invariant 1: `p` is one past the start of its block.
        let start = unsafe { p.sub(1) };
        // SAFETY: invariant 1: `start` was made with exactly this layout.
        unsafe { System.dealloc(start, longer) }
    }
}
