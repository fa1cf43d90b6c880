//! The file that is read and sent, which nobody else has.
//!
//! Invariants of this file:
//!
//! 1. Nobody writes to the file or cuts it off as long as there is a [`Ground`] or a slice of it: it was
//!    made in a folder that only this user may enter, has no name any more, and the only descriptors of it
//!    are open for reading.

use std::fs::File;
use std::io;
use std::sync::Arc;

use aqueduct::Slice;
use aqueduct::os::{MappedFile, uring::open_direct};

use crate::folder::{ABSENT, Folder};

/// Bytes of the file: more than the processor's caches hold, so that everybody reads memory.
pub(super) const FILE: usize = 64 << 20;

/// The file, read through the system's cache and past it.
pub(super) struct Ground {
    pub(super) cached: Arc<File>,
    /// Why it cannot be read past the cache, else.
    pub(super) direct: Result<Arc<File>, &'static str>,
}

impl Ground {
    pub(super) fn new() -> io::Result<Self> {
        let folder = Folder::new()?;
        let path = folder.file("file", FILE)?;
        let cached = Arc::new(File::open(&path)?);
        let direct = match open_direct(&path)? {
            (file, None) => Ok(Arc::new(file)),
            (_, Some(_)) => Err("this file system has no O_DIRECT"),
        };
        Ok(Self { cached, direct })
    }

    /// A view of all its bytes.
    pub(super) fn view(&self) -> io::Result<Slice> {
        let map = MappedFile::map(&self.cached)?;
        // SAFETY: nobody writes to the file or cuts it off (1).
        unsafe { map.slice(..) }.map_err(io::Error::other)
    }

    /// A view of a part of it, in a map of its own.
    pub(super) fn view_part(file: &Self, at: u64, len: usize) -> io::Result<Slice> {
        let map = MappedFile::map_range(&file.cached, at..at + len as u64)?;
        // SAFETY: nobody writes to the part of the file that is mapped here, or cuts it off (1).
        unsafe { map.slice(..) }.map_err(io::Error::other)
    }
}

/// Reads all of what should be so many bytes of the file.
pub(super) fn see(bytes: &[u8], len: usize) -> io::Result<()> {
    let whole = bytes.len() == len && memchr::memchr(ABSENT, bytes).is_none();
    whole.then_some(()).ok_or_else(|| io::Error::other("not the bytes of the file"))
}
