//! Positions are numbers: there is no null among them.
use aqueduct::View;

fn nothing(view: View<'_>) {
    view.consume(None);
}

fn main() {
    let _ = nothing;
}
