//! Random scripts over sequences, the list and the reader.

use aqueduct_testkit::{Step, scale};
use proptest::prelude::*;

use crate::machine::run;

/// Forty steps in the mean, and down to one when a failure shrinks.
fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = any::<[u8; Step::BYTES]>().prop_map(Step::decode);
    prop::collection::vec(step, 1..80)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: u32::try_from(scale(2_000)).unwrap_or(u32::MAX), ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn sequences_show_what_their_models_show(script in script()) {
        run(&script);
    }
}
