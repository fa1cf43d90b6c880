//! A pipe is filled from one place at a time.
use aqueduct::Writer;

async fn both(writer: &mut Writer, mut from: &[u8], mut and: &[u8]) {
    let one = writer.fill_from(&mut from);
    let other = writer.fill_from(&mut and);
    drop((one, other));
}

fn main() {
    let _ = both;
}
