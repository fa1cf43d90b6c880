//! Tests of `aqueduct-sequence` through its public API, written from its contract.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]
#![allow(clippy::cast_possible_truncation, reason = "test bytes are what is left of a number")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod body;
mod borrows;
mod callbacks;
mod cases_delimited;
mod cases_numbers;
mod cases_reader;
mod cases_sequence;
mod corpus;
mod list;
mod machine;
mod oracle;
mod owned;
mod pinned;
mod sizes;
mod state_sequence;
mod streams;

/// What the meter shows for so many copied bytes.
fn counted(bytes: u64) -> u64 {
    if cfg!(feature = "meter") { bytes } else { 0 }
}
