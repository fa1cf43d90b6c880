//! The seam to the operating system: every call that moves bytes passes here, so that tests can make it
//! misbehave. The one folder of this crate that may contain `unsafe`.

#[cfg(unix)]
pub(crate) mod calls;
#[cfg(unix)]
mod map;
#[cfg(target_os = "linux")]
mod sealed;
mod seam;
#[cfg(all(target_os = "linux", feature = "io-uring"))]
pub(crate) mod uring;
#[cfg(target_os = "linux")]
pub(crate) mod zero_copy;

#[cfg(unix)]
pub(crate) use map::Map;
#[cfg(target_os = "linux")]
pub(crate) use sealed::sealed;
pub use seam::Call;
pub(crate) use seam::attempt;
#[cfg(test)]
pub(crate) use seam::{Fault, script};
