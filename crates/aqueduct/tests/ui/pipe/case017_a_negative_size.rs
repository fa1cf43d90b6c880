//! Sizes have no sign.
use aqueduct::{Options, pipe};

fn main() {
    let (mut writer, _reader) = pipe(Options::default());
    let _ = writer.reserve(-1);
}
