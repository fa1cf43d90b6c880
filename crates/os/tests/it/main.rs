//! What the crate does with real files, sockets and pipes.

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
