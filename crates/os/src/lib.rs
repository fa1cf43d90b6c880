//! The operating system's zero-copy: files that are mapped, bytes that the kernel moves by itself, and
//! blocks of a pool that it fills.

mod sys;
#[cfg(all(target_os = "linux", feature = "io-uring"))]
pub mod uring;
