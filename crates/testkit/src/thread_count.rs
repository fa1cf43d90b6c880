//! An allocator that counts calls of one thread, and costs next to nothing.
//!
//! Invariants:
//! 1. Every call is forwarded to [`System`] with the caller's own arguments.
//! 2. Counting allocates nothing: the counter is a `const` cell without a destructor.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local!(static ALLOCATIONS: Cell<u64> = const { Cell::new(0) });

/// A global allocator for programs that are timed while it is installed: one addition per
/// allocation, where [`CountingAlloc`](crate::CountingAlloc) has several locked ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThreadCountingAlloc;

impl ThreadCountingAlloc {
    /// Successful calls of this thread that gave memory, a `realloc` among them.
    #[must_use]
    pub fn allocations() -> u64 {
        ALLOCATIONS.try_with(Cell::get).unwrap_or(0)
    }
}

#[inline]
fn given(p: *mut u8) -> *mut u8 {
    if !p.is_null() {
        // Without the slot (a thread at its very end) there is nobody left to ask.
        let _ = ALLOCATIONS.try_with(|cell| cell.set(cell.get() + 1));
    }
    p
}

// SAFETY: invariants 1 and 2: memory, layouts and failures are those of `System`, and the counting
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for ThreadCountingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: invariant 1; the caller's layout has a size above zero.
        given(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: invariant 1; the caller's layout has a size above zero.
        given(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: invariant 1; `p` came from `System` with this layout.
        unsafe { System.dealloc(p, layout) }
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: invariant 1; `p` came from `System` with this layout, and the caller vouches for
        // the new size.
        given(unsafe { System.realloc(p, layout, size) })
    }
}
