//! The operating system's zero-copy: files that are mapped, bytes that the kernel moves by itself, and
//! blocks of a pool that it fills.

#[cfg(unix)]
mod map;
#[cfg(target_os = "linux")]
mod memory;
mod sys;

#[cfg(unix)]
pub use map::{Advice, MapError, MappedFile, WriteToError, WriteToFault};
#[cfg(target_os = "linux")]
pub use memory::{SealError, SharedMemory, sealed_slice};
