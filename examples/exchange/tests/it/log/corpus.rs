//! The corpus of the fuzzer, and more of its kind.

use super::machine::run_bytes;
use crate::migrate::old;
use aqueduct_testkit::{Random, replay, scale};
use std::hint::black_box;

#[test]
fn the_corpus_of_the_log_passes() {
    let files = replay("exchange_log", |bytes| {
        black_box(run_bytes(bytes));
    });
    assert!(files >= 44, "only {files} files in the corpus");
}

#[test]
fn a_log_with_any_changes_is_read_or_refused() {
    let mut random = Random::new(11);
    for _ in 0..scale(500) {
        let many = 2 + 4 * random.below(4);
        #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
        let mut bytes: Vec<_> = (0..many).map(|_| random.seed() as u8).collect();
        bytes[0] |= 4;
        // Offsets that are in a segment of a kibibyte.
        bytes.iter_mut().skip(3).step_by(4).for_each(|high| *high %= 5);
        run_bytes(&bytes);
    }
}

/// With checksums that are good, so that what is behind them is looked at, or not.
#[test]
fn a_log_of_the_originals_with_any_changes_is_read_or_refused() {
    let (mut random, mut all) = (Random::new(12), 0);
    for round in 0..scale(300) as u64 {
        let mut bytes = [vec![8 + 16 * (round % 2) as u8, 0], old(6, round).0].concat();
        for _ in 0..random.below(3) {
            let at = 2 + random.below(bytes.len() - 2);
            bytes[at] ^= 1 << random.below(8);
        }
        all += run_bytes(&bytes);
    }
    assert!(all > 300, "{all} orders");
}
