//! Finishing takes the writer: nothing can be written after it.
use aqueduct::{Options, pipe};

fn main() {
    let (mut writer, _reader) = pipe(Options::default());
    writer.finish();
    writer.write(b"late").unwrap();
}
