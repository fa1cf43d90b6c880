//! What the ports have in common as programs: how a command line ends, files that it names, a listener, the
//! signals that end a server, who is let in, and what a process has used. Nothing of it is about bytes.

#![forbid(unsafe_code)]

pub mod command;
mod door;
mod files;
mod program;
pub mod usage;

pub use door::{Door, NO_MORE};
pub use files::open_regular;
pub use program::{Ending, Program, listen};
