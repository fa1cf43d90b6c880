//! Calls and replies as msgpack.

use aqueduct::{Sequence, SequenceRef, Slice, meter};
use std::borrow::Cow;
use uvrpc::envelope::{CallHead, Head, Malformed, ReplyHead};

fn call<'a>(id: u32, service: &'a str, method: &'a str, data: Option<usize>) -> CallHead<'a> {
    CallHead { id, service: Cow::Borrowed(service), method: Cow::Borrowed(method), data }
}

fn bytes_of(head: &CallHead<'_>) -> Vec<u8> {
    let mut bytes = vec![0; head.size()];
    head.write(&mut bytes);
    bytes
}

fn reply_of(head: &ReplyHead<'_>) -> Vec<u8> {
    let mut bytes = vec![0; head.size()];
    head.write(&mut bytes);
    bytes
}

#[test]
fn the_golden_envelopes() {
    assert_eq!(bytes_of(&call(7, "echo", "echo", Some(2))), b"\x94\x07\xa4echo\xa4echo\xc4\x02");
    let reply = |id, status, error: Option<&'static str>, data| {
        reply_of(&ReplyHead { id, status, error: error.map(Cow::Borrowed), data })
    };
    assert_eq!(reply(7, 0, None, Some(2)), b"\x94\x07\x00\xc0\xc4\x02");
    assert_eq!(
        reply(9, -4, Some("Service not found"), None),
        b"\x94\x09\xfc\xb1Service not found\xc0"
    );
    assert_eq!(
        reply(u32::MAX, 300, None, Some(65_536)),
        b"\x94\xce\xff\xff\xff\xff\xcd\x01\x2c\xc0\xc6\0\x01\0\0"
    );
}

#[test]
fn what_is_written_is_read_in_one_piece_and_in_two() {
    let long = "n".repeat(70_000);
    for id in [0, 127, 128, 65_535, 65_536, u32::MAX] {
        for data in [None, Some(0), Some(1), Some(255), Some(256), Some(65_536)] {
            for name in ["", "echo", &long[..300], &long] {
                let head = call(id, name, "method", data);
                let mut bytes = bytes_of(&head);
                bytes.resize(bytes.len() + data.unwrap_or(0), 7);
                assert_eq!(CallHead::read(SequenceRef::from(&bytes[..])), Ok(head.clone()));
                for at in [1, 3, 7, bytes.len() - 1] {
                    let (front, behind) = bytes.split_at(at);
                    let pieces = [front, behind].map(|piece| Slice::from(piece.to_vec()).pin());
                    let sequence: Sequence = pieces.into_iter().collect();
                    assert_eq!(CallHead::read(sequence.as_ref()), Ok(head.clone()));
                }
            }
        }
    }
    for status in [0, -1, -5, 7, i64::MIN, i64::MAX] {
        for error in [None, Some(""), Some("a reason"), Some(&long[..])] {
            let head = ReplyHead { id: 1, status, error: error.map(Cow::Borrowed), data: None };
            assert_eq!(ReplyHead::read(SequenceRef::from(&reply_of(&head)[..])), Ok(head));
        }
    }
}

#[test]
fn reading_copies_nothing() {
    let bytes = [bytes_of(&call(7, "service", "method", Some(100_000))), vec![7; 100_000]].concat();
    let before = meter::thread();
    let head = CallHead::read(SequenceRef::from(&bytes[..])).unwrap();
    assert!(matches!((head.service, head.method), (Cow::Borrowed(_), Cow::Borrowed(_))));
    assert_eq!(meter::thread() - before, meter::thread() - meter::thread());
}

#[test]
fn t18_lengths_that_nothing_stands_behind_are_refused() {
    let refused = |bytes: &[u8], id| {
        let read = CallHead::read(SequenceRef::from(bytes));
        assert_eq!(read, Err(Malformed { id }), "{bytes:?}");
        let read = ReplyHead::read(SequenceRef::from(bytes));
        assert!(read.is_err(), "{bytes:?}");
    };
    refused(b"\x94\x07\xdb\xff\xff\xff\xffx", Some(7));
    refused(b"\x94\x07\xa0\xa0\xc6\xff\xff\xff\xffx", Some(7));
    refused(b"\x94\x07\xa0\xa0\xc4\x02x", Some(7));
    refused(b"\xdd\xff\xff\xff\xff\x07", None);
    refused(b"\x94\xcf\0\0\0\x01\0\0\0\0\xa0\xa0\xc0", None);
    refused(b"\x94\xff\xa0\xa0\xc0", None);
    refused(b"", None);
}

#[test]
fn t20_a_million_levels_of_nesting_are_an_error_on_a_small_stack() {
    let small = std::thread::Builder::new().stack_size(64 << 10);
    let read = || {
        for nest in [0x91, 0x94, 0x81] {
            let deep = vec![nest; 1_000_000];
            for front in [&b""[..], b"\x94", b"\x94\x07", b"\x94\x07\xa0", b"\x94\x07\xa0\xa0"] {
                let bytes = [front, &deep].concat();
                assert!(CallHead::read(SequenceRef::from(&bytes[..])).is_err());
                assert!(ReplyHead::read(SequenceRef::from(&bytes[..])).is_err());
            }
        }
    };
    small.spawn(read).unwrap().join().unwrap();
}

#[test]
fn t22_what_stands_behind_the_envelope_makes_it_none() {
    for envelope in [&b"\x94\x07\xa0\xa0\xc0"[..], b"\x94\x07\xa0\xa0\xc4\x02hi"] {
        assert!(CallHead::read(SequenceRef::from(envelope)).is_ok());
        for more in [&b"\0"[..], b"\xc0", envelope] {
            let bytes = [envelope, more].concat();
            let read = CallHead::read(SequenceRef::from(&bytes[..]));
            assert_eq!(read, Err(Malformed { id: Some(7) }));
        }
        for at in 0..envelope.len() {
            assert!(CallHead::read(SequenceRef::from(&envelope[..at])).is_err(), "cut at {at}");
        }
    }
}
