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
mod moving;
mod sides;
#[cfg(target_os = "linux")]
mod strace;
mod vectored;
#[cfg(target_os = "linux")]
mod waiting;
