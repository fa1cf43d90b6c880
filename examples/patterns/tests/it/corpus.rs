//! The corpus of the fuzzer, and more of its kind.

use std::hint::black_box;

use aqueduct_testkit::{Random, pattern, replay};

use crate::machine::run_bytes;

#[test]
fn the_corpus_of_captures_passes() {
    let files = replay("capture", |bytes| {
        black_box(run_bytes(bytes));
    });
    assert!(files >= 20, "only {files} files in the corpus");
}

/// Each file of the corpus with a few of its bytes changed, three times.
#[test]
fn captures_that_are_damaged_anywhere_are_read_up_to_the_damage() {
    let mut random = Random::new(1);
    replay("capture", |bytes| {
        for round in 0..3 {
            let mut bytes = bytes.to_vec();
            for byte in pattern(1 + round, round) {
                let at = random.below(bytes.len().max(1));
                bytes.iter_mut().skip(at).take(1).for_each(|place| *place ^= byte);
            }
            black_box(run_bytes(&bytes));
        }
    });
}
