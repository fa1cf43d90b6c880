//! Nor over a flush.
use aqueduct::{Options, pipe};

fn main() {
    let (mut writer, _reader) = pipe(Options::default());
    let slot = writer.reserve(10).unwrap();
    let _ = writer.try_flush();
    slot.commit(10);
}
