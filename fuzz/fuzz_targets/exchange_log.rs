//! Logs that are damaged in any way, against what was written; and the original's, against a naive reader.
#![no_main]

use std::hint::black_box;

use aqueduct_fuzz::exchange_log_machine::run_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    black_box(run_bytes(black_box(bytes)));
});
