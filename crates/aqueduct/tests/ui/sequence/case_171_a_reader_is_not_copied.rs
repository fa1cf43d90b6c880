//! A reader that is passed on by value is gone; there is no second one that reads the same again.
use aqueduct::{SequenceReader, SequenceRef};

fn read_line(mut reader: SequenceReader<'_>) -> usize {
    reader.read_to(b'\n').map_or(0, |line| line.len())
}

fn main() {
    let reader = SequenceRef::from(b"one\ntwo\n").reader();
    let first = read_line(reader);
    let second = read_line(reader);
    println!("{first} {second}");
}
