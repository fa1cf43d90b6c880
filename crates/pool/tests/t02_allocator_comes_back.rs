//! A global allocator that drops a pool's block while the pool asks it for memory.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(unsafe_code, reason = "implements GlobalAlloc")]

use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, RefCell},
};

thread_local!(static ARMED: Cell<bool> = const { Cell::new(false) });
thread_local!(static VICTIM: RefCell<Option<SliceMut>> = const { RefCell::new(None) });

/// The system's, which drops a buffer first when it is armed, once.
struct ComesBack;

fn come_back() {
    if ARMED.try_with(|armed| armed.replace(false)).unwrap_or(false) {
        drop(VICTIM.with(RefCell::take));
    }
}

// SAFETY: every call is forwarded with the caller's arguments.
unsafe impl GlobalAlloc for ComesBack {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        come_back();
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        come_back();
        // SAFETY: forwarded.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        come_back();
        // SAFETY: forwarded.
        unsafe { System.dealloc(p, layout) }
    }
    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        come_back();
        // SAFETY: forwarded.
        unsafe { System.realloc(p, layout, size) }
    }
}

#[global_allocator]
static ALLOC: ComesBack = ComesBack;

#[test]
fn t02_a_block_that_dies_within_the_allocator_is_not_lost() {
    let pool = Pool::builder().build().expect("the defaults");
    let size = 4_096;
    // Fifteen places to begin with, all taken: the next death makes the list longer.
    let mut blocks: Vec<_> = (0..17).map(|_| pool.get(size)).collect();
    VICTIM.set(blocks.pop());
    let last = blocks.pop();
    blocks.clear();
    ARMED.set(true);
    drop(last);
    ARMED.set(false);
    assert_eq!(pool.outstanding(), 0);
    let again: Vec<_> = (0..17).map(|_| pool.get(size)).collect();
    for (i, buffer) in again.iter().enumerate() {
        assert!(buffer.capacity() >= size, "{i}");
        let others = again.iter().filter(|other| other.as_ptr() == buffer.as_ptr()).count();
        assert_eq!(others, 1, "{i}: a block that two have");
    }
    drop(again);
    pool.trim();
    assert_eq!(pool.stats().held_bytes, 0);
}
