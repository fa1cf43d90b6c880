//! `Sequence`: what is shared, what is let go of, and what is copied.

use crate::counted;
use crate::machine::layouts::{alone, pieces};
use aqueduct_base::meter;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut, Str};
use aqueduct_testkit::{panics, pattern};

/// Three segments, and handles on their blocks.
fn three() -> (Sequence, [Slice; 3]) {
    let slices = [1, 2, 3].map(|seed| alone(&pattern(100, seed)));
    (Sequence::from_iter(slices.clone()), slices)
}

#[test]
fn cutting_and_joining_copies_nothing() {
    let (mut sequence, _slices) = three();
    let before = meter::thread();
    let head = sequence.split_to(150);
    let tail = sequence.split_off(100);
    let mut whole = head.clone();
    whole.append(sequence.clone());
    whole.append(tail.slice(..));
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!((head.len(), sequence.len(), tail.len(), whole.len()), (150, 100, 50, 300));
    assert_eq!(whole, [1, 2, 3].map(|seed| pattern(100, seed)).concat());
}

#[test]
fn segments_are_where_their_slices_were() {
    let (sequence, slices) = three();
    let starts: Vec<_> = sequence.as_ref().segments().map(<[u8]>::as_ptr).collect();
    assert_eq!(starts, slices.each_ref().map(|slice| slice.as_ptr()));
}

#[test]
fn an_unshared_sequence_lets_go_of_what_it_does_not_need() {
    let (mut sequence, slices) = three();
    sequence.advance(99);
    assert!(!slices[0].is_unique());
    sequence.advance(1);
    assert!(slices[0].is_unique(), "used up");
    sequence.truncate(100);
    assert!(slices[2].is_unique() && !slices[1].is_unique());
    sequence.clear();
    assert!(slices[1].is_unique());
}

#[test]
fn a_shared_sequence_keeps_what_others_see() {
    let (mut sequence, slices) = three();
    let other = sequence.clone();
    sequence.advance(150);
    sequence.truncate(100);
    assert!(slices.iter().all(|slice| !slice.is_unique()));
    assert_eq!(sequence.as_ref().segment_count(), 2);
    assert_eq!(other.len(), 300);
    drop(other);
    sequence.truncate(50);
    assert_eq!(sequence.pinned_bytes(), slices[1].pinned_bytes(), "one segment needs no list");
    assert!(slices[0].is_unique() && slices[2].is_unique());
}

#[test]
fn a_slice_in_one_segment_holds_that_alone() {
    let (sequence, slices) = three();
    let part = sequence.slice(110..190);
    drop(sequence);
    assert!(slices[0].is_unique() && !slices[1].is_unique() && slices[2].is_unique());
    assert_eq!(part, pattern(100, 2)[10..90]);
}

#[test]
fn few_bytes_do_not_pin_a_block() {
    let (sequence, slices) = three();
    let few = sequence.slice(10..20);
    drop(sequence);
    assert!(slices.iter().all(Slice::is_unique));
    assert_eq!(few.pinned_bytes(), 0);
}

#[test]
fn appending_to_a_shared_list_leaves_the_others_as_they_were() {
    let (mut sequence, _slices) = three();
    let other = sequence.clone();
    sequence.push(alone(b"more"));
    assert_eq!((sequence.len(), other.len()), (304, 300));
    let mut window = other.slice(50..150);
    window.push(alone(b"!"));
    assert_eq!(window.as_ref().slice(100..), b"!");
    assert_eq!(other.as_ref().slice(150..200), pattern(100, 2)[50..]);
}

#[test]
fn appending_behind_a_cut_does_not_bring_back_what_was_cut() {
    let (mut sequence, slices) = three();
    sequence.truncate(150);
    sequence.push(alone(b"end"));
    assert_eq!(sequence.as_ref().slice(148..), [&pattern(100, 2)[48..50], b"end"].concat());
    assert!(slices[2].is_unique());
    let parts: Vec<_> = sequence.into_iter().map(|slice| slice.len()).collect();
    assert_eq!(parts, [100, 50, 3]);
}

#[test]
fn neighbours_are_joined() {
    let block = alone(&pattern(100, 1));
    let parts = [0..30, 30..60, 60..100].map(|range| block.slice_shared(range));
    let mut pushed = Sequence::new();
    parts.iter().cloned().for_each(|part| pushed.push(part));
    for sequence in [pushed, Sequence::from_iter(parts)] {
        assert!(sequence.as_ref().is_contiguous());
        assert_eq!(sequence.as_ref().first().as_ptr(), block.as_ptr());
    }
}

#[test]
fn a_sequence_appended_to_itself() {
    let (mut sequence, _slices) = three();
    for doubled in 1..=4 {
        sequence.append(sequence.clone());
        assert_eq!(sequence.len(), 300 << doubled);
    }
    assert_eq!(sequence.as_ref().slice(4500..), [1, 2, 3].map(|seed| pattern(100, seed)).concat());
}

#[test]
fn one_segment_becomes_a_slice_without_a_copy() {
    let slice = alone(&pattern(100, 1));
    let before = meter::thread();
    assert_eq!(Sequence::from(slice.clone()).into_slice().as_ptr(), slice.as_ptr());
    assert_eq!((meter::thread() - before).bytes, 0);
    let (many, _slices) = three();
    let flat = many.clone().into_slice();
    assert_eq!((meter::thread() - before).bytes, counted(300));
    assert_eq!(many, flat);
}

#[test]
fn what_is_refused_changes_nothing() {
    let (mut sequence, _slices) = three();
    assert!(panics(|| sequence.advance(301)));
    assert!(panics(|| sequence.split_to(usize::MAX)));
    assert!(panics(|| sequence.split_off(301)));
    sequence.truncate(usize::MAX);
    assert_eq!(sequence.len(), 300);
}

#[test]
fn t16_an_iterator_that_lies_about_its_length() {
    struct Liar(u8);
    impl Iterator for Liar {
        type Item = Slice;
        fn next(&mut self) -> Option<Slice> {
            self.0 = self.0.checked_sub(1)?;
            Some(alone(&[self.0]))
        }
        fn size_hint(&self) -> (usize, Option<usize>) {
            (usize::MAX, Some(0))
        }
    }
    assert_eq!(Sequence::from_iter(Liar(3)), [2, 1, 0]);
}

#[test]
fn t15_an_iterator_that_panics_leaves_what_was_appended() {
    let (mut sequence, _slices) = three();
    let slices = (0..5).map(|i| if i == 3 { panic!("at the third") } else { alone(&[i]) });
    assert!(panics(|| sequence.extend(slices)));
    assert_eq!(sequence.as_ref().slice(300..), [0, 1, 2]);
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t21_a_million_short_segments_take_little_memory() {
    let mut block = SliceMut::with_capacity(1 << 20);
    let before = meter::thread();
    let mut sequence = Sequence::new();
    for i in 0..1_000_000_u32 {
        block.resize(1, (i % 251) as u8);
        sequence.push(Slice::copy_from_slice(&block.split_frozen(1)));
        sequence.push(Slice::new());
    }
    assert_eq!(
        (meter::thread() - before).bytes,
        counted(1_000_000),
        "one byte at a time, on the way in"
    );
    // 32 bytes for each segment: less than three bytes a byte.
    assert!(sequence.as_ref().segment_count() < 1_000_000 / 20);
    assert_eq!(sequence.as_ref().get(999_999), Some((999_999 % 251) as u8));
}

#[test]
fn what_converts_into_a_sequence() {
    let mut buffer = SliceMut::new();
    buffer.extend_from_slice(b"buffer");
    assert_eq!(Sequence::from(buffer), b"buffer");
    assert_eq!(Sequence::from(b"vec".to_vec()), b"vec");
    assert_eq!(Sequence::from(&b"static"[..]), b"static");
    let cut = pieces(b"window", &[2]);
    assert_eq!(Sequence::from(cut.as_ref().slice(1..4)), b"ind");
    assert_eq!(Sequence::from(bytes::Bytes::from_static(b"foreign")), b"foreign");
}

#[test]
fn what_is_cut_off_either_end_is_let_go() {
    let parts: Vec<Slice> = (0..4).map(|i| Slice::from(vec![i; 100])).collect();
    let mut sequence = Sequence::from_iter(parts.iter().cloned());
    sequence.truncate(250);
    assert!(parts[3].is_unique(), "behind the end");
    sequence.advance(150);
    assert!(parts[0].is_unique(), "before the start");
    assert!(!parts[1].is_unique() && !parts[2].is_unique());
}

#[test]
fn no_copy_is_counted_of_nothing() {
    let sequence = Sequence::from_iter([Slice::from(vec![1; 100]), Slice::from(vec![2; 100])]);
    let before = meter::thread();
    for nothing in [sequence.as_ref().slice(100..100), sequence.as_ref().slice(200..)] {
        assert!(nothing.to_sequence().is_empty());
        assert!(nothing.to_slice().is_empty());
    }
    assert_eq!((meter::thread() - before).copies, 0);
}

#[test]
fn what_a_slice_is_made_of_makes_a_sequence_and_is_not_copied() {
    let text = "longer than what a handle holds in itself";
    let owned = text.to_owned();
    let boxed = text.as_bytes().to_vec().into_boxed_slice();
    let (owned_at, boxed_at) = (owned.as_ptr(), boxed.as_ptr());
    let before = meter::thread();
    let (owned, boxed) = (Sequence::from(owned), Sequence::from(boxed));
    assert_eq!(
        (owned.as_ref().first().as_ptr(), boxed.as_ref().first().as_ptr()),
        (owned_at, boxed_at)
    );
    let others: [Sequence; 3] = [text.into(), Str::from_static(text).into(), b"four".into()];
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!(owned, text.as_bytes());
    assert_eq!(boxed, owned);
    assert!(others[..2].iter().all(|other| *other == owned));
    assert_eq!(others[2], b"four");
}
