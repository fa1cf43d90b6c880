//! Positions are numbers: there is no null among them.
use aqueduct_pipe::View;

fn nothing(view: View<'_>) {
    view.consume(None);
}

fn main() {
    let _ = nothing;
}
