//! So does a view.
use aqueduct::{Reader, View};

fn again(reader: &mut Reader, view: fn(&mut Reader) -> View<'_>) {
    let view = view(reader);
    let _ = reader.try_read();
    view.consume(1);
}

fn main() {
    let _ = again;
}
