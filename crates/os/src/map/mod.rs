//! [`MappedFile`]: a file that the kernel writes from where it is.

mod error;
#[cfg(test)]
mod faults;

pub use error::{MapError, WriteToError, WriteToFault};

use crate::sys::{Call, Map, attempt};
use aqueduct_base::sync::Arc;
use aqueduct_slice::RangeError;
use rustix::{
    fs::{FileType, Stat, fstat},
    io::Errno,
};
use std::{
    io,
    ops::{Bound, Range, RangeBounds},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// The most that is written by one call: what Linux does at most, and macOS does not refuse.
const MOST_AT_ONCE: usize = 0x7fff_f000;

/// What `mmap` may round up by: the largest page of any system.
const LARGEST_PAGE: usize = 1 << 16;

/// An ordinary file, or a range of it, in the address space.
///
/// ```
/// use aqueduct_os::MappedFile;
/// # let path = std::env::temp_dir().join(format!("aqueduct-map-{}", std::process::id()));
/// # std::fs::write(&path, b"<html></html>")?;
/// # let file = std::fs::File::open(&path)?;
/// # std::fs::remove_file(&path)?;
/// # let (mut client, socket) = std::os::unix::net::UnixStream::pair()?;
///
/// let map = MappedFile::map(&file)?;
/// map.write_all_to(&socket, 6..)?; // the kernel copies from the page cache to the socket
/// # drop(socket);
/// # let mut got = Vec::new();
/// # std::io::Read::read_to_end(&mut client, &mut got)?;
/// # assert_eq!(got, b"</html>");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Why this is no slice
///
/// A safe view of a file's bytes cannot exist. Whoever may open the file can truncate it, and reading
/// what was cut off from a map kills the process, by the signal SIGBUS. That the pages were read
/// before, or that the map is private and its pages were written to, changes nothing: the kernel takes
/// them out of every map. And bytes that another process changes while they are read break what
/// Rust promises of a `&[u8]`. No permission and no lock keeps everybody from either.
///
/// There are three ways out, and this type is the first two:
///
/// * [`write_to`](Self::write_to) and [`write_all_to`](Self::write_all_to) have the kernel read the
///   map. What we would die of is an error to it.
/// * [`slice`](Self::slice) is `unsafe`, for files of which the caller knows who writes to them.
/// * A `SharedMemory` cannot be truncated once it is sealed, and gives a safe slice.
#[derive(Debug)]
pub struct MappedFile {
    pub(crate) map: Arc<Map>,
    file: OwnedFd,
    /// Where the map begins in the file. With its length, no more than `i64::MAX`.
    start: u64,
}

/// How a mapped range is going to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Nothing is known.
    Normal,
    /// From front to back: read ahead, and let go of what was read.
    Sequential,
    /// Here and there: do not read ahead.
    Random,
    /// Soon: begin to read it in.
    WillNeed,
    /// Now: read it in and map it, before the call returns. The same as [`WillNeed`](Self::WillNeed)
    /// elsewhere than on Linux, and there before 5.14.
    Populate,
}

impl MappedFile {
    /// Maps all of a file, as long as it is now. What is written behind its end later is not in the
    /// map. The file may be closed meanwhile: the map has its own descriptor.
    ///
    /// # Errors
    ///
    /// [`MapError`]: it is no ordinary file, it was not opened for reading, its file system has no
    /// maps (`/proc`), it is longer than the address space.
    pub fn map(file: impl AsFd) -> Result<Self, MapError> {
        Self::map_range(file, ..)
    }

    /// Maps a range of a file, in bytes. Need not begin where a page begins.
    ///
    /// # Errors
    ///
    /// As [`map`](Self::map), and when the range does not lie within the file.
    pub fn map_range(file: impl AsFd, range: impl RangeBounds<u64>) -> Result<Self, MapError> {
        let refused = |error: Errno| MapError::System(error.into());
        // An `AsFd` may answer differently when it is asked again.
        let file = file.as_fd().try_clone_to_owned().map_err(MapError::System)?;
        let stat = fstat(&file).map_err(refused)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(MapError::NotAFile);
        }
        let Range { start, end } = resolve(range, size(&stat))?;
        let most = isize::MAX.cast_unsigned() - LARGEST_PAGE;
        let len = usize::try_from(end - start).ok().filter(|&len| len <= most);
        let len = len.ok_or(MapError::TooLong { len: end - start })?;
        let map = Map::of(file.as_fd(), start, len).map_err(MapError::System)?;
        Ok(Self { map: Arc::new(map), file, start })
    }

    /// Bytes in the map.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is nothing in the map.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes a range of the map, in bytes, to a socket, a pipe or a file: one call to the system,
    /// which may take less than all. Says how much it took.
    ///
    /// Safe, whatever happens to the file: it never reads the map itself. What others write to the
    /// file meanwhile is written as the kernel finds it. A target that has no reader any more is an
    /// error where SIGPIPE is ignored, as it is in Rust's programs.
    ///
    /// # Errors
    ///
    /// [`WriteToFault::Truncated`] when the file does not reach to the end of the range any more, before
    /// or after the call. Then [`written`](WriteToError::written) says how much was taken all the
    /// same. The kernel fills the page that the file now ends in with zeros, so that without looking at
    /// the file's length again, a client would take zeros for its end.
    ///
    /// [`WriteToFault::Target`] with `WouldBlock` and `Interrupted` as the target gives them.
    pub fn write_to(
        &self,
        target: impl AsFd,
        range: impl RangeBounds<usize>,
    ) -> Result<usize, WriteToError> {
        let range = self.check(range)?;
        if range.is_empty() { Ok(0) } else { self.write_some(target.as_fd(), range, 0) }
    }

    /// Writes all of a range of the map, in bytes, to a target that blocks. Repeats calls that were
    /// interrupted.
    ///
    /// # Errors
    ///
    /// As [`write_to`](Self::write_to), with the bytes that all calls wrote together. A target that
    /// does not block ends it with `WouldBlock` when it has no room.
    pub fn write_all_to(
        &self,
        target: impl AsFd,
        range: impl RangeBounds<usize>,
    ) -> Result<(), WriteToError> {
        let Range { start, end } = self.check(range)?;
        let target = target.as_fd();
        let mut at = start;
        while at < end {
            match self.write_some(target, at..end, at - start) {
                Ok(0) => {
                    let error = io::ErrorKind::WriteZero.into();
                    return Err(failed(at - start, WriteToFault::Target(error)));
                }
                Ok(wrote) => at += wrote,
                Err(WriteToError { fault: WriteToFault::Target(error), .. })
                    if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Tells the kernel how a range of the map, in bytes, is going to be read.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when the range does not lie within the map, `UnexpectedEof` when it does not lie
    /// within the file any more. What `madvise` answers.
    pub fn advise(&self, advice: Advice, range: impl RangeBounds<usize>) -> io::Result<()> {
        let range = self.check(range)?;
        if range.is_empty() {
            return Ok(());
        }
        match self.map.advise(advice, &range) {
            Err(error) if is_fault(&error) => Err(self.unreadable(&range, 0, error).into()),
            done => done,
        }
    }

    /// The bounds of `range`, all of which the file has at the moment.
    fn check(&self, range: impl RangeBounds<usize>) -> Result<Range<usize>, WriteToError> {
        let range = RangeError::check(range, self.len())
            .map_err(|error| failed(0, WriteToFault::Range(error)))?;
        self.reaches(&range, 0)?;
        Ok(range)
    }

    /// One call, for what is left of a range of which `before` bytes are written.
    fn write_some(
        &self,
        target: BorrowedFd<'_>,
        range: Range<usize>,
        before: usize,
    ) -> Result<usize, WriteToError> {
        let wanted = range.len().min(MOST_AT_ONCE);
        let write = |most| self.map.write(target, range.start..range.start + most);
        match attempt(Call::Write, wanted, write) {
            Ok(wrote) => self.reaches(&range, before + wrote).map(|()| wrote),
            Err(error) if is_fault(&error) => Err(self.unreadable(&range, before, error)),
            Err(error) => Err(failed(before, WriteToFault::Target(error))),
        }
    }

    /// Whether the file still reaches to the end of `range`.
    fn reaches(&self, range: &Range<usize>, written: usize) -> Result<(), WriteToError> {
        let fault = match fstat(&self.file) {
            Ok(stat) if size(&stat) >= self.in_file(range.end) => return Ok(()),
            Ok(stat) => WriteToFault::Truncated { len: size(&stat) },
            Err(error) => {
                WriteToFault::Unreadable { at: self.in_file(range.start), error: error.into() }
            }
        };
        Err(failed(written, fault))
    }

    /// What to say of a range that the kernel could not read from its first byte on.
    #[cold]
    fn unreadable(&self, range: &Range<usize>, written: usize, error: io::Error) -> WriteToError {
        // It may have been truncated and have grown again, or its disk may be broken.
        let at = self.in_file(range.start);
        let grown = || failed(written, WriteToFault::Unreadable { at, error });
        self.reaches(range, written).err().unwrap_or_else(grown)
    }

    fn in_file(&self, at: usize) -> u64 {
        self.start + at as u64 // no overflow: see `start`
    }
}

const fn failed(written: usize, fault: WriteToFault) -> WriteToError {
    WriteToError { written, fault }
}

/// The answer of the kernel where there is nothing behind the addresses.
fn is_fault(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::FAULT)
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0) // never negative
}

/// The bounds of `range` within `len` bytes of a file, with no sum that wraps.
fn resolve(range: impl RangeBounds<u64>, len: u64) -> Result<Range<u64>, MapError> {
    let start = match range.start_bound() {
        Bound::Included(&at) => at,
        Bound::Excluded(&at) => at.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(&at) => at.saturating_add(1),
        Bound::Excluded(&at) => at,
        Bound::Unbounded => len,
    };
    let within = start <= end && end <= len;
    if within { Ok(start..end) } else { Err(MapError::Range { start, end, len }) }
}
