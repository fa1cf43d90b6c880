//! Tests of `aqueduct-pool` through its public API, written from its contract.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod cases;
mod corpus;
mod layout;
mod limits;
mod machine;
#[cfg(not(miri))] // counts what piles up, which takes too long
mod retention;
mod secrets;
mod settings;
mod sizes;
mod state_pool;
mod threads;
mod trimming;
mod waiting;
mod waiting_sizes;
