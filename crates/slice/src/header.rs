//! The owner header: the count, the vtable and the home of a block.
//!
//! Invariants, numbered for the whole crate:
//!
//! 1. While a block is live, `count` is the number of handles on it (a local group is one handle).
//!    While it is not, `count` is one, so that making it live writes nothing.
//! 2. Whoever holds a count may read `count`, `note`, `vtable` and `home`; only the exclusive owner
//!    of a block that is not live writes `note`, `home` and `link`. In a live block `link` belongs
//!    to the one local group that may exist on it.
//! 3. The right to reclaim needs exclusivity: the count read as one with Acquire by the holder of
//!    that one, or a `fetch_sub(Release)` that returned one and an Acquire fence after it.
//! 4. A header stays in place and valid for as long as its block is live. A count is given up through
//!    `count` alone: a function that were given the whole header would promise that its other words
//!    can be read until it returns, and another thread may free them as soon as the count is down.

use crate::SliceMut;
use aqueduct_base::{
    AllocError,
    sync::{
        atomic::{AtomicU32, Ordering, fence},
        cell::UnsafeCell,
        twin,
    },
};
use core::{fmt, ptr, ptr::NonNull};

/// What stands in front of a block, or beside it: 32 bytes on 64-bit targets.
#[repr(C, align(8))]
pub struct Header {
    count: AtomicU32,
    note: u32,
    vtable: &'static Vtable,
    home: UnsafeCell<*mut ()>,
    link: UnsafeCell<*mut Header>,
}

#[cfg(all(target_pointer_width = "64", not(any(aqueduct_loom, aqueduct_shuttle))))]
const _: () = assert!(size_of::<Header>() == 32);
// The handles keep two bits of the header's address for themselves.
const _: () = assert!(align_of::<Header>() >= 4);

/// What an owner does with its blocks. One static per kind of owner.
#[derive(Debug)]
pub struct Vtable {
    /// Takes the block back. Called once, by the exclusive owner; the count is one.
    pub release: unsafe fn(NonNull<Header>),
    /// Where the block lies. Called by a holder of a count.
    pub extent: unsafe fn(NonNull<Header>) -> Extent,
    /// A block of at least so many bytes for a [`SliceMut`] that outgrew this one. Called by a
    /// holder of a count.
    pub allocate: unsafe fn(NonNull<Header>, usize) -> Result<SliceMut, AllocError>,
}

/// Where a block lies.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The first byte. Null where nobody may write: the block is then only read.
    pub start: *mut u8,
    /// Bytes, all of them initialised.
    pub len: usize,
    /// Bytes that the owner keeps alive for this block, spare ones included.
    pub pinned: usize,
}

impl Header {
    /// A header with a count of one. `home` and `note` are the owner's own.
    #[inline]
    #[must_use]
    pub fn new(vtable: &'static Vtable, home: *mut (), note: u32) -> Self {
        Self {
            count: AtomicU32::new(1),
            note,
            vtable,
            home: UnsafeCell::new(home),
            link: UnsafeCell::new(ptr::null_mut()),
        }
    }

    /// Makes a header ready to be live again, under another owner of the same crate. The count is one
    /// (1), and nobody reads what `home` and `link` say before they are set.
    ///
    /// # Safety
    ///
    /// The caller is the exclusive owner of the block, which is not live.
    #[inline(always)]
    pub(crate) unsafe fn revive(this: NonNull<Self>, vtable: &'static Vtable) {
        // SAFETY: the header is the caller's alone.
        let place = unsafe { &raw mut (*this.as_ptr()).vtable };
        // SAFETY: as above.
        unsafe { place.write(vtable) };
    }

    /// The owner's own word of 32 bits.
    #[inline(always)]
    #[must_use]
    pub fn note(&self) -> u32 {
        self.note
    }

    /// The owner's own pointer.
    #[inline(always)]
    #[must_use]
    pub fn home(&self) -> *mut () {
        // SAFETY: nobody writes `home` while a holder of a count, or the exclusive owner, reads (2).
        self.home.with(|home| unsafe { *home })
    }

    /// Whether the block's owner is of the kind that has this vtable.
    #[cfg(feature = "bytes")]
    pub(crate) fn is_of(&self, vtable: &'static Vtable) -> bool {
        ptr::eq(self.vtable, vtable)
    }

    /// Gives the block to another home.
    ///
    /// # Safety
    ///
    /// The caller is the exclusive owner of the block, which is not live.
    #[inline(always)]
    pub unsafe fn set_home(&self, to: *mut ()) {
        // SAFETY: the exclusive owner of a block that is not live may write (2).
        self.home.with_mut(|home| unsafe { *home = to });
    }

    /// The next block of the list that this one stands on; of a live block, the local count.
    ///
    /// # Safety
    ///
    /// The caller is the exclusive owner of the block, or of its local group.
    #[inline(always)]
    #[must_use]
    pub unsafe fn link(&self) -> *mut Self {
        // SAFETY: `link` belongs to the caller (2).
        self.link.with(|link| unsafe { *link })
    }

    /// Sets what [`link`](Self::link) answers.
    ///
    /// # Safety
    ///
    /// As for [`link`](Self::link).
    #[inline(always)]
    pub unsafe fn set_link(&self, to: *mut Self) {
        // SAFETY: `link` belongs to the caller (2).
        self.link.with_mut(|link| unsafe { *link = to });
    }

    /// One more handle.
    #[inline(always)]
    pub(crate) fn acquire(&self) {
        // Relaxed: the new handle is made from one that has seen the block, on this thread.
        let before = if twin::is("acquire_torn") {
            let before = self.count.load(Ordering::Relaxed);
            self.count.store(before.wrapping_add(1), Ordering::Relaxed);
            before
        } else {
            self.count.fetch_add(1, Ordering::Relaxed)
        };
        if before > u32::MAX / 2 {
            // Two thousand million handles were leaked. Going on would wrap the count.
            end_the_process();
        }
    }

    /// Whether the caller's is the only handle. If so it sees all that other handles did.
    #[inline(always)]
    pub(crate) fn is_unique(&self) -> bool {
        self.is_held_by(1)
    }

    /// Whether there are exactly so many handles, the caller's among them. It sees all that other
    /// handles did.
    #[inline(always)]
    pub(crate) fn is_held_by(&self, handles: u32) -> bool {
        // Acquire, with the Release of every drop: what others read is done before we write.
        let order = twin::order("unique_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.count.load(order) == handles
    }

    /// Where the block lies.
    #[inline]
    pub(crate) fn extent(this: NonNull<Self>) -> Extent {
        // SAFETY: the caller's handle keeps the header in place (4).
        let vtable = unsafe { this.as_ref() }.vtable;
        // SAFETY: the caller holds a count, which is what the function asks for.
        unsafe { (vtable.extent)(this) }
    }

    /// A block of the same kind with room for `len` bytes.
    ///
    /// # Errors
    ///
    /// When the owner has none.
    pub(crate) fn allocate(this: NonNull<Self>, len: usize) -> Result<SliceMut, AllocError> {
        // SAFETY: the caller's handle keeps the header in place (4).
        let vtable = unsafe { this.as_ref() }.vtable;
        // SAFETY: the caller holds a count, which is what the function asks for.
        unsafe { (vtable.allocate)(this, len) }
    }

    /// One handle less; the last gives the block to its owner.
    ///
    /// A block that is not shared is reclaimed without an atomic read-modify-write.
    ///
    /// # Safety
    ///
    /// The caller gives up a count of its own, and uses the block no more.
    #[inline(always)]
    pub(crate) unsafe fn release(this: NonNull<Self>) {
        // SAFETY: the caller's count keeps the header in place (4).
        let header = unsafe { this.as_ref() };
        if !header.is_unique() && !give_up(&header.count) {
            return;
        }
        // SAFETY: the count was one and ours, read with Acquire: the block is ours alone (3).
        unsafe { (header.vtable.release)(this) }
    }
}

/// What `core` has in place of std's `abort`: a panic gets no further than a function of the C ABI.
#[cold]
#[inline(never)]
pub(crate) extern "C" fn end_the_process() -> ! {
    panic!("a block has more handles than can be counted")
}

/// Takes one from a shared count, which may be gone when this returns (4); true for the one that took
/// the last.
#[inline(always)]
fn give_up(count: &AtomicU32) -> bool {
    // Release: what this handle read is done before the block is reused.
    let order = twin::order("drop_relaxed", Ordering::Release, Ordering::Relaxed);
    if count.fetch_sub(1, order) != 1 {
        return false;
    }
    // Acquire: all that the other handles did is done. ThreadSanitizer knows no fences, but loads.
    if twin::is("last_drop_unfenced") {
    } else if cfg!(aqueduct_tsan) {
        count.load(Ordering::Acquire);
    } else {
        fence(Ordering::Acquire);
    }
    // The block is not live any more, and its count one (1).
    count.store(1, Ordering::Relaxed);
    true
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("note", &self.note).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod tests {
    use super::*;
    use std::{env, process::Command};

    static VTABLE: Vtable = Vtable {
        release: |_| unreachable!("nothing here is live"),
        extent: |_| unreachable!("nothing here has bytes"),
        allocate: |_, _| unreachable!("nothing here grows"),
    };

    fn header(count: u32) -> Header {
        let header = Header::new(&VTABLE, ptr::null_mut(), 7);
        header.count.store(count, Ordering::Relaxed);
        header
    }

    #[test]
    fn of_two_that_find_each_other_there_the_second_has_the_last() {
        let header = header(2);
        assert!(!give_up(&header.count));
        assert!(give_up(&header.count));
        assert!(header.is_unique(), "not ready to be live again");
    }

    #[test]
    fn t11_a_header_prints_what_is_its_owners() {
        let header = header(1);
        assert_eq!((header.note(), header.home()), (7, ptr::null_mut()));
        assert_eq!(format!("{header:?}"), "Header { note: 7, .. }");
    }

    #[test]
    fn half_of_all_counts_are_handles() {
        let header = header(u32::MAX / 2);
        header.acquire();
        assert!(header.is_held_by(u32::MAX / 2 + 1));
    }

    /// It runs itself in another process.
    #[test]
    #[cfg_attr(miri, ignore = "Miri starts no process")]
    fn one_handle_more_than_that_ends_the_process() {
        const NAME: &str = "AQUEDUCT_TEST_TOO_MANY_HANDLES";
        if env::var_os(NAME).is_some() {
            header(u32::MAX / 2 + 1).acquire();
            return;
        }
        let mut again = Command::new(env::current_exe().expect("it runs"));
        again.args(["--exact", "header::tests::one_handle_more_than_that_ends_the_process"]);
        let ended = again.env(NAME, "1").output().expect("it starts");
        assert_eq!(ended.status.code(), None, "{ended:?}"); // by a signal
    }
}
