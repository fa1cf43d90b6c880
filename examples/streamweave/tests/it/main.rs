//! The port's tests.

#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "tests make what they compare, out of small numbers"
)]

mod bench;
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
