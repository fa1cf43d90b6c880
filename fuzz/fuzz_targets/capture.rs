//! Capture files of any bytes, in both modes, whole and cut, against a naive reader.
#![no_main]

use std::hint::black_box;

use aqueduct_fuzz::capture_machine::run_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    black_box(run_bytes(black_box(bytes)));
});
