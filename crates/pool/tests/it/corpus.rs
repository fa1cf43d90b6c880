//! The fuzzer's corpus, replayed through the function that the fuzz target calls.

use std::hint::black_box;

use aqueduct_testkit::replay;

use crate::machine::{Crew, run_bytes};

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn the_corpus_of_pool_ops_passes() {
    let crew = Crew::default();
    let files = replay("pool_ops", |bytes| {
        black_box(run_bytes(&crew, bytes));
    });
    assert!(files >= 20, "only {files} files in the corpus");
}
