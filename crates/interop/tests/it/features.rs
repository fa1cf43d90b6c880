//! The features of the library, by the traits that they bring to the one crate that has all parts.

use aqueduct::{Duplex, Reader, Sequence, SequenceReader, Slice, SliceMut, Str, Writer};
use bytes::{Buf, BufMut, Bytes};

#[test]
fn bytes_go_both_ways() {
    fn both<T: Into<Bytes> + From<Bytes> + Buf>() {}
    fn buf<T: Buf>() {}
    fn buf_mut<T: BufMut>() {}
    both::<Slice>();
    buf::<SliceMut>();
    buf::<Sequence>();
    buf::<SequenceReader<'_>>();
    buf_mut::<SliceMut>();
    let theirs = Bytes::from(vec![7; 100]);
    assert_eq!(Sequence::from(theirs.clone()).as_ref().first().as_ptr(), theirs.as_ptr());
}

#[test]
fn slices_are_serialised() {
    fn serde<T: serde::Serialize + serde::de::DeserializeOwned>() {}
    serde::<Slice>();
    serde::<SliceMut>();
    serde::<Str>();
}

#[test]
fn halves_are_readers_and_writers() {
    fn tokio_reader<T: tokio::io::AsyncRead + tokio::io::AsyncBufRead>() {}
    fn tokio_writer<T: tokio::io::AsyncWrite>() {}
    fn futures_reader<T: futures_io::AsyncRead + futures_io::AsyncBufRead>() {}
    fn futures_writer<T: futures_io::AsyncWrite>() {}
    tokio_reader::<Reader>();
    tokio_writer::<Writer>();
    futures_reader::<Reader>();
    futures_writer::<Writer>();
    tokio_reader::<Duplex>();
    tokio_writer::<Duplex>();
    futures_reader::<Duplex>();
    futures_writer::<Duplex>();
}

#[test]
fn a_sequence_is_a_body_as_axum_wants_it() {
    fn body<T: hyper::body::Body<Data = Bytes, Error = std::convert::Infallible>>() {}
    body::<Sequence>();
}
