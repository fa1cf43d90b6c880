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

#[cfg(unix)]
mod error;
#[cfg(all(test, target_os = "linux"))]
mod faults;
#[cfg(unix)]
mod kernel_pipe;
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
#[cfg(unix)]
mod vectored;

#[cfg(unix)]
pub use error::TransferError;
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
