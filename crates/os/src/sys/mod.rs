//! The seam to the operating system: every call that moves bytes passes here, so that tests can make it
//! misbehave. The one folder of this crate that may contain `unsafe`.

#[cfg(unix)]
pub(crate) mod calls;
mod seam;

pub use seam::Call;
pub(crate) use seam::attempt;
#[cfg(test)]
pub(crate) use seam::{Fault, script};
