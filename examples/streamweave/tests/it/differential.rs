//! Random graphs give the same in every mode: the same items at each sink, and in the same order by source
//! and key.

use crate::random::{Folder, Random, Step};
use proptest::{collection::vec, prelude::*};
use streamweave::{Executor, Mode, Registry};

fn any_graph() -> impl Strategy<Value = (Vec<(u8, u8)>, Vec<Step>)> {
    (vec((any::<u8>(), 0..6_u8), 1..3), vec(any::<Step>(), 0..14))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn within_a_process_as_reckoned((sources, steps) in any_graph()) {
        let (random, folder) = (Random::new(&sources, &steps), Folder::new("within"));
        for (mode, name) in [(Mode::InProcess, "in-process"), (Mode::Copying, "copying")] {
            let graph = Registry::default().graph(&random.text(&folder.0)).expect("sound");
            Executor::new(graph, mode).run().expect("it runs");
            random.check(&folder.0, name);
        }
    }
}
