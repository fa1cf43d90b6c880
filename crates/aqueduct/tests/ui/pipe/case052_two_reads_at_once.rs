//! A read borrows the reader, so there are never two.
use aqueduct::{Options, pipe};

async fn both() {
    let (_writer, mut reader) = pipe(Options::default());
    let first = reader.read();
    let second = reader.read();
    let _ = (first.await, second.await);
}

fn main() {
    let _ = both();
}
