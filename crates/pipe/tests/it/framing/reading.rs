//! What framed reading does with good streams and bad ones.

use std::task::{Context, Poll, Waker};

use aqueduct_base::meter;
use aqueduct_pipe::{
    Frame, FrameError, FrameFault, FramedReader, Framing, Options, PipeErrorKind, pipe,
};
use aqueduct_sequence::{Prefix, SequenceRef};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;

use super::machine::left;
use super::{all, be4, flush, framed, full};

#[test]
fn a_frame_in_one_segment_is_a_slice_and_is_not_copied() {
    let (mut writer, reader) = pipe(Options::default());
    let block = Slice::from(pattern(4096, 1));
    writer.write(&4096_u32.to_be_bytes()).expect("room");
    writer.push(block.clone()).expect("room");
    flush(&mut writer);
    let before = meter::thread();
    let mut reader = framed(reader, be4(4096));
    let Ok(Some(Frame::Slice(frame))) = reader.next_blocking() else { panic!("one segment") };
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!(frame.as_ptr(), block.as_ptr(), "the very bytes that were pushed");
    assert_eq!(frame.len(), block.len());
}

#[test]
fn a_frame_in_several_segments_is_a_sequence_and_is_not_copied() {
    let (mut writer, reader) = pipe(Options::default());
    let (first, second) = (Slice::from(pattern(3000, 1)), Slice::from(pattern(1096, 2)));
    writer.write(&4096_u32.to_be_bytes()).expect("room");
    writer.push(first.clone()).expect("room");
    writer.push(second.clone()).expect("room");
    flush(&mut writer);
    let before = meter::thread();
    let mut reader = framed(reader, be4(4096));
    let Ok(Some(Frame::Sequence(frame))) = reader.next_blocking() else { panic!("two segments") };
    assert_eq!((meter::thread() - before).bytes, 0);
    let parts: Vec<*const u8> = frame.as_ref().segments().map(<[u8]>::as_ptr).collect();
    assert_eq!(parts, [first.as_ptr(), second.as_ptr()]);
}

#[test]
fn frames_that_are_lent_are_neither_copied_nor_held() {
    let (mut writer, reader) = pipe(Options::default());
    let block = Slice::from(pattern(2000, 1));
    let mut reader = framed(reader, be4(4096));
    for _ in 0..3 {
        writer.write(&2000_u32.to_be_bytes()).expect("room");
        writer.push(block.clone()).expect("room");
    }
    writer.finish();
    let before = meter::thread();
    let mut count = 0;
    while let Some(frame) = reader.lend_blocking().expect("sound") {
        assert_eq!(frame.first().as_ptr(), block.as_ptr());
        count += 1;
    }
    assert_eq!((count, (meter::thread() - before).bytes), (3, 0));
    assert!(block.is_unique(), "the pipe let go of every handle");
}

/// A borrowed frame leaves the function that waited for it, out of a loop.
async fn first_of_at_least(
    reader: &mut FramedReader,
    least: usize,
) -> Result<Option<SequenceRef<'_>>, FrameError> {
    while reader.lend().await?.is_some_and(|frame| frame.len() < least) {}
    Ok(reader.lent())
}

#[test]
fn a_borrowed_frame_can_be_returned_out_of_a_loop_and_held_over_an_await() {
    fn sent<F: Future + Send>(future: F) -> F {
        future
    }
    let framing = Framing::prefixed(Prefix::U8, 100).expect("a rule");
    let mut reader = framed(full(b"\x01a\x02bb\x04cccc\x01d"), framing);
    let read = sent(async {
        let frame = first_of_at_least(&mut reader, 3).await.expect("sound").expect("there is one");
        std::future::ready(()).await;
        frame == b"cccc"
    });
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(std::pin::pin!(read).poll(&mut context), Poll::Ready(true));
    assert_eq!(reader.next_blocking().expect("sound").expect("a frame").as_ref(), b"d");
    assert!(reader.lend_blocking().expect("sound").is_none() && reader.lent().is_none());
}

#[test]
fn the_length_is_the_frames_own_and_not_one_prefix_more_or_less() {
    // Two frames back to back, and each byte of the second arrives alone.
    let stream = [&[0, 0, 0, 5][..], b"hello", &[0, 0, 0, 2], b"ok"].concat();
    let (mut writer, reader) = pipe(Options::default());
    let mut reader = framed(reader, be4(100));
    let mut seen = Vec::new();
    for (i, byte) in stream.iter().enumerate() {
        writer.write(&[*byte]).expect("room");
        flush(&mut writer);
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(frame) = reader.poll_next(&mut context) {
            let frame = frame.expect("sound").expect("no end yet");
            seen.push((i, frame.into_slice().to_vec()));
        }
    }
    assert_eq!(seen, [(8, b"hello".to_vec()), (14, b"ok".to_vec())]);
}

#[test]
fn the_last_line_without_its_end_is_an_error_and_can_be_had() {
    let framing = Framing::delimited(b"\n", 100).expect("a rule");
    let mut reader = framed(full(b"one\n\ntwo"), framing);
    let (frames, error) = all(&mut reader);
    assert_eq!(frames, [b"one".to_vec(), vec![]]);
    let error = error.expect("no end of line");
    assert_eq!(error.at(), 5);
    assert!(matches!(error.fault(), FrameFault::UnexpectedEof { have: 3, need: 4 }));
    assert_eq!(left(reader.into_inner()), b"two");
}

#[test]
fn frames_come_before_the_writers_error() {
    let (mut writer, reader) = pipe(Options::default());
    writer.write(b"\x01a\x01b\x05cut").expect("room");
    flush(&mut writer);
    writer.fail("the source broke");
    let framing = Framing::prefixed(Prefix::U8, 100).expect("a rule");
    let (frames, error) = all(&mut framed(reader, framing));
    assert_eq!(frames, [b"a", b"b"]);
    let error = error.expect("the writer failed");
    assert_eq!(error.at(), 4);
    assert!(error.to_string().contains("the source broke"), "{error}");
    assert!(matches!(error.fault(), FrameFault::Pipe(_)));
}

#[test]
fn a_writer_that_is_dropped_is_no_end_of_frames() {
    let (writer, reader) = pipe(Options::default());
    drop(writer);
    let (frames, error) = all(&mut framed(reader, be4(100)));
    assert!(frames.is_empty());
    let error = error.expect("no end");
    let FrameFault::Pipe(error) = error.fault() else { panic!("{error}") };
    assert!(matches!(error.kind(), PipeErrorKind::Closed));
}

#[test]
fn into_inner_goes_on_where_the_next_frame_begins() {
    let framing = Framing::prefixed(Prefix::U8, 100).expect("a rule");
    let mut reader = framed(full(b"\x01a\x01b\x01crest"), framing);
    assert_eq!(reader.next_blocking().expect("sound").expect("a frame").as_ref(), b"a");
    assert_eq!(reader.lend_blocking().expect("sound").expect("a frame"), b"b");
    assert_eq!(reader.position(), 2, "the lent one is still the next");
    assert_eq!(left(reader.into_inner()), b"\x01crest");
}
