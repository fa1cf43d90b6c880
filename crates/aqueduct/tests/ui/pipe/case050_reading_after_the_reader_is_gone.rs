//! Failing takes the reader: nothing can be read after it.
use aqueduct::{Options, pipe};

fn main() {
    let (_writer, mut reader) = pipe(Options::default());
    reader.fail("gone");
    let _ = reader.try_read();
}
