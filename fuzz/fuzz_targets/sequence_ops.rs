//! Operations on sequences, on the list behind a pipe, and reads of both, against the oracle.
#![no_main]

use std::hint::black_box;

use aqueduct_fuzz::sequence_machine::run_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    black_box(run_bytes(black_box(bytes)));
});
