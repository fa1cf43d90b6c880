//! The operating system's zero-copy: files that are mapped, bytes that the kernel moves by itself, and
//! blocks of a pool that it fills.

mod sys;
#[cfg(target_os = "linux")]
mod zero_copy;

#[cfg(target_os = "linux")]
pub use zero_copy::{SendWay, ZeroCopyAnswer, ZeroCopyChoice, ZeroCopySender, ZeroCopyStats};
