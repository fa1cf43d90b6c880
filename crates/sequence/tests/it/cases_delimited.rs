//! Reading to a delimiter: behaviours 158 to 164, and the maximum of 172.

use crate::counted;
use crate::machine::layouts::{alone, layouts, pieces};
use aqueduct_base::meter;
use aqueduct_sequence::{Delimiter, ReadFault, Sequence, SequenceRef};
use aqueduct_slice::Slice;

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
        assert!(reader.read_to(b"").expect("is there").is_empty());
        assert_eq!(reader.position(), 0);
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
    assert_eq!((meter::thread() - before).bytes, counted(23), "only where it is asked for");
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
