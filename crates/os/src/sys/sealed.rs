//! Memory that nobody can change any more, as a slice.
//!
//! Invariants of this file:
//!
//! 1. What is mapped can neither be written to nor shrunk by anybody: both seals were there before it
//!    was mapped, on the same descriptor, and a seal cannot be taken off. The kernel refuses
//!    `F_SEAL_WRITE` while anything could still write, a map that was made before included.
//! 2. Every page of it is there, so that reading it needs no new memory, the lack of which would be
//!    a SIGBUS: it had no hole when it could not get one any more.

use crate::memory::SealError;
use aqueduct_slice::Slice;
use memmap2::MmapOptions;
use rustix::{
    fs::{Mode, OFlags, SealFlags, SeekFrom, fcntl_get_seals, fstat, fstatfs, open, seek},
    io::Errno,
};
use std::os::fd::{AsRawFd, BorrowedFd};

/// `statfs` says so of memory in huge pages.
const HUGETLBFS: u64 = 0x9584_58f6;

/// Maps all of `memory`, if it is sealed.
pub(crate) fn sealed(memory: BorrowedFd<'_>) -> Result<Slice, SealError> {
    check_seals(memory)?;
    let size = fstat(memory).map_err(SealError::system("asking for its size"))?.st_size;
    let Some(len) = usize::try_from(size).ok().filter(|&len| len <= isize::MAX.cast_unsigned())
    else {
        return Err(SealError::TooLong);
    };
    if len == 0 {
        return Ok(Slice::new());
    }
    check_pages(memory, size.cast_unsigned())?;
    // Private, since kernels before 6.7 take a shared map of a descriptor that is open for writing
    // for one that will be written to, and refuse it.
    // SAFETY: nobody can write to or shrink what is mapped (1), and all of it is there (2).
    let map = unsafe { MmapOptions::new().len(len).map_copy_read_only(&memory) };
    let map = map.map_err(|error| SealError::System { doing: "mapping it", error })?;
    Ok(Slice::from_owner(map))
}

/// `F_SEAL_FUTURE_WRITE` would not do: maps that were made before it can be written to.
fn check_seals(memory: BorrowedFd<'_>) -> Result<(), SealError> {
    let seals = match fcntl_get_seals(memory) {
        Err(Errno::INVAL) => return Err(SealError::NotSealable),
        seals => seals.map_err(SealError::system("asking for its seals"))?,
    };
    let (shrink, write) = (seals.contains(SealFlags::SHRINK), seals.contains(SealFlags::WRITE));
    if shrink && write {
        Ok(())
    } else {
        Err(SealError::Missing { shrink: !shrink, write: !write })
    }
}

/// Whether all pages are there. Linear in the number of pages, some nanoseconds for each.
fn check_pages(memory: BorrowedFd<'_>, size: u64) -> Result<(), SealError> {
    let system = fstatfs(memory).map_err(SealError::system("asking for its kind"))?;
    // Huge pages may be refused when they are touched, and their holes are not told.
    if u64::try_from(system.f_type) == Ok(HUGETLBFS) {
        return Err(SealError::HugePages);
    }
    // Looking for a hole moves the position, which others may share: so it is opened anew.
    let again = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let again = open(again, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let again = again.map_err(SealError::system("opening it anew"))?;
    let hole = seek(again, SeekFrom::Hole(0)).map_err(SealError::system("looking for holes"))?;
    if hole < size { Err(SealError::Hole { at: hole }) } else { Ok(()) }
}
