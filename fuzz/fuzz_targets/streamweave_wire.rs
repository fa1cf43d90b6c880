//! What peers of a graph send, and texts of graphs, against the oracle.
#![no_main]

use std::hint::black_box;

use aqueduct_fuzz::wire_machine::run_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    black_box(run_bytes(black_box(bytes)));
});
