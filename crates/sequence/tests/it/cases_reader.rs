//! The behaviours of readers by number.

use crate::machine::layouts::{alone, layouts, pieces};
use aqueduct_sequence::{ReadError, ReadFault, Sequence, SequenceReader, SequenceRef};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;

/// What a read gave, and where the reader is then.
fn read<T>(
    reader: &mut SequenceReader<'_>,
    read: impl FnOnce(&mut SequenceReader<'_>) -> T,
) -> (T, usize) {
    let value = read(reader);
    (value, reader.position())
}

#[test]
fn case_151_an_empty_reader() {
    let mut reader = SequenceRef::EMPTY.reader();
    assert!(reader.is_at_end() && reader.unread().is_empty() && reader.sequence().is_empty());
    assert_eq!((reader.remaining(), reader.position(), reader.chunk()), (0, 0, &[][..]));
    assert_eq!((reader.peek(), reader.peek_at(0)), (None, None));
    assert!(reader.read_u8().is_err() && reader.read_u128_be().is_err());
    assert!(reader.read_to(b'x').is_err() && reader.read_leb128().is_err());
    assert_eq!((reader.advance_past(b'x'), reader.advance_past_any(b"xy")), (0, 0));
    assert!(reader.read_rest().is_empty() && reader.read_while(|_| true).is_empty());
}

#[test]
fn case_152_leading_empty_segments_are_never_seen() {
    let sequence = Sequence::from_iter([Slice::new(), Slice::new(), alone(b"x")]);
    assert_eq!(sequence.as_ref().reader().chunk(), b"x");
    let nothing = Sequence::from_iter([Slice::new(), Slice::new()]);
    assert!(nothing.as_ref().reader().is_at_end());
}

#[test]
fn case_153_reading_keeps_the_books() {
    let flat = pattern(30, 1);
    for layout in layouts(&flat) {
        let mut reader = layout.as_ref().reader();
        for (at, &byte) in flat.iter().enumerate() {
            assert_eq!((reader.position(), reader.remaining()), (at, 30 - at));
            assert_eq!(reader.unread(), flat[at..]);
            assert!(flat[at..].starts_with(reader.chunk()) && !reader.chunk().is_empty());
            assert_eq!((reader.peek(), reader.read_u8()), (Some(byte), Ok(byte)));
        }
        let short = ReadFault::Short { needed: 1, left: 0 };
        assert_eq!(reader.read_u8().map_err(|e| (e.at(), e.fault())), Err((30, short)));
        assert_eq!((reader.position(), reader.peek(), reader.is_at_end()), (30, None, true));
    }
}

#[test]
fn case_154_peeking_ahead() {
    let flat = pattern(20, 1);
    for layout in layouts(&flat) {
        let mut reader = layout.as_ref().reader();
        reader.advance(3).expect("in range");
        for offset in 0..17 {
            assert_eq!(reader.peek_at(offset), Some(flat[3 + offset]));
            assert_eq!(reader.peek_slice(offset).expect("in range"), flat[3..3 + offset]);
        }
        assert_eq!((reader.peek_at(17), reader.peek_at(usize::MAX)), (None, None));
        assert!(reader.peek_slice(18).is_err());
        assert_eq!(reader.position(), 3, "never moved");
    }
}

#[test]
fn case_155_advancing_past_the_end_does_not_move() {
    for layout in layouts(b"abcdef") {
        let mut reader = layout.as_ref().reader();
        reader.advance(2).expect("in range");
        let refused = reader.advance(5).expect_err("four are left");
        assert_eq!(refused.fault(), ReadFault::Short { needed: 5, left: 4 });
        assert_eq!(refused.to_string(), "5 bytes needed, 4 left, at 2");
        assert_eq!(reader.position(), 2);
        assert!(reader.advance(usize::MAX).is_err());
        assert_eq!((reader.advance(4), reader.is_at_end()), (Ok(()), true));
    }
}

#[test]
fn case_156_advancing_over_empty_segments() {
    let parts = [alone(b"a"), Slice::new(), Slice::new(), alone(b"bc"), Slice::new()];
    let sequence = Sequence::from_iter(parts);
    let mut reader = sequence.as_ref().reader();
    reader.advance(1).expect("in range");
    assert_eq!(reader.chunk(), b"bc");
    reader.advance(2).expect("in range");
    assert!(reader.is_at_end());
    reader.advance(0).expect("nothing is always there");
}

#[test]
fn case_157_going_back() {
    let flat = pattern(25, 1);
    for layout in layouts(&flat) {
        for n in 0..=25 {
            let mut reader = layout.as_ref().reader();
            let start = reader.checkpoint();
            reader.advance(n).expect("in range");
            let there = reader.checkpoint();
            reader.rewind(&start);
            assert_eq!((reader.position(), reader.unread()), (0, flat[..].into()));
            reader.rewind(&there);
            assert_eq!((reader.position(), reader.unread()), (n, flat[n..].into()));
            for back in 0..=n {
                reader.seek_to(n - back).expect("in range");
                assert_eq!(reader.unread(), flat[n - back..]);
            }
            assert!(reader.seek_to(26).is_err());
            assert_eq!(reader.position(), 0, "the refused one moved nothing");
        }
    }
}

#[test]
fn case_165_advancing_past_bytes() {
    for layout in layouts(b"    \t\n  word") {
        let mut reader = layout.as_ref().reader();
        assert_eq!(read(&mut reader, |r| r.advance_past(b'x')), (0, 0));
        assert_eq!(read(&mut reader, |r| r.advance_past(b' ')), (4, 4));
        assert_eq!(read(&mut reader, |r| r.advance_past_any(b"\t \n")), (4, 8));
        assert_eq!(read(&mut reader, |r| r.advance_past_any(b"word")), (4, 12));
    }
}

#[test]
fn case_166_what_comes_next() {
    for layout in layouts(b"abcdefgh") {
        let mut reader = layout.as_ref().reader();
        assert!(reader.is_next(b"") && reader.is_next(b"abcdefgh") && !reader.is_next(b"b"));
        assert_eq!(read(&mut reader, |r| r.advance_if_next(b"abx")), (false, 0));
        assert_eq!(read(&mut reader, |r| r.advance_if_next(b"abcde")), (true, 5));
        assert!(!reader.is_next(b"fghi"), "more than there is");
        assert_eq!(read(&mut reader, |r| r.advance_if_next(b"fghi")), (false, 5));
        assert_eq!(read(&mut reader, |r| r.advance_if_next(&pieces(b"fgh", &[1]))), (true, 8));
    }
}

#[test]
fn case_167_copying_without_moving() {
    let flat = pattern(12, 1);
    for layout in layouts(&flat) {
        let mut reader = layout.as_ref().reader();
        reader.advance(2).expect("in range");
        let mut to = [0; 11];
        assert!(reader.peek_into(&mut to).is_err());
        assert_eq!(to, [0; 11], "nothing was copied");
        reader.peek_into(&mut to[..10]).expect("enough");
        assert_eq!((&to[..10], reader.position()), (&flat[2..], 2));
        reader.read_into(&mut to[..10]).expect("enough");
        assert!(reader.is_at_end());
    }
}

#[test]
fn case_168_reading_exactly() {
    for layout in layouts(b"abcde") {
        let mut reader = layout.as_ref().reader();
        assert_eq!(reader.read_slice(0).map(SequenceRef::len), Ok(0));
        assert_eq!(reader.read_slice(2).expect("enough"), b"ab");
        assert_eq!(reader.read_slice(2).expect("enough"), b"cd");
        assert_eq!(read(&mut reader, |r| r.read_slice(2).is_err()), (true, 4));
        assert_eq!(reader.read_slice(1).expect("enough"), b"e");
    }
}

#[test]
fn case_170_a_position_is_an_offset_into_the_sequence() {
    let parts = [alone(b"abc"), alone(b"defg"), Slice::new()];
    let sequence = Sequence::from_iter(parts);
    let mut reader = sequence.as_ref().reader();
    for at in 0..=7 {
        assert_eq!(sequence.as_ref().slice(reader.position()..), reader.unread());
        assert_eq!(reader.position(), at);
        let _ = reader.read_u8();
    }
}

#[test]
fn case_171_backtracking_is_explicit() {
    fn take_two(reader: &mut SequenceReader<'_>) -> Result<u16, ReadError> {
        reader.read_u16_be()
    }
    let bytes = pieces(&[1, 2, 3, 4], &[3]);
    let mut reader = bytes.as_ref().reader();
    let mark = reader.checkpoint();
    assert_eq!((take_two(&mut reader), take_two(&mut reader)), (Ok(0x0102), Ok(0x0304)));
    let again = mark.clone();
    reader.rewind(&mark);
    assert_eq!(take_two(&mut reader), Ok(0x0102), "progress made in a call is kept");
    reader.rewind(&again);
    assert_eq!(reader.position(), 0);
}

#[test]
fn case_172_reading_while() {
    for layout in layouts(b"123abc") {
        let mut reader = layout.as_ref().reader();
        assert_eq!(reader.read_while(|byte| byte.is_ascii_digit()), b"123");
        assert_eq!(reader.read_while(|byte| byte.is_ascii_digit()), b"");
        assert_eq!(reader.read_while(|_| true), b"abc");
    }
}

#[test]
fn case_172_a_plain_slice_is_read_alike() {
    let mut reader = SequenceReader::new(SequenceRef::from(b"line\nrest"));
    assert_eq!(reader.read_to(b'\n').expect("is there"), b"line");
    assert_eq!(reader.unread().first(), b"rest");
}
