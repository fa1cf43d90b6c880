//! An input is used up by what is led to it.

use streamweave::Weave;

fn main() {
    let mut weave = Weave::new();
    let one = weave.source("one", 0..10_i64);
    let two = weave.source("two", 0..10_i64);
    let (sink, _) = weave.collect::<i64>("sink");
    weave.connect(&one, sink);
    weave.connect(&two, sink);
}
