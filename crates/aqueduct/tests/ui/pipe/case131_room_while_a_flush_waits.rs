//! Nothing is written while a flush waits.
use aqueduct::{Options, pipe};

async fn during() {
    let (mut writer, _reader) = pipe(Options::default());
    let flush = writer.flush();
    let slot = writer.reserve(10).unwrap();
    let _ = flush.await;
    slot.commit(10);
}

fn main() {
    let _ = during();
}
