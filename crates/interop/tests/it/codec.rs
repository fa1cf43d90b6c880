//! tokio-util: codecs, streams and readers.

use crate::{lies_in, numbered};
use aqueduct::{
    FramedReader, FramedWriter, Framing, Options, Prefix, Reader, Slice, Writer, meter, pipe,
};
use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt, stream};
use std::io;
use tokio::io::{AsyncBufReadExt, AsyncReadExt};
use tokio_util::{
    codec::{Decoder, Encoder, FramedRead, LengthDelimitedCodec},
    io::{ReaderStream, StreamReader},
};

/// Frames of tokio-util's, as slices on the memory that they were read into.
struct Frames(LengthDelimitedCodec);

impl Decoder for Frames {
    type Item = Slice;
    type Error = io::Error;

    fn decode(&mut self, from: &mut BytesMut) -> io::Result<Option<Slice>> {
        Ok(self.0.decode(from)?.map(|frame| Slice::from(frame.freeze())))
    }
}

/// And slices as frames: into one buffer, so each is copied.
impl Encoder<Slice> for Frames {
    type Error = io::Error;

    fn encode(&mut self, frame: Slice, to: &mut BytesMut) -> io::Result<()> {
        meter::count_copy(frame.len()); // tokio-util's copy, which the meter does not see
        self.0.encode(Bytes::from(frame), to)
    }
}

fn frames() -> [Slice; 3] {
    [100, 3000, 40].map(numbered)
}

/// Frames behind their lengths, in one piece.
fn wire() -> Vec<u8> {
    let mut wire = Vec::new();
    for frame in frames() {
        wire.extend(u32::try_from(frame.len()).unwrap().to_be_bytes());
        wire.extend(&frame);
    }
    wire
}

/// A pipe with these bytes in it, that has ended.
fn piped(bytes: impl Into<Slice>) -> Reader {
    let (mut writer, reader) = pipe(Options::default());
    writer.push(bytes.into()).unwrap();
    writer.finish();
    reader
}

#[tokio::test]
async fn a_codec_s_frames_become_slices_for_nothing() {
    let wire = wire(); // stands for a socket: the system reads into the codec's buffer
    let mut received = FramedRead::new(&wire[..], Frames(LengthDelimitedCodec::new()));
    let before = meter::thread();
    let mut blocks = Vec::new();
    for expected in frames() {
        let frame = received.next().await.unwrap().unwrap();
        assert_eq!(frame, expected);
        blocks.push(frame);
    }
    assert!(received.next().await.is_none());
    assert_eq!((meter::thread() - before).bytes, 0);

    // By address: decoded from a buffer that is known.
    let mut buffer = BytesMut::from(&wire[..]);
    let range = buffer.as_ptr_range();
    let frame = Frames(LengthDelimitedCodec::new()).decode(&mut buffer).unwrap().unwrap();
    assert_eq!(frame.as_ptr(), range.start.wrapping_add(4));
}

/// The exception: a frame that does not fit behind the one before is moved when its buffer grows, which the
/// meter does not see.
#[test]
fn a_codec_moves_the_beginning_of_a_frame_when_its_buffer_grows() {
    let wire = wire();
    let mut codec = Frames(LengthDelimitedCodec::new());
    let mut buffer = BytesMut::from(&wire[..1000]); // a frame, and a part of the next
    let block = buffer.as_ptr_range();
    let first = codec.decode(&mut buffer).unwrap().unwrap();
    assert!(block.contains(&first.as_ptr()));
    assert!(codec.decode(&mut buffer).unwrap().is_none());
    assert!(!block.contains(&buffer.as_ptr()));
    buffer.extend_from_slice(&wire[1000..]);
    assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), frames()[1]);
}

#[tokio::test]
async fn a_codec_copies_what_it_encodes_and_a_pipe_does_not() {
    let frame = numbered(5000);
    let before = meter::thread();
    let mut buffer = BytesMut::new();
    Frames(LengthDelimitedCodec::new()).encode(frame.clone(), &mut buffer).unwrap();
    assert_eq!((meter::thread() - before).bytes, 5000);
    assert!(!lies_in(&buffer[4..], &frame));

    let before = meter::thread();
    let (writer, mut reader) = pipe(Options::default());
    let framing = Framing::prefixed(Prefix::U32Be, 1 << 20).unwrap();
    let mut sent = FramedWriter::new(writer, framing).unwrap();
    sent.push(frame.clone()).unwrap();
    sent.flush().await.unwrap();
    let view = reader.read().await.unwrap().into_view();
    assert_eq!(view.seq(), &buffer[..]);
    assert_eq!(view.seq().segments().last().unwrap().as_ptr(), frame.as_ptr());
    assert_eq!((meter::thread() - before).bytes, 0);
}

#[tokio::test]
async fn a_codec_over_a_pipe_copies_and_a_framed_reader_does_not() {
    let wire = Slice::from(wire());
    let before = meter::thread();
    let mut copied = FramedRead::new(piped(wire.clone()), Frames(LengthDelimitedCodec::new()));
    for expected in frames() {
        let frame = copied.next().await.unwrap().unwrap();
        assert_eq!(frame, expected);
        assert!(!lies_in(&frame, &wire));
    }
    assert_eq!((meter::thread() - before).bytes, wire.len() as u64);

    let before = meter::thread();
    let framing = Framing::prefixed(Prefix::U32Be, 1 << 20).unwrap();
    let mut shared = FramedReader::new(piped(wire.clone()), framing).unwrap();
    for expected in frames() {
        let frame = shared.next().await.unwrap().unwrap().into_slice();
        assert_eq!(frame, expected);
        assert!(lies_in(&frame, &wire));
    }
    assert_eq!((meter::thread() - before).bytes, 0);
}

#[tokio::test]
async fn a_stream_of_slices_is_read_where_they_lie() {
    let pieces = [numbered(3000), numbered(500)];
    let mut reader = StreamReader::new(stream::iter(pieces.clone().map(io::Result::Ok)));
    let before = meter::thread();
    for piece in &pieces {
        assert_eq!(reader.fill_buf().await.unwrap().as_ptr(), piece.as_ptr());
        reader.consume(piece.len());
    }
    assert!(reader.fill_buf().await.unwrap().is_empty());
    assert_eq!((meter::thread() - before).bytes, 0);

    // Into a pipe as it is: by its sink.
    let (mut writer, mut reader): (Writer, Reader) = pipe(Options::default());
    let before = meter::thread();
    let mut slices = stream::iter(pieces.clone()).map(Ok);
    writer.send_all(&mut slices).await.unwrap();
    let mut view = reader.read().await.unwrap().into_view();
    assert!(
        view.take(3500)
            .into_iter()
            .map(|slice| slice.as_ptr())
            .eq(pieces.iter().map(|p| p.as_ptr()))
    );
    assert_eq!((meter::thread() - before).bytes, 0);

    // `fill_from` reads by `AsyncRead`, which copies each into the pipe's own block.
    let (mut writer, mut reader): (Writer, Reader) = pipe(Options::default());
    let mut from = StreamReader::new(stream::iter(pieces.clone().map(io::Result::Ok)));
    while writer.fill_from(&mut from).await.unwrap() > 0 {}
    writer.finish();
    let view = reader.read().await.unwrap().into_view();
    assert_eq!(view.seq(), pieces.concat());
    for segment in view.seq().segments() {
        assert!(pieces.iter().all(|piece| !lies_in(segment, piece)));
    }
}

#[tokio::test]
async fn a_reader_stream_copies_and_the_reader_itself_is_a_stream() {
    let body = numbered(3000);
    let before = meter::thread();
    let mut copied = ReaderStream::new(piped(body.clone()));
    let chunk = copied.next().await.unwrap().unwrap();
    assert_eq!(chunk, body[..]);
    assert!(!lies_in(&chunk, &body));
    assert_eq!((meter::thread() - before).bytes, 3000);

    let before = meter::thread();
    let mut shared = piped(body.clone());
    let chunk: Slice = shared.next().await.unwrap().unwrap();
    assert_eq!((chunk.as_ptr(), chunk.len()), (body.as_ptr(), body.len()));
    assert!(shared.next().await.is_none());
    assert_eq!((meter::thread() - before).bytes, 0);

    // As tokio's reader it lends its memory, and copies into the caller's.
    let mut lent = piped(body.clone());
    assert_eq!(lent.fill_buf().await.unwrap().as_ptr(), body.as_ptr());
    let before = meter::thread();
    let mut own = [0; 100];
    lent.read_exact(&mut own).await.unwrap();
    assert_eq!((meter::thread() - before).bytes, 100);
}
