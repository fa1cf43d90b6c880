//! Operations on slices and mutable slices, with moves between threads, against the oracle.
#![no_main]

use std::{hint::black_box, sync::LazyLock};

use aqueduct_fuzz::slice_machine::{Crew, run_bytes};
use libfuzzer_sys::fuzz_target;

static CREW: LazyLock<Crew> = LazyLock::new(Crew::default);

fuzz_target!(|bytes: &[u8]| {
    black_box(run_bytes(&CREW, black_box(bytes)));
});
