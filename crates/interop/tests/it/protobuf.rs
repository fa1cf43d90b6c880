//! prost: fields of bytes decoded as handles on what was received.

use crate::{lies_in, numbered, spent};
use aqueduct::{Pool, Sequence, Slice, Str};
use bytes::Bytes;
use prost::{
    Message,
    encoding::{WireType, encode_key, encode_varint},
};

#[derive(Clone, PartialEq, Message)]
struct Upload {
    #[prost(bytes = "bytes", tag = "1")]
    name: Bytes,
    #[prost(uint64, tag = "2")]
    modified: u64,
    #[prost(message, repeated, tag = "3")]
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Message)]
struct Part {
    #[prost(bytes = "bytes", tag = "1")]
    body: Bytes,
}

fn upload() -> Upload {
    let name = Bytes::from_static(b"a name of more than twenty-three bytes");
    let parts = [3000, 40, 0, 70_000].map(|len| Part { body: numbered(len).into() });
    Upload { name, modified: 1 << 40, parts: parts.to_vec() }
}

/// As it comes from a socket: in a block of the pool.
fn received(upload: &impl Message) -> Slice {
    let mut block = Pool::global().get(upload.encoded_len());
    upload.encode(&mut block).unwrap();
    block.freeze()
}

#[test]
fn fields_of_bytes_lie_in_what_was_received() {
    let sent = upload();
    let message = received(&sent);
    let (decoded, spent) = spent(|| Upload::decode(message.clone()).unwrap());
    assert_eq!(decoded, sent);
    assert_eq!(spent.bytes, 0);
    for part in &decoded.parts {
        assert!(part.body.is_empty() || lies_in(&part.body, &message));
    }

    let body: Slice = decoded.parts[0].body.clone().into();
    assert!(lies_in(&body, &message));
    let name = Str::from_utf8(decoded.name.into()).unwrap(); // looked at once, not copied
    assert!(lies_in(name.as_bytes(), &message));
}

#[test]
fn a_short_field_is_moved() {
    let sent = Upload { name: Bytes::from_static(b"short"), ..Upload::default() };
    let message = received(&sent);
    let (decoded, spent) = spent(|| Upload::decode(message.clone()).unwrap());
    assert_eq!(decoded, sent);
    assert!(spent.bytes == 0 && spent.inlined > 0);
    drop(decoded.name);
    assert!(message.is_unique());
}

#[test]
fn a_field_across_two_segments_is_copied_and_counted() {
    let sent = upload();
    let message = received(&sent);
    let body = message.len() - 70_000;
    // Cut in the last body, and so that the others lie in one segment each.
    let cut =
        Sequence::from_iter([message.slice(..body + 1000), message.slice(body + 1000..).detach()]);
    let (decoded, spent) = spent(|| Upload::decode(cut.clone()).unwrap());
    assert_eq!(decoded, sent);
    assert_eq!(spent.bytes, 70_000);
    assert!(lies_in(&decoded.parts[0].body, &message));
    assert!(!lies_in(&decoded.parts[3].body, &message));
}

#[derive(Clone, PartialEq, Message)]
struct Copied {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    body: Vec<u8>,
}

/// Other types of fields own their bytes: prost copies them, which the meter does not see.
#[test]
fn a_string_and_a_vector_are_copied() {
    let message = received(&Copied { name: "a name".to_owned(), body: numbered(3000).to_vec() });
    let (decoded, spent) = spent(|| Copied::decode(message.clone()).unwrap());
    assert_eq!((&decoded.name[..], spent.bytes), ("a name", 0));
    assert!(decoded.body == numbered(3000)[..]);
    assert!(!lies_in(&decoded.body, &message));
}

#[test]
fn what_is_damaged_is_an_error() {
    let message = received(&upload());
    for len in [1, 20, 60, 5000, message.len() - 1] {
        Upload::decode(message.slice(..len)).unwrap_err();
        let halves = [message.slice(..len / 2), message.slice(len / 2..len).detach()];
        Upload::decode(Sequence::from_iter(halves)).unwrap_err();
    }
}

/// A field of bytes last in a message: its key and its length are encoded, its bytes go along.
fn encode(head: &Upload, tag: u32, body: Slice) -> Sequence {
    let mut block = Pool::global().get(head.encoded_len() + 16);
    head.encode_raw(&mut block);
    encode_key(tag, WireType::LengthDelimited, &mut block);
    encode_varint(body.len() as u64, &mut block);
    Sequence::from_iter([block.freeze(), body])
}

#[test]
fn a_body_is_sent_from_where_it_lies() {
    let head = Upload { modified: 7, ..Upload::default() };
    let part = received(&Upload { parts: Vec::new(), ..upload() });
    // `name` is the last field that is written: fields may stand in any order.
    let (message, spent) = spent(|| encode(&head, 1, part.clone()));
    assert!(spent.bytes < 8, "the head alone: {spent:?}");
    assert_eq!(message.as_ref().segments().last().unwrap().as_ptr(), part.as_ptr());
    let decoded = Upload::decode(message).unwrap();
    assert_eq!(decoded, Upload { name: part.into(), ..head });
}
