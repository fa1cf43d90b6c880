//! An allocator that counts, per thread and for the process.
//!
//! Invariants:
//! 1. Every call is forwarded to [`System`] with the caller's own arguments.
//! 2. Counting allocates nothing: thread counters are `const` cells without a destructor.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Sub;
use std::sync::atomic::{AtomicU64, Ordering};

/// A global allocator that counts what passes through it.
///
/// ```
/// use aqueduct_testkit::CountingAlloc;
/// #[global_allocator]
/// static ALLOC: CountingAlloc = CountingAlloc;
///
/// let before = CountingAlloc::thread();
/// drop(std::hint::black_box(Box::new(7_u64)));
/// let used = CountingAlloc::thread() - before;
/// assert_eq!((used.allocations, used.frees, used.bytes), (1, 1, 8));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct CountingAlloc;

/// Calls and bytes since the start; take the difference of two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Successful calls that gave memory, a `realloc` among them.
    pub allocations: u64,
    /// Calls that took memory back, a `realloc` among them.
    pub frees: u64,
    /// Bytes given.
    pub bytes: u64,
    /// Bytes taken back.
    pub bytes_freed: u64,
}

impl Tally {
    /// Blocks given and not taken back; negative where another thread allocated them.
    #[must_use]
    pub fn live(&self) -> i64 {
        self.allocations.wrapping_sub(self.frees).cast_signed()
    }

    /// Bytes given and not taken back; negative where another thread allocated them.
    #[must_use]
    pub fn live_bytes(&self) -> i64 {
        self.bytes.wrapping_sub(self.bytes_freed).cast_signed()
    }
}

impl Sub for Tally {
    type Output = Tally;
    fn sub(self, earlier: Tally) -> Tally {
        Tally {
            allocations: self.allocations - earlier.allocations,
            frees: self.frees - earlier.frees,
            bytes: self.bytes - earlier.bytes,
            bytes_freed: self.bytes_freed - earlier.bytes_freed,
        }
    }
}

const ZERO: Tally = Tally { allocations: 0, frees: 0, bytes: 0, bytes_freed: 0 };
thread_local!(static THREAD: Cell<Tally> = const { Cell::new(ZERO) });

// Relaxed throughout: counters that order nothing.
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static FREES: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static BYTES_FREED: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

impl CountingAlloc {
    /// What the calling thread asked for and gave back.
    #[must_use]
    pub fn thread() -> Tally {
        THREAD.try_with(Cell::get).unwrap_or(ZERO)
    }

    /// What all threads asked for and gave back; exact only while they rest.
    #[must_use]
    pub fn process() -> Tally {
        Tally {
            allocations: ALLOCATIONS.load(Ordering::Relaxed),
            frees: FREES.load(Ordering::Relaxed),
            bytes: BYTES.load(Ordering::Relaxed),
            bytes_freed: BYTES_FREED.load(Ordering::Relaxed),
        }
    }

    /// The most bytes that were live at once since the last [`Self::reset_peak`].
    #[must_use]
    pub fn peak_bytes() -> u64 {
        PEAK.load(Ordering::Relaxed)
    }

    /// Starts the peak again from what is live now.
    pub fn reset_peak() {
        let live = BYTES.load(Ordering::Relaxed) - BYTES_FREED.load(Ordering::Relaxed);
        PEAK.store(live, Ordering::Relaxed);
    }

    fn given(size: usize) {
        let size = size as u64;
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        let bytes = BYTES.fetch_add(size, Ordering::Relaxed) + size;
        let live = bytes.saturating_sub(BYTES_FREED.load(Ordering::Relaxed));
        PEAK.fetch_max(live, Ordering::Relaxed);
        add(|t| (t.allocations, t.bytes) = (t.allocations + 1, t.bytes + size));
    }

    fn taken(size: usize) {
        let size = size as u64;
        FREES.fetch_add(1, Ordering::Relaxed);
        BYTES_FREED.fetch_add(size, Ordering::Relaxed);
        add(|t| (t.frees, t.bytes_freed) = (t.frees + 1, t.bytes_freed + size));
    }
}

fn add(change: impl FnOnce(&mut Tally)) {
    // Without the slot (a thread at its very end) only the process's counters are right.
    let _ = THREAD.try_with(|cell| {
        let mut tally = cell.get();
        change(&mut tally);
        cell.set(tally);
    });
}

// SAFETY: invariants 1 and 2: memory, layouts and failures are those of `System`, and the counting
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAlloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: invariant 1; the caller's layout has a size above zero.
        let p = unsafe { System.alloc(layout) };
        if !p.is_null() {
            Self::given(layout.size());
        }
        p
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: invariant 1; the caller's layout has a size above zero.
        let p = unsafe { System.alloc_zeroed(layout) };
        if !p.is_null() {
            Self::given(layout.size());
        }
        p
    }

    unsafe fn dealloc(&self, p: *mut u8, layout: Layout) {
        Self::taken(layout.size());
        // SAFETY: invariant 1; `p` came from `System` with this layout.
        unsafe { System.dealloc(p, layout) }
    }

    unsafe fn realloc(&self, p: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: invariant 1; `p` came from `System` with this layout, and the caller vouches for
        // the new size.
        let new = unsafe { System.realloc(p, layout, size) };
        if !new.is_null() {
            Self::taken(layout.size());
            Self::given(size);
        }
        new
    }
}
