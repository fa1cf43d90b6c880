//! The exchange from outside: what it does with orders, in every mode, and what it refuses.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod command;
mod conservation;
mod crash;
mod flows;
mod golden;
mod log;
mod migrate;
mod naive;
mod orders;
mod page;
mod panics;
mod record;
mod recovered;
mod resumed;
mod serve;
