//! An output leads to inputs of its own type only.

use aqueduct::Slice;
use streamweave::Weave;

fn main() {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..10_i64);
    let (text, _) = weave.collect::<Slice>("text");
    weave.connect(&numbers, text);
}
