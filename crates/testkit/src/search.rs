//! An allocator that looks at what is given back.
//!
//! Invariants:
//! 1. Every request is forwarded to [`System`] unchanged.
//! 2. A block is read before it is given back, while it is the caller's, and only on a thread that
//!    asked for it with [`SearchAlloc::found`], whose contract is that such blocks are initialised.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// A global allocator that counts the blocks given back with a run of one byte in them.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchAlloc;

/// What is searched for, in blocks of which size or more, and how many had it.
#[derive(Clone, Copy)]
struct Search {
    byte: u8,
    least: usize,
    found: usize,
}

thread_local! {
    static SEARCH: Cell<Option<Search>> = const { Cell::new(None) };
}

/// Bytes in a row that are no accident.
const RUN: usize = 16;

impl SearchAlloc {
    /// Runs `f`, and counts the blocks of `least` bytes or more that it gives back on this thread with
    /// a run of `byte` in them. All bytes of such blocks must be initialised.
    pub fn found(byte: u8, least: usize, f: impl FnOnce()) -> usize {
        SEARCH.set(Some(Search { byte, least, found: 0 }));
        f();
        SEARCH.take().map_or(0, |search| search.found)
    }
}

fn look(p: *const u8, len: usize) {
    let Ok(Some(mut search)) = SEARCH.try_with(Cell::get) else { return };
    if len < search.least {
        return;
    }
    // SAFETY: the whole of a live block, initialised (2).
    let block = unsafe { std::slice::from_raw_parts(p, len) };
    if block.windows(RUN).any(|run| run.iter().all(|&byte| byte == search.byte)) {
        search.found += 1;
        SEARCH.set(Some(search));
    }
}

// SAFETY: `System` does all the work (1).
unsafe impl GlobalAlloc for SearchAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's contract is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        look(p, layout.size());
        // SAFETY: the caller's contract is the same.
        unsafe { System.dealloc(p, layout) }
    }
}
