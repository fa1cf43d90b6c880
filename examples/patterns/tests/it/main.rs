//! The scenarios from outside: what they give, what they refuse, and what other programs say.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]
#![allow(unreachable_pub, reason = "a test binary")]

mod build;
mod call_faults;
mod command;
mod corpus;
mod faults;
mod golden;
mod layers;
mod machine;
mod modes;
mod page;
mod pipeline;
mod relay;
mod serve;
mod tshark;
