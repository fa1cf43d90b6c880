//! Random graphs give the same in every mode: the same items at each sink, and in the same order by source
//! and key.

use crate::{
    processes,
    random::{Folder, Random, Step},
};
use proptest::{collection::vec, prelude::*};
use streamweave::{Cluster, Executor, Mode, Registry};

fn any_graph() -> impl Strategy<Value = (Vec<(u8, u8)>, Vec<Step>)> {
    (vec((any::<u8>(), 0..6_u8), 1..3), vec(any::<Step>(), 0..14))
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn within_a_process_as_reckoned((sources, steps) in any_graph()) {
        let (random, folder) = (Random::new(&sources, &steps), Folder::new("within"));
        let alone = Cluster::alone;
        for (mode, name) in [
            (Mode::InProcess, "in-process"),
            (Mode::Copying, "copying"),
            (Mode::Distributed(alone(1)), "one worker"),
            (Mode::Distributed(alone(3)), "three workers"),
            (Mode::Hybrid(alone(2), 10_000.0), "hybrid"),
        ] {
            let graph = Registry::default().graph(&random.text(&folder.0)).expect("sound");
            Executor::new(graph, mode).run().expect("it runs");
            random.check(&folder.0, name);
        }
    }
}

proptest! {
    #![proptest_config(cases(5))]

    #[test]
    fn between_two_processes_as_reckoned((sources, steps) in any_graph()) {
        let (random, folder) = (Random::new(&sources, &steps), Folder::new("between"));
        let text = random.text(&folder.0);
        for mode in [
            &["--mode", "distributed"][..],
            &["--mode", "hybrid", "--threshold", "1000", "--lz4", "1"],
        ] {
            processes::run(&folder, &text, mode);
            random.check(&folder.0, mode[1]);
        }
    }
}
