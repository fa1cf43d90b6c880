//! What the ports have in common as programs: how a command line ends, a listener, the signals that end a
//! server, and who is let in. Nothing of it is about bytes.

#![forbid(unsafe_code)]

pub mod command;
mod door;
mod program;

pub use door::Door;
pub use program::{Ending, Program, listen};
