//! What was read of a list is gone once it is consumed.
use aqueduct::SegmentList;
use aqueduct::Slice;

fn main() {
    let mut list = SegmentList::from_iter([Slice::from_static(b"bytes")]);
    let seen = list.as_ref();
    list.consume(5);
    println!("{seen:?}");
}
