//! What a view showed cannot be used after the decision.
use aqueduct::View;

fn late(view: View<'_>) -> usize {
    let seq = view.seq();
    view.consume(1);
    seq.len()
}

fn main() {
    let _ = late;
}
