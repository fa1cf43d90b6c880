//! A flush borrows the writer, so there are never two.
use aqueduct::{Options, pipe};

async fn both() {
    let (mut writer, _reader) = pipe(Options::default());
    let first = writer.flush();
    let second = writer.flush();
    let _ = (first.await, second.await);
}

fn main() {
    let _ = both();
}
