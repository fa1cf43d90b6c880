//! What the crate does with real files, sockets and pipes.
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

#[cfg(all(target_os = "linux", feature = "io-uring", feature = "tokio"))]
mod uring;
