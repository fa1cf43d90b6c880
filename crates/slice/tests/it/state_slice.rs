//! Random scripts over `Slice`, with handles moved between threads.

use aqueduct_testkit::{Step, cases};
use proptest::prelude::*;

use crate::machine::{Crew, MUT_OPS, SLICE_OPS, run};

/// Forty steps in the mean, and down to one when a failure shrinks.
pub(crate) fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = any::<[u8; Step::BYTES]>().prop_map(Step::decode);
    prop::collection::vec(step, 1..80)
}

/// How many scripts a test runs.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(2_000), ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn slices_show_what_their_models_show(script in script()) {
        run(&Crew::default(), &[SLICE_OPS], &script);
    }

    #[test]
    fn slices_of_blocks_still_written_to(script in script()) {
        run(&Crew::default(), &[SLICE_OPS, MUT_OPS], &script);
    }
}
