//! A decision takes the view: there is no second.
use aqueduct::View;

fn twice(view: View<'_>) {
    view.consume(1);
    view.consume(1);
}

fn main() {
    let _ = twice;
}
