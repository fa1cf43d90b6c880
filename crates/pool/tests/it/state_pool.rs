//! Random scripts over a pool, with its blocks moved between threads.

use aqueduct_testkit::{Step, cases};
use proptest::prelude::*;

use crate::machine::{Crew, run};

/// Forty steps in the mean, and down to one when a failure shrinks.
fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = any::<[u8; Step::BYTES]>().prop_map(Step::decode);
    prop::collection::vec(step, 1..80)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(2_000), ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn pool_blocks_show_what_their_models_show(kind: u8, script in script()) {
        run(&Crew::default(), kind, &script);
    }
}
