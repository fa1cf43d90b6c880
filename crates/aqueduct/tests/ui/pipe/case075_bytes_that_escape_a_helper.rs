//! Nor can a helper return it past the decision.
use aqueduct::View;

fn first<'a>(view: View<'a>) -> &'a [u8] {
    let first = view.seq().first();
    view.need_more(0);
    first
}

fn main() {
    let _ = first;
}
