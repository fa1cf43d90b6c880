//! The operating system's zero-copy: files that are mapped, bytes that the kernel moves by itself, and
//! blocks of a pool that it fills.
//!
//! # Moving bytes between descriptors
//!
//! * [`send_file`], [`splice`], [`copy_file_range`], and [`relay`] from socket to socket, make a
//!   [`Transfer`], which blocks, waits with tokio, or is driven a step at a time. What the system refuses
//!   it does through a block of the pool, with the same bytes.
//! * [`Method::between`] chooses the way by size and kind, and says why.
//! * [`write_all_vectored`] writes the segments of a sequence as they lie.
//! * [`tee`] shows the bytes of a pipe to a second reader.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(unix)]
mod error;
#[cfg(all(test, target_os = "linux"))]
mod faults;
#[cfg(unix)]
mod kernel_pipe;
#[cfg(unix)]
mod map;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(unix)]
mod method;
#[cfg(all(unix, feature = "tokio"))]
mod ready;
#[cfg(unix)]
mod step;
mod sys;
#[cfg(unix)]
mod tee;
#[cfg(unix)]
mod transfer;
#[cfg(all(target_os = "linux", feature = "io-uring"))]
pub mod uring;
#[cfg(unix)]
mod vectored;
#[cfg(target_os = "linux")]
mod zero_copy;

#[cfg(unix)]
pub use error::TransferError;
#[cfg(unix)]
pub use map::{Advice, MapError, MappedFile, WriteToError, WriteToFault};
#[cfg(target_os = "linux")]
pub use memory::{SealError, SharedMemory, sealed_slice};
#[cfg(unix)]
pub use method::{Fallback, Method};
#[cfg(all(unix, feature = "tokio"))]
pub use ready::Readiness;
#[cfg(unix)]
pub use step::{Side, Step, Transferred};
#[cfg(unix)]
pub use sys::Call;
#[cfg(unix)]
pub use tee::tee;
#[cfg(all(unix, feature = "tokio"))]
pub use tee::tee_async;
#[cfg(unix)]
pub use transfer::{Transfer, copy_file_range, relay, send_file, splice};
#[cfg(unix)]
pub use vectored::{VectoredWrite, write_all_vectored};
#[cfg(target_os = "linux")]
pub use zero_copy::{SendWay, ZeroCopyAnswer, ZeroCopyChoice, ZeroCopySender, ZeroCopyStats};

#[cfg(all(doctest, unix))]
#[doc = include_str!("../README.md")]
mod readme {}
