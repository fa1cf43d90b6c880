//! Schedules of both halves of a pipe, with waits that are kept, given up and handed on, against the
//! oracle.
#![no_main]

use std::hint::black_box;

use aqueduct_fuzz::pipe_machine::run_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    black_box(run_bytes(black_box(bytes)));
});
