//! The seam to the operating system: every call that moves bytes passes here, so that tests can make it
//! misbehave. The one folder of this crate that may contain `unsafe`.

mod seam;
#[cfg(target_os = "linux")]
pub(crate) mod zero_copy;

#[allow(unused_imports, reason = "its first user follows")]
pub(crate) use seam::{Call, attempt};
#[cfg(test)]
#[allow(unused_imports, reason = "its first user follows")]
pub(crate) use seam::{Fault, script};
