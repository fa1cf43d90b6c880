//! Tests of `aqueduct-ring` through its public API, written from its contract.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod arena;
mod elements;
mod layout;
mod machine;
mod oracle;
mod state_ring;
mod storm;
