//! A position is never negative.
use aqueduct::SequenceRef;

fn main() {
    let sequence = SequenceRef::from(b"bytes");
    let at: i64 = -1;
    let _ = sequence.get(at);
}
