//! The behaviours of sequences by number.

use std::collections::HashMap;

use crate::counted;
use crate::machine::layouts::{alone, layouts, pieces};
use aqueduct_base::meter;
use aqueduct_sequence::{Sequence, SequenceRef};
use aqueduct_slice::Slice;
use aqueduct_testkit::{panics, pattern};

#[test]
fn case_132_empty_sequences() {
    let empty = [Sequence::new(), Sequence::default(), Sequence::from(Slice::new())];
    for sequence in &empty {
        let seq = sequence.as_ref();
        assert_eq!((seq.len(), seq.is_empty(), seq.is_contiguous()), (0, true, true));
        assert_eq!((seq.first(), seq.last(), seq.segments().next()), (&[][..], &[][..], None));
        assert_eq!((seq.slice(..), seq.slice(0..0), seq.get(0)), (seq, seq, None));
        assert!(seq.try_slice(0..1).is_err() && seq.try_slice(1..).is_err());
        assert_eq!((sequence.slice(..), sequence.clone().into_slice().len()), (Sequence::new(), 0));
        assert_eq!(sequence.clone().into_iter().count(), 0);
    }
    assert_eq!(SequenceRef::EMPTY, SequenceRef::from(&[]));
}

#[test]
fn case_133_what_a_list_is_made_of_cannot_be_wrong() {
    // Ranges are checked where slices are cut, and segments come with their order.
    let block = alone(b"0123456789");
    assert!(block.try_slice(8..11).is_err());
    let sequence = Sequence::from_iter([block.slice(5..), block.slice(..5)]);
    assert_eq!(sequence, b"5678901234");
}

#[test]
fn case_134_length_is_that_of_the_window_not_of_the_list() {
    let sequence = pieces(&pattern(100, 1), &[10]);
    assert_eq!(sequence.slice(5..95).len(), 90);
    // One segment with bytes, however many empty ones were given with it.
    let padded = Sequence::from_iter([Slice::new(), alone(b"x"), Slice::new()]);
    assert!(padded.as_ref().is_contiguous());
}

#[test]
fn case_135_the_end_of_one_segment_is_the_start_of_the_next() {
    let sequence = Sequence::from_iter([alone(b"one"), Slice::new(), alone(b"two")]);
    let seq = sequence.as_ref();
    assert_eq!(seq.slice(3..).first(), b"two", "the next segment's start");
    assert_eq!(seq.slice(..3).last(), b"one", "and never an empty piece");
    let cut = seq.slice(..3);
    assert_eq!((cut.get(3), cut.slice(3..).len()), (None, 0), "not past the end of the window");
}

#[test]
fn case_136_positions_past_the_end_fail() {
    let sequence = Sequence::from_iter([alone(b"ab"), alone(b"c"), Slice::new(), Slice::new()]);
    assert!(sequence.try_slice(4..).is_err() && sequence.try_slice(usize::MAX..).is_err());
    assert!(sequence.as_ref().slice(1..).try_slice(..3).is_err());
    assert_eq!(sequence.as_ref().get(3), None);
    assert!(sequence.as_ref().reader().seek_to(4).is_err());
}

#[test]
fn case_137_iteration_yields_no_empty_segment_and_stops_at_the_end() {
    let sequence = Sequence::from_iter([alone(b"ab"), Slice::new(), alone(b"cd"), Slice::new()]);
    let segments = |seq: SequenceRef<'_>| seq.segments().map(Vec::from).collect::<Vec<_>>();
    assert_eq!(segments(sequence.as_ref()), [b"ab", b"cd"]);
    assert_eq!(segments(sequence.as_ref().slice(..2)), [b"ab"]);
    assert_eq!(segments(sequence.as_ref().slice(..3)), [&b"ab"[..], b"c"]);
    assert_eq!(segments(sequence.as_ref().slice(1..2)), [b"b"]);
}

#[test]
fn case_138_every_slice_of_every_layout() {
    for len in [0, 1, 2, 9, 23] {
        let flat = pattern(len, 2);
        for layout in layouts(&flat) {
            let (seq, owned) = (layout.as_ref(), layout.to_sequence());
            for start in 0..=len {
                assert_eq!(seq.slice(start..), flat[start..], "{}", layout.name);
                assert_eq!(seq.slice(..start), flat[..start], "{}", layout.name);
                for end in start..=len {
                    let want = &flat[start..end];
                    assert_eq!(seq.slice(start..end), want, "{}", layout.name);
                    assert_eq!(owned.slice(start..end), want, "{}", layout.name);
                    assert_eq!(seq.slice(start..end).to_sequence(), want, "{}", layout.name);
                    assert_eq!(seq.slice(start..end).to_slice(), want, "{}", layout.name);
                    let inner = seq.slice(start..end).slice((end - start) / 2..);
                    assert_eq!(inner, want[(end - start) / 2..], "a slice of a slice");
                }
            }
        }
    }
}

#[test]
fn case_139_slices_that_do_not_lie_within() {
    let from_start = |start| (std::ops::Bound::Excluded(start), std::ops::Bound::Unbounded);
    for layout in layouts(&pattern(10, 1)) {
        let (seq, owned) = (layout.as_ref(), layout.to_sequence());
        #[allow(clippy::reversed_empty_ranges, reason = "what is to be refused")]
        for range in [5..4, 11..11, 0..11, 10..usize::MAX, usize::MAX..usize::MAX] {
            let refused = seq.try_slice(range.clone()).expect_err("out of range");
            assert!(refused.to_string().contains("10 bytes"), "{refused}");
            assert_eq!(owned.try_slice(range.clone()), Err(refused));
            assert!(panics(|| seq.slice(range)));
        }
        assert!(seq.try_slice(..=usize::MAX).is_err());
        assert!(seq.try_slice(from_start(usize::MAX)).is_err());
    }
}

#[test]
fn case_140_unbounded_slices() {
    for layout in layouts(b"xyz") {
        let seq = layout.as_ref();
        assert_eq!((seq.slice(..), seq.slice(3..).len(), seq.slice(..0).len()), (seq, 0, 0));
        assert!(SequenceRef::default().is_empty());
        assert!(SequenceRef::default().try_slice(1..).is_err());
    }
}

#[test]
fn case_141_slicing_off_byte_by_byte() {
    let sequence = pieces(&pattern(400, 1), &[100]);
    let mut seq = sequence.as_ref();
    for left in (1..=400).rev() {
        assert_eq!((seq.len(), seq.first().len()), (left, (left - 1) % 100 + 1));
        seq = seq.slice(1..);
    }
    assert!(seq.is_empty());
}

#[test]
fn case_142_a_slice_at_the_end_is_empty() {
    for layout in layouts(b"abcdefgh") {
        let end = layout.as_ref().slice(8..);
        assert_eq!((end.len(), end.segments().count()), (0, 0), "{}", layout.name);
        assert_eq!(end.slice(..), end);
    }
}

#[test]
fn case_143_a_trailing_empty_segment_is_no_trap() {
    let sequence = Sequence::from_iter([alone(b"a"), Slice::new()]);
    let end = sequence.as_ref().slice(1..);
    assert!(end.is_empty() && end.slice(0..).is_empty());
    assert_eq!(sequence.slice(1..).len(), 0);
}

#[test]
fn case_144_where_a_byte_a_set_and_a_pattern_are() {
    let sequence = pieces(b"to be, or not to be", &[4, 1, 3]);
    let seq = sequence.as_ref();
    assert_eq!((seq.find(b'o'), seq.rfind(b'o'), seq.find(b'x')), (Some(1), Some(15), None));
    assert_eq!((seq.find_any(b",r"), seq.find_any(b"xyz")), (Some(5), None));
    assert_eq!((seq.find_slice(b"or not"), seq.find_slice(b"not or")), (Some(7), None));
    assert_eq!(seq.slice(6..).find(b't'), Some(6), "from the slice's own start");
}

#[test]
fn case_145_an_offset_is_relative_to_this_sequence() {
    let sequence = pieces(b"0123456789", &[4]);
    let tail = sequence.as_ref().slice(1..);
    assert_eq!(tail.find(b'2'), Some(1));
    let mut reader = tail.reader();
    reader.advance(1).expect("in range");
    assert_eq!((reader.position(), reader.peek()), (1, Some(b'2')));
}

#[test]
fn case_146_a_position_of_another_sequence_is_checked_as_a_number() {
    let (long, short) = (pieces(b"0123456789", &[3]), pieces(b"abc", &[1]));
    let position = long.as_ref().find(b'8').expect("is there");
    assert!(short.try_slice(..position).is_err());
    assert!(short.as_ref().reader().seek_to(position).is_err());
}

#[test]
fn case_147_copying_out() {
    let flat = pattern(10, 4);
    for layout in layouts(&flat) {
        let mut to = [0; 12];
        assert!(layout.as_ref().gather(&mut to[..9]).is_err());
        assert_eq!(to, [0; 12], "nothing was copied");
        let before = meter::thread();
        assert_eq!(layout.as_ref().gather(&mut to[..10]), Ok(10));
        assert_eq!((meter::thread() - before).bytes, counted(10));
        assert_eq!(layout.as_ref().gather(&mut to), Ok(10));
        assert_eq!((&to[..10], &to[10..]), (&flat[..], &[0, 0][..]));
        assert_eq!(layout.as_ref().to_contiguous(), flat);
    }
    assert_eq!(pieces("häuser".as_bytes(), &[2]).as_ref().to_str().as_deref(), Ok("häuser"));
}

#[test]
fn case_148_positions_compare_as_numbers() {
    let sequence = pieces(b"onetwo", &[3]);
    let (end_of_one, start_of_two) =
        (sequence.as_ref().slice(..3).len(), sequence.as_ref().find(b't'));
    assert_eq!(Some(end_of_one), start_of_two);
}

#[test]
fn case_149_what_was_asked_for() {
    let mut sequence = Sequence::from(alone(b"  key"));
    sequence.push(alone(b"=val"));
    sequence.append(pieces(b"ue\r\n", &[1]));
    sequence.extend([alone(b"tail")]);
    assert_eq!(sequence, b"  key=value\r\ntail");
    assert_eq!(sequence.as_ref().slice(..13).trim_ascii(), b"key=value");
    assert!(sequence.as_ref().starts_with(b"  k") && sequence.as_ref().ends_with(b"tail"));
    let map = HashMap::from([(sequence.clone(), 1)]);
    assert_eq!(map.get(&pieces(b"  key=value\r\ntail", &[1])), Some(&1));
    let words: Vec<_> = sequence.as_ref().split(b'=').collect();
    assert_eq!(words, [b"  key"[..].into(), SequenceRef::from(b"value\r\ntail")]);
    assert_eq!(sequence.as_ref().io_slices().count(), sequence.as_ref().segment_count());
}

#[test]
fn case_150_both_forms_cross_threads() {
    fn shared<T: Send + Sync>(value: T) -> T {
        value
    }
    let sequence = shared(pieces(b"to another thread", &[5]));
    let there = sequence.clone();
    std::thread::scope(|scope| {
        let borrowed = shared(sequence.as_ref());
        scope.spawn(move || assert_eq!(borrowed, b"to another thread"));
    });
    let joined = std::thread::spawn(move || there.as_ref().len()).join();
    assert_eq!(joined.ok(), Some(17));
    shared(sequence.as_ref().reader());
    shared(aqueduct_sequence::SegmentList::new());
}
