//! The end cannot be told without being handed the rest.
use aqueduct::Read;

fn at_end(read: &Read<'_>) -> bool {
    matches!(read, Read::Eof)
}

fn main() {
    let _ = at_end;
}
