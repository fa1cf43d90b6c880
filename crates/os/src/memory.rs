//! [`SharedMemory`]: bytes that are written, sealed, and given to others.

use crate::sys;
use aqueduct_slice::Slice;
use rustix::{
    fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create},
    io::Errno,
};
use std::{
    error::Error,
    fmt,
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, BorrowedFd},
};

/// Memory behind a descriptor (Linux' memfd): written, then sealed and read as a [`Slice`], by this
/// process and by those that are given the descriptor.
///
/// Nobody can take sealed memory away or change it, which is what makes the slice safe.
///
/// ```
/// use aqueduct_os::{SharedMemory, sealed_slice};
/// use std::io::Write;
///
/// let mut memory = SharedMemory::new()?;
/// memory.write_all(b"a table that every worker reads")?;
/// let table = memory.seal()?;
/// assert_eq!(table, b"a table that every worker reads");
///
/// // In a process that was given the descriptor:
/// assert_eq!(sealed_slice(&memory)?, table);
/// assert!(memory.write(b"more").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Write`] appends, and so does whatever moves bytes to a descriptor, such as `std::io::copy` from
/// a file.
#[derive(Debug)]
pub struct SharedMemory {
    file: File,
}

impl SharedMemory {
    /// Memory with nothing in it. It is closed in programs that this one executes.
    ///
    /// # Errors
    ///
    /// What `memfd_create` answers.
    pub fn new() -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = match memfd_create("aqueduct", flags | MemfdFlags::NOEXEC_SEAL) {
            // Linux before 6.3.
            Err(Errno::INVAL) => memfd_create("aqueduct", flags),
            file => file,
        }?;
        Ok(Self { file: file.into() })
    }

    /// Ends writing for ever, and maps what was written. The slice stays when the descriptor is closed;
    /// it copies nothing. May be called again, for another map.
    ///
    /// # Errors
    ///
    /// [`SealError::InUse`] while somebody else who has the descriptor has a writable map of it: then
    /// nothing was sealed. [`SealError::Hole`] where somebody else left one. What `mmap` answers.
    pub fn seal(&self) -> Result<Slice, SealError> {
        let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
        match fcntl_add_seals(&self.file, seals) {
            Err(Errno::BUSY) => Err(SealError::InUse),
            // Sealed before: enough of it, or the next step says what is missing.
            Ok(()) | Err(Errno::PERM) => sys::sealed(self.as_fd()),
            Err(error) => Err(SealError::system("sealing it")(error)),
        }
    }
}

impl Write for SharedMemory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.file.write_vectored(parts)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for SharedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// The memory behind a descriptor that somebody else made and sealed, as a slice. Copies nothing; takes
/// some nanoseconds for each page.
///
/// Needs `F_SEAL_SHRINK` and `F_SEAL_WRITE`, and no holes: a hole is filled when it is first read,
/// and if there is no memory for it then, the reader dies. The descriptor's position stays; the
/// slice stays when the descriptor is closed.
///
/// # Errors
///
/// [`SealError`] says which seal is missing, or what else is in the way.
pub fn sealed_slice(memory: impl AsFd) -> Result<Slice, SealError> {
    sys::sealed(memory.as_fd())
}

/// Why memory is not sealed, or cannot be read as a slice.
#[derive(Debug)]
#[non_exhaustive]
pub enum SealError {
    /// The descriptor is not of the kind that can be sealed.
    NotSealable,
    /// Seals are missing, those that are `true`.
    Missing {
        /// `F_SEAL_SHRINK`: it can be truncated.
        shrink: bool,
        /// `F_SEAL_WRITE`: it can be written to.
        write: bool,
    },
    /// It cannot be sealed now: there is a writable map of it, or the kernel writes to it.
    InUse,
    /// A hole, which is filled when it is first read.
    Hole {
        /// Where it begins, in bytes.
        at: u64,
    },
    /// It consists of huge pages, which may be missing when they are first read.
    HugePages,
    /// It is longer than any slice.
    TooLong,
    /// The system refused.
    System {
        /// What was tried.
        doing: &'static str,
        /// What it said.
        error: io::Error,
    },
}

impl SealError {
    pub(crate) fn system(doing: &'static str) -> impl FnOnce(Errno) -> Self {
        move |error| Self::System { doing, error: error.into() }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSealable => f.write_str("not a memfd: it has no seals"),
            Self::Missing { shrink: true, write: true } => {
                f.write_str("the seals F_SEAL_SHRINK and F_SEAL_WRITE are missing")
            }
            Self::Missing { shrink: true, .. } => f.write_str("the seal F_SEAL_SHRINK is missing"),
            Self::Missing { .. } => f.write_str("the seal F_SEAL_WRITE is missing"),
            Self::InUse => f.write_str("cannot seal memory of which there is a writable map"),
            Self::Hole { at } => write!(f, "the sealed memory has a hole at byte {at}"),
            Self::HugePages => f.write_str("the sealed memory consists of huge pages"),
            Self::TooLong => f.write_str("the sealed memory is longer than any slice"),
            Self::System { doing, error } => write!(f, "sealed memory, {doing}: {error}"),
        }
    }
}

impl Error for SealError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System { error, .. } => Some(error),
            _ => None,
        }
    }
}

impl From<SealError> for io::Error {
    fn from(refused: SealError) -> Self {
        let kind = match &refused {
            SealError::System { error, .. } => error.kind(),
            SealError::InUse => io::ErrorKind::ResourceBusy,
            _ => io::ErrorKind::InvalidInput,
        };
        Self::new(kind, refused)
    }
}
