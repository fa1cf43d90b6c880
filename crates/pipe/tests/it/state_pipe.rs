//! A state machine: random schedules of both halves of a pipe, and the fuzzer's.

use crate::machine::{Decision, Op, Settings, Way, run, run_bytes};
use aqueduct_testkit::{Step, cases, replay};
use proptest::prelude::*;
use std::hint::black_box;

/// Settings, and eighty steps in the mean, down to one when a failure shrinks.
fn schedule() -> impl Strategy<Value = Vec<u8>> {
    let step = any::<[u8; Step::BYTES]>();
    (any::<[u8; 4]>(), prop::collection::vec(step, 1..160))
        .prop_map(|(settings, steps)| [&settings[..], &steps.concat()].concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(2_000)))]

    #[test]
    fn pipe_and_oracle_agree(schedule in schedule()) {
        run_bytes(&schedule);
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn the_corpus_of_pipe_schedule_passes() {
    let files = replay("pipe_schedule", |bytes| {
        black_box(run_bytes(bytes));
    });
    assert!(files >= 20, "only {files} files in the corpus");
}

/// Two schedules that failed once.
#[test]
fn what_failed_once_passes() {
    let never_pauses = |most| Settings { pause: 0, resume: 0, most: Some(most), first: 64 };
    run(
        never_pauses(127),
        [
            Op::Write(2),
            Op::Flush(Way::Try),
            Op::Read(Way::Try, Decision::NeedMore(1)),
            Op::Ready(128, Way::Drop),
        ],
    );
    run(
        never_pauses(28),
        [
            Op::Write(7),
            Op::Flush(Way::Try),
            Op::Slot(24, 0),
            Op::ReadAtLeast(8, Way::Drop, Decision::None),
            Op::Ready(24, Way::Drop),
        ],
    );
}

/// The reader sleeps until there is more than fits beside what is there, the writer until it fits.
#[test]
fn two_that_wait_for_each_other_are_told() {
    let settings = Settings { pause: 0, resume: 0, most: Some(99), first: 64 };
    for first in [true, false] {
        let wish = Op::ReadAtLeast(90, Way::Keep(0), Decision::None);
        let (before, after) = if first { (Some(wish), None) } else { (None, Some(wish)) };
        let between = [Op::Write(80), Op::Flush(Way::Try), Op::Ready(50, Way::Keep(0))];
        run(settings, before.into_iter().chain(between).chain(after));
    }
}
