//! A reader over a sequence is taken by its end like every other.
use aqueduct_pipe::Reader;
use aqueduct_sequence::Sequence;

fn main() {
    let mut reader = Reader::from(Sequence::new());
    drop(reader);
    let _ = reader.try_read();
}
