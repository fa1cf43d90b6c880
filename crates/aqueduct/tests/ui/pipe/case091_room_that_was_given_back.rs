//! Room cannot be used after it was committed.
use aqueduct::{Options, pipe};

fn main() {
    let (mut writer, _reader) = pipe(Options::default());
    let mut slot = writer.reserve(10).unwrap();
    let room = slot.room();
    slot.commit(10);
    room[0] = 1;
}
