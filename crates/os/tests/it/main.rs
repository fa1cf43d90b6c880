//! What the crate does with real files, sockets and pipes.

#![cfg(all(unix, not(any(aqueduct_loom, aqueduct_shuttle))))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(clippy::cast_possible_truncation, reason = "test bytes are what is left of a number")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

#[cfg(target_os = "linux")]
mod child;
mod edges;
#[cfg(target_os = "linux")]
mod full_disk;
mod map;
mod map_advice;
#[cfg(target_os = "linux")]
mod map_memory;
mod map_ranges;
#[cfg(target_os = "linux")]
mod map_truncated;
mod moving;
#[cfg(target_os = "linux")]
mod panicking;
#[cfg(target_os = "linux")]
mod refuted;
mod sides;
#[cfg(target_os = "linux")]
mod strace;
#[cfg(target_os = "linux")]
mod thread_end;
#[cfg(target_os = "linux")]
mod timeouts;
#[cfg(all(target_os = "linux", feature = "io-uring", feature = "tokio"))]
mod uring;
mod vectored;
#[cfg(target_os = "linux")]
mod waiting;
#[cfg(target_os = "linux")]
mod zero_copy;
#[cfg(target_os = "linux")]
mod zero_copy_net;
#[cfg(all(target_os = "linux", feature = "tokio"))]
mod zero_copy_tokio;
