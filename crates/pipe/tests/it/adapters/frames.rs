//! Frames as a `Stream` and a `Sink`.

use super::{now, once, waits, woken_by};
use crate::common::flush;
use aqueduct_base::meter;
use aqueduct_pipe::{
    Frame, FrameError, FrameFault, FramedReader, FramedWriter, Framing, Options, OptionsBuilder,
    pipe,
};
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use futures_core::Stream;
use futures_sink::Sink;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

fn framed(options: OptionsBuilder) -> (FramedWriter, FramedReader) {
    let (writer, reader) = pipe(options.build().unwrap());
    let framing = Framing::prefixed(Prefix::U16Be, 900).unwrap();
    let writer = FramedWriter::new(writer, framing.clone()).unwrap();
    (writer, FramedReader::new(reader, framing).unwrap())
}

async fn next(reader: &mut FramedReader) -> Option<Result<Frame, FrameError>> {
    let mut reader = Pin::new(reader);
    poll_fn(|context| Stream::poll_next(reader.as_mut(), context)).await
}

async fn ready(writer: &mut FramedWriter) -> Result<(), FrameError> {
    let mut writer = Pin::new(writer);
    poll_fn(|context| Sink::<Slice>::poll_ready(writer.as_mut(), context)).await
}

fn close(writer: &mut FramedWriter) {
    now(poll_fn(|cx| Sink::<Slice>::poll_close(Pin::new(&mut *writer), cx))).unwrap();
}

#[test]
fn frames_go_through_as_they_are() {
    let (mut writer, mut reader) = framed(Options::builder());
    let (one, two) = (Slice::from(pattern(500, 1)), Slice::from(pattern(300, 2)));
    let before = meter::thread();
    now(ready(&mut writer)).unwrap();
    Pin::new(&mut writer).start_send(one.clone()).unwrap();
    waits(next(&mut reader)); // not flushed
    now(ready(&mut writer)).unwrap();
    Pin::new(&mut writer).start_send(Sequence::from_iter([one.clone(), two])).unwrap();
    now(poll_fn(|cx| Sink::<Slice>::poll_flush(Pin::new(&mut writer), cx))).unwrap();
    let Some(Ok(Frame::Slice(got))) = now(next(&mut reader)) else { panic!("it is one slice") };
    assert_eq!(got.as_ptr(), one.as_ptr());
    // What was read can be sent on.
    let frame = now(next(&mut reader)).unwrap().unwrap();
    now(ready(&mut writer)).unwrap();
    Pin::new(&mut writer).start_send(frame).unwrap();
    close(&mut writer);
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!(now(next(&mut reader)).unwrap().unwrap().len(), 800);
    for _ in 0..2 {
        assert!(now(next(&mut reader)).is_none(), "the end stays");
    }
    let late = Pin::new(&mut writer).start_send(Slice::new()).unwrap_err();
    assert!(matches!(late.fault(), FrameFault::Pipe(_)));
}

#[test]
fn a_stream_of_frames_ends_with_what_cannot_be_read() {
    let (writer, mut reader) = framed(Options::builder());
    let mut writer = writer.into_inner();
    reader.reader().interrupter().interrupt();
    let refused = now(next(&mut reader)).unwrap().unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::Cancelled), "after which it goes on");
    flush(&mut writer, &[0, 1, 7, 255, 255]);
    assert_eq!(now(next(&mut reader)).unwrap().unwrap().as_ref(), [7]);
    let refused = now(next(&mut reader)).unwrap().unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::TooLarge { .. }));
    assert!(now(next(&mut reader)).is_none(), "else who skips errors would loop for ever");
    assert!(reader.next_blocking().is_err());
    assert_eq!(super::take_all(&mut reader.into_inner()), [255, 255]);
}

#[test]
fn a_sink_of_frames_loses_none_in_a_full_pipe() {
    let options = Options::builder().pause(0).max_buffered(1000);
    let (mut writer, mut reader) = framed(options);
    let mut position = 0;
    for len in [900, 0, 900] {
        now(ready(&mut writer)).unwrap();
        Pin::new(&mut writer).start_send(Slice::from(pattern(len, len))).unwrap();
        position += 2 + len as u64;
        assert_eq!(writer.position(), position);
        assert_eq!(now(writer.flush()).unwrap(), aqueduct_pipe::Flush::Done);
    }
    let interrupter = writer.writer().interrupter();
    let done = woken_by(ready(&mut writer), || interrupter.interrupt());
    let Poll::Ready(Err(refused)) = done else { panic!("{done:?}") };
    assert!(matches!(refused.fault(), FrameFault::Cancelled));
    let done = woken_by(ready(&mut writer), || {
        assert_eq!(now(next(&mut reader)).unwrap().unwrap().len(), 900);
    });
    assert!(matches!(done, Poll::Ready(Ok(()))));
    close(&mut writer);
    for len in [0, 900] {
        assert_eq!(now(next(&mut reader)).unwrap().unwrap().as_ref(), &pattern(len, len)[..]);
    }
    assert!(now(next(&mut reader)).is_none());
}

#[test]
fn a_frame_that_is_refused_leaves_the_sink_as_it_was() {
    let (mut writer, mut reader) = framed(Options::builder().pause(0).max_buffered(1000));
    let refused = Pin::new(&mut writer).start_send(vec![1; 901]).unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::TooLarge { .. }));
    assert_eq!((writer.position(), writer.writer().unflushed()), (0, 0));
    writer.write(&[2; 900]).unwrap();
    assert!(writer.write(&[2; 900]).is_err(), "nor is the limit higher than before");
    close(&mut writer);
    assert_eq!(now(next(&mut reader)).unwrap().unwrap().len(), 900);
    assert!(matches!(once(next(&mut reader)), Poll::Ready(None)));
}

/// A frame that is lent goes with the next call, and so does its block.
#[test]
fn an_idle_framed_connection_holds_no_block() {
    let (options, pool) = super::pooled();
    let (mut writer, mut reader) = framed(options);
    writer.write(b"a frame").unwrap();
    assert_eq!(now(writer.flush()).unwrap(), aqueduct_pipe::Flush::Done);
    assert!(now(reader.lend()).unwrap().is_some());
    waits(reader.closed());
    assert!(reader.lent().is_none());
    writer.release();
    waits(reader.next());
    assert_eq!(pool.outstanding(), 0);
    let done = woken_by(writer.closed(), || reader.fail("enough"));
    assert!(done.is_ready());
}
