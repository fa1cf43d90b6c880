//! Tests of `aqueduct-pipe` through its public API, written from its contract.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(clippy::cast_possible_truncation, reason = "test bytes are what is left of a number")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod adapters;
mod at_least;
mod beside;
mod common;
mod deciding;
mod drops;
mod ends;
mod every_panic;
mod framing;
mod handing;
mod lifetime;
mod loops;
mod machine;
mod pacing;
mod panicking;
mod reading;
mod review;
mod room;
mod rounds;
mod settings;
mod state_pipe;
mod streams;
mod thread_end;
mod waking;
mod writing;
