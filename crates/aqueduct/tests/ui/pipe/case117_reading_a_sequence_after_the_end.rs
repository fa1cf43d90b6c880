//! A reader over a sequence is taken by its end like every other.
use aqueduct::Reader;
use aqueduct::Sequence;

fn main() {
    let mut reader = Reader::from(Sequence::new());
    drop(reader);
    let _ = reader.try_read();
}
