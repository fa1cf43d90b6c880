//! What the crate does with real files, sockets and pipes.

#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

#[cfg(unix)]
mod map;
#[cfg(target_os = "linux")]
mod map_memory;
#[cfg(unix)]
mod map_ranges;
#[cfg(target_os = "linux")]
mod map_truncated;
#[cfg(all(target_os = "linux", feature = "io-uring", feature = "tokio"))]
mod uring;

#[cfg(target_os = "linux")]
mod zero_copy;
#[cfg(target_os = "linux")]
mod zero_copy_net;
#[cfg(all(target_os = "linux", feature = "tokio"))]
mod zero_copy_tokio;
