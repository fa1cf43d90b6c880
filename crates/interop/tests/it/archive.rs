//! rkyv: archives written into blocks and read in slices.

use crate::{lies_in, spent};
use aqueduct::{Pool, Slice, SliceMut};
use rkyv::{
    Archive, Deserialize, Serialize,
    api::high::to_bytes_in,
    rancor::Error,
    ser::writer::{Buffer, IoWriter},
};

#[derive(Debug, PartialEq, Archive, Serialize, Deserialize)]
struct Book {
    symbol: String,
    bids: Vec<u64>,
    body: Vec<u8>,
}

fn book() -> Book {
    Book {
        symbol: "a symbol that is longer than rkyv inlines".to_owned(),
        bids: (0..100).collect(),
        body: vec![7; 3000],
    }
}

/// Archives where the value is to lie: in the room of a block, which is an error when it is too small.
fn archive(book: &Book, mut block: SliceMut) -> Result<Slice, Error> {
    let written = to_bytes_in::<_, Error>(book, Buffer::from(block.spare_mut()))?.len();
    block.commit(written);
    Ok(block.freeze())
}

/// The archive in `bytes`, validated and not copied. An error, too, if it is not aligned.
fn archived(bytes: &[u8]) -> Result<&ArchivedBook, Error> {
    rkyv::access(bytes)
}

#[test]
fn an_archive_is_written_into_a_block_and_read_there() {
    let book = book();
    let block = Pool::global().get(8192); // begins at a multiple of 64
    let address = block.as_ptr();
    let (bytes, used) = spent(|| archive(&book, block).unwrap());
    assert_eq!((bytes.as_ptr(), used.bytes), (address, 0));

    let (seen, used) = spent(|| archived(&bytes).unwrap());
    assert_eq!(used.bytes, 0);
    assert_eq!(seen.symbol, book.symbol);
    assert!(seen.bids.iter().zip(&book.bids).all(|(a, b)| a.to_native() == *b));
    assert!(lies_in(&seen.body, &bytes) && lies_in(seen.symbol.as_bytes(), &bytes));

    // A field as a handle of its own, on the same block.
    let body = bytes.slice_ref(&seen.body);
    drop(bytes);
    assert_eq!(body, book.body[..]);
    assert!(body.is_unique());
}

#[test]
fn a_writer_grows_and_counts() {
    let book = book();
    let exact = archive(&book, Pool::global().get(8192)).unwrap();
    let write = |block| to_bytes_in::<_, Error>(&book, IoWriter::new(block)).unwrap().into_inner();

    // `SliceMut` is `io::Write`: what rkyv writes is counted, once where the room was enough.
    let (bytes, used) = spent(|| write(Pool::global().get(8192)).freeze());
    assert_eq!((&bytes, used.bytes), (&exact, bytes.len() as u64));
    archived(&bytes).unwrap();
    // And where it grows, into a block of the same pool, its data moves.
    let (bytes, used) = spent(|| write(Pool::global().get(256)).freeze());
    assert_eq!(bytes, exact);
    assert!(used.bytes > bytes.len() as u64);
    archived(&bytes).unwrap();
}

#[test]
fn too_little_room_is_an_error() {
    let small = Pool::global().get(256);
    assert!(small.capacity() < 3000);
    archive(&book(), small).unwrap_err();
}

#[test]
fn what_is_not_aligned_or_damaged_is_an_error() {
    let bytes = archive(&book(), Pool::global().get(8192)).unwrap();
    for by in 1..=8 {
        let mut block = Pool::global().get(8192);
        block.resize(by, 0);
        block.extend_from_slice(&bytes);
        let moved = block.freeze().slice_shared(by..);
        assert_eq!(archived(&moved).is_ok(), by == 8, "moved by {by}");
    }
    for len in [0, 1, 7, 8, bytes.len() - 8] {
        assert!(archived(&bytes[..len]).is_err(), "{len} of {}", bytes.len());
    }
    let at = bytes.len() - 8;
    let mut damaged = SliceMut::from_iter(bytes.iter().copied());
    damaged[at..].fill(0xff);
    assert!(archived(&damaged).is_err());
}
