//! What a client sends, whole and in pieces, against a naive reader.
#![no_main]

use std::hint::black_box;

use aqueduct_fuzz::exchange_frames_machine::run_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    black_box(run_bytes(black_box(bytes)));
});
