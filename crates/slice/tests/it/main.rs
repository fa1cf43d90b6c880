//! Tests of `aqueduct-slice` through its public API, written from its contract.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod append;
mod append_rounds;
mod append_storm;
mod callbacks;
mod corpus;
mod growth;
mod interplay;

mod last;
mod layout;
mod machine;
mod owners;
mod projections;
mod raw;
mod readers;
mod sizes;
mod small;
mod state_slice;
mod state_slice_mut;
