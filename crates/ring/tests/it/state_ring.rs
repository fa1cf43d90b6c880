//! Random scripts over rings of every shape.

use crate::machine::World;
use aqueduct_testkit::{Step, cases};
use proptest::prelude::*;

/// Forty steps in the mean, and down to one when a failure shrinks.
fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = any::<[u8; Step::BYTES]>().prop_map(Step::decode);
    prop::collection::vec(step, 1..80)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(4_000), ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rings_show_what_their_oracle_shows(kind: u8, script in script()) {
        let mut world = World::new(kind);
        for step in script {
            world.step(step);
        }
        world.end();
    }
}
