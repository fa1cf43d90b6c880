//! A read that was not awaited is a future, and no result.
use aqueduct::{Options, pipe};

fn main() {
    let (_writer, mut reader) = pipe(Options::default());
    let _ = reader.read().into_view();
}
