//! A reader does not go back by a negative count.
use aqueduct::SequenceRef;

fn main() {
    let mut reader = SequenceRef::from(b"bytes").reader();
    let back: isize = -1;
    let _ = reader.advance(back);
}
