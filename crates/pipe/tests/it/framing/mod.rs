//! Frames over a pipe.

mod cancel;
mod differential;
mod limits;
pub mod machine;
mod reading;
mod writing;
