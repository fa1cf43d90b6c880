//! The soak of `examples/` for some seconds, and with each mistake that it must notice.
#![cfg(target_os = "linux")]
#![allow(missing_docs, unreachable_pub, dead_code, reason = "a test binary")]
#![allow(clippy::disallowed_methods, reason = "what is checked is made by copying")]

#[path = "../examples/soak/kernel.rs"]
mod kernel;
#[path = "../examples/soak/ledger.rs"]
mod ledger;
#[path = "../examples/soak/parcel.rs"]
mod parcel;
#[path = "../examples/soak/soak.rs"]
mod soak;
#[path = "../examples/soak/streams.rs"]
mod streams;
#[path = "../examples/soak/worker.rs"]
mod worker;

use aqueduct_testkit::{sanitized, skip};
use ledger::Plant;
use soak::{Settings, run};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// One after the other: they count the descriptors and the memory of the process.
fn soak(seconds: u64, plant: Option<Plant>) -> Result<(), String> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let line = Duration::from_millis(500);
    let rested = (plant == Some(Plant::Memory)).then_some(line * 2);
    run(&Settings { length: Duration::from_secs(seconds), rested, line, plant })
}

fn notices(plant: Plant, says: &str) {
    if sanitized() && matches!(plant, Plant::Block | Plant::Memory) {
        return skip("what is leaked on purpose is an error to AddressSanitizer");
    }
    let what = soak(3, Some(plant)).expect_err("a mistake that was made on purpose");
    assert!(what.contains(says), "{what}");
}

#[test]
fn nothing_is_wrong_for_some_seconds() {
    assert_eq!(soak(3, None), Ok(()));
}

#[test]
fn a_wrong_byte_is_noticed() {
    notices(Plant::Byte, " and should be ");
}

#[test]
fn a_block_that_never_comes_back_is_noticed() {
    notices(Plant::Block, "a pool at the end");
}

#[test]
fn a_descriptor_that_is_not_closed_is_noticed() {
    notices(Plant::Descriptor, "descriptors at the end");
}

#[test]
fn memory_that_grows_is_noticed() {
    notices(Plant::Memory, "memory resident grew");
}
