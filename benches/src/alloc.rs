//! The global allocator of this package: the system's, the system's with a counter, or mimalloc.
//!
//! Which one is fixed at the first allocation of the process, from the environment variable
//! [`VARIABLE`], because memory must go back to the allocator it came from. The report therefore
//! starts a child process wherever it wants another one.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::CStr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use mimalloc::MiMalloc;

/// Names the environment variable that chooses: `count` or `mimalloc`, else the system's allocator.
pub const VARIABLE: &CStr = c"COPY_COST_ALLOCATOR";

const UNDECIDED: u8 = 0;
const SYSTEM: u8 = 1;
const COUNTING: u8 = 2;
const MIMALLOC: u8 = 3;

/// Invariant A1: leaves `UNDECIDED` before the first allocation returns and never changes again.
static CHOICE: AtomicU8 = AtomicU8::new(UNDECIDED);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static SWITCH: Switch = Switch;

/// Allocations of the whole process so far; always zero unless this process counts.
#[must_use]
pub fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

/// Whether this process counts its allocations.
#[must_use]
pub fn is_counting() -> bool {
    choice() == COUNTING
}

struct Switch;

#[inline]
fn choice() -> u8 {
    match CHOICE.load(Ordering::Relaxed) {
        UNDECIDED => decide(),
        choice => choice,
    }
}

#[cold]
fn decide() -> u8 {
    // SAFETY: the name ends with a nul, and nothing in this package changes the environment, so
    // no other thread can be moving it while it is read.
    let value = unsafe { libc::getenv(VARIABLE.as_ptr()) };
    let wanted = if value.is_null() {
        SYSTEM
    } else {
        // SAFETY: not null, so `getenv` gave a nul-terminated string of the environment, which
        // nothing here changes.
        match unsafe { CStr::from_ptr(value) }.to_bytes() {
            b"count" => COUNTING,
            b"mimalloc" => MIMALLOC,
            _ => SYSTEM,
        }
    };
    // Two threads that race here have read the same environment, so both write the same value.
    CHOICE.store(wanted, Ordering::Relaxed);
    wanted
}

#[inline]
fn count(choice: u8) {
    if choice == COUNTING {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every method forwards its arguments unchanged to one allocator that keeps this contract
// itself, and by A1 it is the same allocator for the whole life of the process, so memory is
// resized and freed by the one that made it. Counting touches an atomic and never allocates;
// deciding reads the environment and never allocates; nothing here unwinds.
unsafe impl GlobalAlloc for Switch {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let choice = choice();
        count(choice);
        if choice == MIMALLOC {
            // SAFETY: the caller gives a layout of non-zero size; it is passed on as it is.
            unsafe { MiMalloc.alloc(layout) }
        } else {
            // SAFETY: as above.
            unsafe { System.alloc(layout) }
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if choice() == MIMALLOC {
            // SAFETY: the caller gives a block of this allocator with its layout; by A1 mimalloc
            // made it.
            unsafe { MiMalloc.dealloc(block, layout) }
        } else {
            // SAFETY: as above; by A1 the system's allocator made it.
            unsafe { System.dealloc(block, layout) }
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let choice = choice();
        count(choice);
        if choice == MIMALLOC {
            // SAFETY: the caller gives a layout of non-zero size; it is passed on as it is.
            unsafe { MiMalloc.alloc_zeroed(layout) }
        } else {
            // SAFETY: as above.
            unsafe { System.alloc_zeroed(layout) }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let choice = choice();
        count(choice);
        if choice == MIMALLOC {
            // SAFETY: the caller gives a block of this allocator, its layout and a valid new size;
            // by A1 mimalloc made the block.
            unsafe { MiMalloc.realloc(block, layout, size) }
        } else {
            // SAFETY: as above; by A1 the system's allocator made the block.
            unsafe { System.realloc(block, layout, size) }
        }
    }
}
