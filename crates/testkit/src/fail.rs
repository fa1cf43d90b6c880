//! An allocator whose k-th allocation fails.
//!
//! Invariants:
//! 1. Every call that does not fail is forwarded to [`CountingAlloc`] with the caller's arguments.
//! 2. Arming and counting down allocate nothing: the counter is a `const` cell without destructor.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

use crate::CountingAlloc;

/// A global allocator that can be told, per thread, to refuse one allocation to come. It counts as
/// [`CountingAlloc`] does.
///
/// ```
/// use aqueduct_testkit::FailingAlloc;
/// #[global_allocator]
/// static ALLOC: FailingAlloc = FailingAlloc;
///
/// let mut v: Vec<u8> = Vec::new();
/// FailingAlloc::arm(0);
/// assert!(v.try_reserve(10).is_err());
/// assert!(FailingAlloc::disarm(), "it failed once");
/// assert!(v.try_reserve(10).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FailingAlloc;

const OFF: u64 = u64::MAX;
const FIRED: u64 = u64::MAX - 1;
thread_local!(static LEFT: Cell<u64> = const { Cell::new(OFF) });

impl FailingAlloc {
    /// After `k` more allocations of this thread, one fails; those after it succeed again.
    pub fn arm(k: u64) {
        LEFT.set(k);
    }

    /// Ends the threat; says whether an allocation failed since [`Self::arm`].
    #[must_use = "a run in which nothing failed has tried every k"]
    pub fn disarm() -> bool {
        LEFT.replace(OFF) == FIRED
    }

    fn refuses() -> bool {
        LEFT.try_with(|left| {
            let n = left.get();
            match n {
                OFF | FIRED => {}
                0 => left.set(FIRED),
                _ => left.set(n - 1),
            }
            n == 0
        })
        .unwrap_or(false)
    }
}

// SAFETY: null is an answer that every caller must expect; otherwise invariants 1 and 2 leave this
// to `CountingAlloc`.
unsafe impl GlobalAlloc for FailingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if Self::refuses() {
            return std::ptr::null_mut();
        }
        // SAFETY: invariant 1.
        unsafe { CountingAlloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if Self::refuses() {
            return std::ptr::null_mut();
        }
        // SAFETY: invariant 1.
        unsafe { CountingAlloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        // SAFETY: invariant 1; `p` came from `CountingAlloc`.
        unsafe { CountingAlloc.dealloc(p, layout) }
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if Self::refuses() {
            return std::ptr::null_mut();
        }
        // SAFETY: invariant 1; `p` came from `CountingAlloc`, and stays the caller's on failure.
        unsafe { CountingAlloc.realloc(p, layout, size) }
    }
}
