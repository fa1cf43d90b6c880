//! The scenarios from outside: what they give, what they refuse, and what other programs say.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]

mod build;
mod command;
mod faults;
mod golden;
mod layers;
mod modes;
mod pipeline;
mod relay;
mod serve;
mod tshark;
