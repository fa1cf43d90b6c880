//! Only a view can be decided on, and only a read gives one.
use aqueduct::{Options, pipe};

fn main() {
    let (_writer, mut reader) = pipe(Options::default());
    reader.need_more(1);
}
