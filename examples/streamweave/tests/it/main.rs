//! The port's tests.

#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    unreachable_pub,
    reason = "tests make what they compare, out of small numbers"
)]

mod bench;
mod bounds;
mod building;
mod call_faults;
mod command;
mod differential;
mod encoding;
mod ending;
mod failing;
mod hybrid;
mod life;
mod load;
mod page;
mod panicking;
mod peers;
mod policies;
mod processes;
mod random;
mod refuted;
mod sharing;
mod strangers;
mod wire;
mod wire_machine;
