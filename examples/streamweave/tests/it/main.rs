//! The port's tests.

#![allow(clippy::disallowed_methods, reason = "tests make what they compare")]

mod building;
mod command;
mod differential;
mod failing;
mod life;
mod load;
mod policies;
mod processes;
mod random;
mod sharing;
