//! `SegmentList` against its contract.

use aqueduct_sequence::SegmentList;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{panics, pattern};

/// Two handles on neighbours in one block.
fn neighbours(left: usize, right: usize) -> (Slice, Slice) {
    let whole = Slice::from(pattern(left + right, 1));
    (whole.slice_shared(..left), whole.slice_shared(left..))
}

#[test]
fn what_is_pushed_is_read_consumed_and_taken() {
    let mut list = SegmentList::new();
    list.extend([&b"one"[..], b"", b"two", b"three"].map(Slice::from_static));
    assert_eq!((list.len(), list.as_ref().segment_count()), (11, 3));
    assert_eq!(list.as_ref_up_to(4), b"onet");
    assert_eq!(list.as_ref_up_to(99), b"onetwothree");
    list.consume(4);
    assert_eq!(list.as_ref(), b"wothree");
    assert_eq!(list.take(5), b"wothr");
    assert_eq!(list.as_ref(), b"ee");
    assert_eq!(list.take(2), b"ee");
    assert!(list.is_empty() && list.last().is_none());
}

#[test]
fn more_than_there_is_panics_and_changes_nothing() {
    let mut list = SegmentList::from_iter([Slice::from_static(b"abc")]);
    assert!(panics(|| list.consume(4)));
    assert!(panics(|| list.take(usize::MAX)));
    assert_eq!(list.as_ref(), b"abc");
}

#[test]
fn neighbours_in_one_block_become_one_segment() {
    let (left, right) = neighbours(100, 50);
    let start = left.as_ptr();
    let mut list = SegmentList::new();
    list.push_back(left);
    list.push_back(right);
    assert_eq!((list.len(), list.as_ref().segment_count()), (150, 1));
    assert_eq!(list.as_ref().first().as_ptr(), start);
}

#[test]
fn short_inline_slices_share_a_segment() {
    let mut list = SegmentList::new();
    (0..100).for_each(|byte| list.push_back(Slice::copy_from_slice(&[byte])));
    assert_eq!((list.len(), list.as_ref().segment_count()), (100, 5));
    assert_eq!(list.as_ref(), (0..100).collect::<Vec<u8>>());
}

#[test]
fn whole_handles_are_moved_and_cut_ones_shared() {
    let (first, second) = (Slice::from(pattern(100, 1)), Slice::from(pattern(100, 2)));
    let at = [first.as_ptr(), second.as_ptr()];
    let mut list = SegmentList::from_iter([first, second]);
    let taken = list.take(150);
    let parts: Vec<Slice> = taken.into_iter().collect();
    assert_eq!([parts[0].as_ptr(), parts[1].as_ptr()], at);
    assert!(parts[0].is_unique(), "moved, not cloned");
    assert!(!parts[1].is_unique(), "the list holds the rest");
    assert_eq!(list.as_ref(), pattern(100, 2)[50..]);
}

#[test]
fn a_used_up_last_segment_can_still_grow() {
    let (left, right) = neighbours(100, 50);
    let mut list = SegmentList::from_iter([left]);
    list.consume(100);
    assert!(list.is_empty() && list.last().is_some());
    let grown = list.extend_last(|slice| {
        let whole = std::mem::take(slice).try_unsplit(right).expect("neighbours");
        *slice = whole;
        50
    });
    assert_eq!((grown, list.as_ref()), (50, pattern(150, 1)[100..].into()));
    list.consume(50);
    list.release_used();
    assert!(list.last().is_none());
    assert_eq!(list.extend_last(|_| 1), 0, "there is none");
}

#[test]
fn a_used_up_last_segment_gives_way_to_the_next() {
    let block = Slice::from(pattern(100, 1));
    let mut list = SegmentList::from_iter([block.clone()]);
    list.consume(100);
    list.push_back(Slice::from_static(b"next"));
    assert!(block.is_unique(), "nobody else holds the first block any more");
    assert_eq!((list.as_ref(), list.as_ref().segment_count()), (b"next".into(), 1));
}

#[test]
fn a_borrower_that_shortens_or_panics_does_no_harm() {
    let mut list = SegmentList::from_iter([Slice::from_static(b"abcdef")]);
    list.consume(4);
    list.extend_last(|slice| {
        slice.truncate(2);
        0
    });
    assert!(list.is_empty());
    list.push_back(Slice::from_static(b"gh"));
    assert!(panics(|| list.extend_last(|slice| {
        *slice = Slice::from_static(b"ghij");
        panic!("after it grew")
    })));
    assert_eq!(list.as_ref(), b"ghij");
    list.push_back(Slice::from_static(b"k"));
    list.extend_last(|slice| {
        slice.clear();
        0
    });
    list.push_back(Slice::from_static(b"l"));
    assert_eq!(list.as_ref().segments().collect::<Vec<_>>(), [&b"ghij"[..], b"l"]);
}

#[test]
fn a_frozen_part_that_stays_long_is_not_copied_on_take() {
    let mut block = SliceMut::with_capacity(64);
    block.resize(64, 7);
    let mut list = SegmentList::from_iter([block.freeze()]);
    list.consume(2);
    let at = list.as_ref().first().as_ptr();
    assert_eq!(list.take(30).as_ref().first().as_ptr(), at);
}

#[test]
fn a_last_segment_that_is_taken_away_while_it_is_read_leaves_an_empty_list() {
    let mut list = SegmentList::from_iter([Slice::from_static(b"abc"), Slice::from_static(b"def")]);
    list.consume(4);
    list.extend_last(|slice| {
        slice.clear();
        0
    });
    assert!(list.is_empty() && list.last().is_none());
    list.push_back(Slice::from_static(b"gh"));
    assert_eq!((list.len(), list.as_ref()), (2, b"gh".into()));
}
