//! The behaviours of readers by number.

use crate::machine::layouts::{alone, layouts, pieces};
use aqueduct_base::meter;
use aqueduct_sequence::{
    Delimiter, Prefix, ReadError, ReadFault, Sequence, SequenceReader, SequenceRef,
};
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
fn case_158_reading_to_a_delimiter() {
    let parts = [alone(&[0]), alone(&[1, 2]), Slice::new(), alone(&[3, 4, 5, 6])];
    let sequence = Sequence::from_iter(parts);
    for delimiter in 0..7 {
        let before: Vec<u8> = (0..delimiter).collect();
        let mut reader = sequence.as_ref().reader();
        assert_eq!(reader.read_up_to(delimiter).expect("is there"), before);
        assert_eq!(reader.peek(), Some(delimiter), "it stays next");
        reader.rewind(&sequence.as_ref().reader().checkpoint());
        assert_eq!(reader.read_to(delimiter).expect("is there"), before);
        assert_eq!(reader.position(), usize::from(delimiter) + 1, "it is passed");
        if delimiter < 6 {
            assert_eq!(
                reader.read_to(6).expect("a second one"),
                (delimiter + 1..6).collect::<Vec<_>>()
            );
        }
    }
}

#[test]
fn case_159_a_delimiter_that_is_not_there() {
    for layout in layouts(b"abcdef") {
        let mut reader = layout.as_ref().reader();
        reader.advance(1).expect("in range");
        for refused in [reader.read_to(b'x'), reader.read_to(b"fg"), reader.read_up_to(b'a')] {
            let refused = refused.expect_err("is not there");
            assert_eq!((refused.at(), refused.is_incomplete()), (1, true));
            assert_eq!(refused.fault(), ReadFault::NotFound { searched: 5 });
        }
        assert_eq!((reader.position(), reader.unread()), (1, b"bcdef".into()));
    }
}

#[test]
fn case_160_escaped_delimiters() {
    let table: [(&[u8], Option<&[u8]>); 7] = [
        (b"This is our ^|understanding^||", Some(b"This is our ^|understanding^|")),
        (b"^|a|b", Some(b"^|a")),
        (b"abc^^|d", Some(b"abc^^")),
        (b"^^^|abc", None),
        (b"|", Some(b"")),
        (b"^", None),
        (b"^|", None),
    ];
    for (bytes, want) in table {
        for layout in layouts(bytes) {
            let mut reader = layout.as_ref().reader();
            let got = reader.read_to(Delimiter::escaped(b'|', b'^')).ok();
            assert_eq!(got, want.map(SequenceRef::from), "{bytes:?} in {}", layout.name);
            assert_eq!(reader.position(), want.map_or(0, |want| want.len() + 1));
        }
    }
    let mut same = SequenceRef::from(b"a||b").reader();
    assert_eq!(same.read_to(Delimiter::escaped(b'|', b'|')).expect("is there"), b"a");
}

#[test]
fn case_161_delimiters_of_several_bytes() {
    for layout in layouts(b"/* b*/ * / **/ rest") {
        let mut reader = layout.as_ref().reader();
        assert_eq!(reader.read_to(b"*/").expect("is there"), b"/* b");
        assert_eq!(reader.read_to(b"**/").expect("false starts"), b" * / ");
        assert_eq!(reader.read_rest(), b" rest");
    }
    let sequence = pieces(b"Hello\r\nWorld", &[6]);
    assert!(sequence.as_ref().slice(..6).reader().read_to(b"\r\n").is_err(), "not past the end");
    assert_eq!(sequence.as_ref().reader().read_to(b"\r\n").expect("is there"), b"Hello");
}

#[test]
fn case_162_an_empty_delimiter_is_found_at_once() {
    for layout in layouts(b"abc") {
        let mut reader = layout.as_ref().reader();
        assert_eq!(read(&mut reader, |r| r.read_to(b"").expect("is there").len()), (0, 0));
        assert!(reader.read_to(Delimiter::any(b"")).is_err(), "none of no bytes");
    }
}

#[test]
fn case_163_what_is_read_across_segments_is_not_copied() {
    let sequence = pieces(b"across several segments|rest", &[5]);
    let before = meter::thread();
    let read = sequence.as_ref().reader().read_to(b'|').expect("is there");
    assert_eq!(read.segment_count(), 5);
    assert_eq!((meter::thread() - before).bytes, 0);
    let flat = read.to_contiguous();
    assert_eq!((meter::thread() - before).bytes, 23, "only where it is asked for");
    assert_eq!(*flat, *b"across several segments");
}

#[test]
fn case_164_any_of_several_delimiters() {
    for layout in layouts(b"key=value;next:last") {
        let mut reader = layout.as_ref().reader();
        let any = Delimiter::any(b"=;:");
        assert_eq!(reader.read_to(any).expect("is there"), b"key");
        assert_eq!(reader.read_up_to(any).expect("is there"), b"value");
        assert_eq!(reader.read_u8(), Ok(b';'));
        assert_eq!(reader.read_to(Delimiter::any(b"=;:,")).expect("is there"), b"next");
        assert!(reader.read_to(any).is_err());
        assert_eq!(reader.read_rest(), b"last");
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
        assert!(reader.copy_to(&mut to).is_err());
        assert_eq!(to, [0; 11], "nothing was copied");
        reader.copy_to(&mut to[..10]).expect("enough");
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

/// Reads one number at each offset and compares it with that of the flat bytes; and where too few
/// are left, that it is refused and nothing moves.
fn numbers<T: PartialEq + std::fmt::Debug, const N: usize>(
    from: impl Fn([u8; N]) -> T,
    read: impl Fn(&mut SequenceReader<'_>) -> Result<T, ReadError>,
) {
    let flat: Vec<u8> = pattern(40, 5).iter().map(|byte| byte.wrapping_mul(3)).collect();
    for layout in layouts(&flat) {
        for at in 0..=40 {
            let mut reader = layout.as_ref().reader();
            reader.advance(at).expect("in range");
            match flat[at..].first_chunk::<N>() {
                Some(bytes) => {
                    assert_eq!(read(&mut reader), Ok(from(*bytes)), "{} at {at}", layout.name);
                    assert_eq!(reader.position(), at + N);
                }
                None => {
                    let refused = read(&mut reader).expect_err("too few").fault();
                    assert_eq!(refused, ReadFault::Short { needed: N, left: 40 - at });
                    assert_eq!(reader.position(), at);
                }
            }
        }
    }
}

#[test]
fn case_169_numbers_of_every_width_and_order() {
    numbers(u8::from_le_bytes, |r| r.read_u8());
    numbers(i8::from_le_bytes, |r| r.read_i8());
    numbers(u16::from_le_bytes, |r| r.read_u16_le());
    numbers(u16::from_be_bytes, |r| r.read_u16_be());
    numbers(i16::from_le_bytes, |r| r.read_i16_le());
    numbers(i16::from_be_bytes, |r| r.read_i16_be());
    numbers(|[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]), |r| r.read_u24_le());
    numbers(|[a, b, c]: [u8; 3]| u32::from_be_bytes([0, a, b, c]), |r| r.read_u24_be());
    numbers(u32::from_le_bytes, |r| r.read_u32_le());
    numbers(u32::from_be_bytes, |r| r.read_u32_be());
    numbers(i32::from_le_bytes, |r| r.read_i32_le());
    numbers(i32::from_be_bytes, |r| r.read_i32_be());
    numbers(|b: [u8; 6]| b.iter().rfold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u48_le());
    numbers(|b: [u8; 6]| b.iter().fold(0, |n, b| n << 8 | u64::from(*b)), |r| r.read_u48_be());
    numbers(u64::from_le_bytes, |r| r.read_u64_le());
    numbers(u64::from_be_bytes, |r| r.read_u64_be());
    numbers(i64::from_le_bytes, |r| r.read_i64_le());
    numbers(i64::from_be_bytes, |r| r.read_i64_be());
    numbers(u128::from_le_bytes, |r| r.read_u128_le());
    numbers(u128::from_be_bytes, |r| r.read_u128_be());
    numbers(i128::from_le_bytes, |r| r.read_i128_le());
    numbers(i128::from_be_bytes, |r| r.read_i128_be());
    let bits = |result: Result<f32, ReadError>| result.map(f32::to_bits);
    numbers(u32::from_le_bytes, |r| bits(r.read_f32_le()));
    numbers(u32::from_be_bytes, |r| bits(r.read_f32_be()));
    let bits = |result: Result<f64, ReadError>| result.map(f64::to_bits);
    numbers(u64::from_le_bytes, |r| bits(r.read_f64_le()));
    numbers(u64::from_be_bytes, |r| bits(r.read_f64_be()));
}

/// A LEB128 of the value, padded to at least so many bytes.
fn leb128(mut value: u64, least: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 || bytes.len() + 1 < least {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

#[test]
fn case_169_unsigned_leb128() {
    for value in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, u64::MAX >> bit]) {
        for least in [1, 3, 10] {
            let bytes = [leb128(value, least), b"!".to_vec()].concat();
            for layout in layouts(&bytes) {
                let mut reader = layout.as_ref().reader();
                assert_eq!(reader.read_leb128(), Ok(value), "{}", layout.name);
                assert_eq!(reader.read_rest(), b"!");
                for cut in 0..bytes.len() - 1 {
                    let mut reader = layout.as_ref().slice(..cut).reader();
                    let refused = reader.read_leb128().expect_err("cut").fault();
                    assert_eq!(refused, ReadFault::Short { needed: cut + 1, left: cut });
                }
            }
        }
    }
    for bytes in [[0xff; 9].as_slice(), &[0x80; 12]].map(|b| [b, &[2]].concat()) {
        let mut reader = SequenceRef::from(&bytes[..]).reader();
        let refused = reader.read_leb128().expect_err("too large");
        assert_eq!((refused.fault(), refused.is_incomplete()), (ReadFault::Overflow, false));
        assert_eq!(reader.position(), 0);
    }
}

#[test]
fn case_169_signed_leb128() {
    let table: [(&[u8], i64); 8] = [
        (&[0x00], 0),
        (&[0x7f], -1),
        (&[0x3f], 63),
        (&[0x40], -64),
        (&[0x80, 0x01], 128),
        (&[0xff, 0x7e], -129),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00], i64::MAX),
        (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f], i64::MIN),
    ];
    for (bytes, want) in table {
        for layout in layouts(bytes) {
            let mut reader = layout.as_ref().reader();
            assert_eq!(reader.read_signed_leb128(), Ok(want), "{}", layout.name);
            assert!(reader.is_at_end());
        }
    }
    let mut too_large =
        SequenceRef::from(&[0x80, 128, 128, 128, 128, 128, 128, 128, 128, 1]).reader();
    assert_eq!(too_large.read_signed_leb128().map_err(|e| e.fault()), Err(ReadFault::Overflow));
}

#[test]
fn case_169_quic_integers() {
    let table: [(&[u8], u64); 5] = [
        (&[0x25], 37),
        (&[0x40, 0x25], 37),
        (&[0x7b, 0xbd], 15_293),
        (&[0x9d, 0x7f, 0x3e, 0x7d], 494_878_333),
        (&[0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c], 151_288_809_941_952_652),
    ];
    for (bytes, want) in table {
        for layout in layouts(bytes) {
            let mut reader = layout.as_ref().reader();
            assert_eq!(reader.read_quic(), Ok(want), "{}", layout.name);
            for cut in 0..bytes.len() {
                let mut reader = layout.as_ref().slice(..cut).reader();
                assert_eq!(read(&mut reader, |r| r.read_quic().is_err()), (true, 0));
            }
        }
    }
}

#[test]
fn case_169_slices_behind_their_length() {
    use Prefix::{
        Leb128, Quic, U8, U16Be, U16Le, U24Be, U24Le, U32Be, U32Le, U48Be, U48Le, U64Be, U64Le,
    };
    let table: [(Prefix, &[u8]); 13] = [
        (U8, &[5]),
        (U16Le, &[5, 0]),
        (U16Be, &[0, 5]),
        (U24Le, &[5, 0, 0]),
        (U24Be, &[0, 0, 5]),
        (U32Le, &[5, 0, 0, 0]),
        (U32Be, &[0, 0, 0, 5]),
        (U48Le, &[5, 0, 0, 0, 0, 0]),
        (U48Be, &[0, 0, 0, 0, 0, 5]),
        (U64Le, &[5, 0, 0, 0, 0, 0, 0, 0]),
        (U64Be, &[0, 0, 0, 0, 0, 0, 0, 5]),
        (Leb128, &[0x85, 0]),
        (Quic, &[0x40, 5]),
    ];
    for (prefix, head) in table {
        let bytes = [head, b"hello, more"].concat();
        for layout in layouts(&bytes) {
            let seq = layout.as_ref();
            let mut reader = seq.reader();
            assert_eq!(reader.read_prefixed(prefix, 5).expect("is there"), b"hello", "{prefix:?}");
            assert_eq!(reader.read_rest(), b", more");
            let mut reader = seq.reader();
            let long = reader.read_prefixed(prefix, 4).expect_err("five are too many");
            assert_eq!(long.fault(), ReadFault::TooLong { claimed: 5, most: 4 });
            assert_eq!((long.at(), reader.position()), (0, 0));
            for cut in 0..head.len() + 5 {
                let mut reader = seq.slice(..cut).reader();
                let short = reader.read_prefixed(prefix, 5).expect_err("cut");
                assert!(short.is_incomplete() && reader.position() == 0, "{prefix:?} at {cut}");
                if cut >= head.len() {
                    let needed = head.len() + 5;
                    assert_eq!(short.fault(), ReadFault::Short { needed, left: cut });
                }
            }
        }
    }
}

#[test]
fn case_169_a_length_of_2_to_the_63_is_refused() {
    for claimed in [1 << 63, u64::MAX] {
        let bytes = claimed.to_be_bytes();
        let mut reader = SequenceRef::from(&bytes).reader();
        let refused = reader.read_prefixed(Prefix::U64Be, 1 << 20).expect_err("absurd");
        assert_eq!(refused.fault(), ReadFault::TooLong { claimed, most: 1 << 20 });
        let refused = reader.read_prefixed(Prefix::U64Be, usize::MAX).expect_err("absurd");
        assert!(refused.is_incomplete() && reader.position() == 0);
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
fn case_172_a_maximum() {
    for layout in layouts(b"0123456789|tail\r\n") {
        let mut reader = layout.as_ref().reader();
        let within = |most| Delimiter::byte(b'|').within(most);
        let refused = reader.read_to(within(9)).expect_err("ten lie before it");
        assert_eq!(refused.fault(), ReadFault::TooLong { claimed: 10, most: 9 });
        assert_eq!((refused.is_incomplete(), reader.position()), (false, 0));
        assert_eq!(reader.read_to(within(10)).expect("just so"), b"0123456789");
        let end = Delimiter::pattern(b"\r\n");
        assert!(reader.read_up_to(end.within(3)).is_err());
        assert_eq!(reader.read_up_to(end.within(4)).expect("just so"), b"tail");
        let few = layout.as_ref().slice(..5);
        let refused = few.reader().read_to(within(9)).expect_err("is not there yet");
        assert!(refused.is_incomplete());
    }
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
