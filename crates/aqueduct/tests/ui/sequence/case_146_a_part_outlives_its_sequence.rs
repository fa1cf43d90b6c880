//! A part of a sequence is of that sequence, and cannot be kept beyond it.
use aqueduct::{Sequence, SequenceRef};

fn main() {
    let kept: SequenceRef<'_>;
    {
        let sequence = Sequence::from(b"bytes".to_vec());
        kept = sequence.as_ref().slice(1..);
    }
    println!("{kept:?}");
}
