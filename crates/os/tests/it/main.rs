//! What the crate does with real files, sockets and pipes.
#[cfg(all(target_os = "linux", feature = "io-uring", feature = "tokio"))]
mod uring;
