//! A file's bytes in the address space, where others can change them or take them away.
//!
//! Invariants of this file:
//!
//! 1. As long as a [`Map`] lives, `raw.len()` addresses from `raw.as_ptr()` on are a readable map.
//!    What stands there may change or go at any moment, so no reference to it is formed: the
//!    addresses are given to the kernel, which answers EFAULT where we would die.
//! 2. Every range was checked against `raw.len()` in the function that uses it.
//! 3. A [`View`] is made only for a caller who promised that nobody writes to, or truncates, the
//!    file while it lives.

use crate::map::{Advice, MappedFile};
use aqueduct_base::sync::Arc;
use aqueduct_slice::{RangeError, Slice};
use memmap2::{MmapOptions, MmapRaw};
use std::{
    fmt, io,
    ops::{Range, RangeBounds},
    os::fd::{AsRawFd, BorrowedFd},
    slice,
};

/// A map of a file, shared with whoever writes to the file.
pub(crate) struct Map {
    /// (1)
    raw: MmapRaw,
}

impl Map {
    /// Maps `len` bytes of `file` from `start` on. Their sum is no more than `i64::MAX`.
    pub(crate) fn of(file: BorrowedFd<'_>, start: u64, len: usize) -> io::Result<Self> {
        let raw = MmapOptions::new().offset(start).len(len).map_raw_read_only(&file)?;
        Ok(Self { raw })
    }

    pub(crate) fn len(&self) -> usize {
        self.raw.len()
    }

    /// Has the kernel write a part of the map to `to`: one call, which may take less.
    ///
    /// # Panics
    ///
    /// When `range` does not lie within the map.
    pub(crate) fn write(&self, to: BorrowedFd<'_>, range: Range<usize>) -> io::Result<usize> {
        let start = self.at(&range);
        // SAFETY: the addresses are of a map that lives as long as `self` (1, 2). Only the kernel
        // reads them, and answers EFAULT where there is nothing to be read.
        let wrote = unsafe { libc::write(to.as_raw_fd(), start.cast(), range.len()) };
        usize::try_from(wrote).map_err(|_| io::Error::last_os_error())
    }

    /// # Panics
    ///
    /// When `range` does not lie within the map.
    pub(crate) fn advise(&self, advice: Advice, range: &Range<usize>) -> io::Result<()> {
        self.at(range); // memmap2 checks only the start, and only the length
        let advise = |advice| self.raw.advise_range(advice, range.start, range.len());
        match advice {
            Advice::Normal => advise(memmap2::Advice::Normal),
            Advice::Sequential => advise(memmap2::Advice::Sequential),
            Advice::Random => advise(memmap2::Advice::Random),
            Advice::WillNeed => advise(memmap2::Advice::WillNeed),
            #[cfg(not(target_os = "linux"))]
            Advice::Populate => advise(memmap2::Advice::WillNeed),
            #[cfg(target_os = "linux")]
            Advice::Populate => match advise(memmap2::Advice::PopulateRead) {
                // Linux before 5.14.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {
                    advise(memmap2::Advice::WillNeed)
                }
                done => done,
            },
        }
    }

    /// The address of the first byte of `range`, which lies within the map (2).
    fn at(&self, range: &Range<usize>) -> *const u8 {
        assert!(range.start <= range.end && range.end <= self.len(), "{range:?} of {self:?}");
        self.raw.as_ptr().wrapping_add(range.start)
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("len", &self.len()).finish()
    }
}

impl MappedFile {
    /// A part of the file as a slice, which keeps the map alive. Copies nothing.
    ///
    /// # Errors
    ///
    /// [`RangeError`] when `range` does not lie within [`len`](Self::len) bytes.
    ///
    /// # Safety
    ///
    /// Until the returned slice and all slices that are made of it are gone, nobody writes to these
    /// bytes of the file, or truncates it before their end: no thread and no other process, whatever
    /// way it has to the file. Reading what was cut off kills the process, by SIGBUS; reading what
    /// changes meanwhile is undefined behaviour. Permissions and advisory locks do not bind
    /// everybody.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use aqueduct_os::MappedFile;
    /// use std::fs::File;
    ///
    /// let map = MappedFile::map(File::open("/usr/lib/locale/locale-archive")?)?;
    /// // SAFETY: the system's package manager replaces files, and does not write to them.
    /// let head = unsafe { map.slice(..16)? };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub unsafe fn slice(&self, range: impl RangeBounds<usize>) -> Result<Slice, RangeError> {
        let range = RangeError::check(range, self.len())?;
        if range.is_empty() {
            return Ok(Slice::new());
        }
        Ok(Slice::from_owner(View { map: Arc::clone(&self.map), range }))
    }
}

/// A part of a map as bytes (3).
struct View {
    map: Arc<Map>,
    range: Range<usize>,
}

impl AsRef<[u8]> for View {
    fn as_ref(&self) -> &[u8] {
        let start = self.map.at(&self.range);
        // SAFETY: the range lies in a readable map, which lives as long as `self` (1, 2), and stays
        // as it is (3).
        unsafe { slice::from_raw_parts(start, self.range.len()) }
    }
}
