//! Calls and replies as msgpack, whole and in pieces, against a naive reader.
#![no_main]

use std::hint::black_box;

use aqueduct_fuzz::machine::run_envelope;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    black_box(run_envelope(black_box(bytes)));
});
