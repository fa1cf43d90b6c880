//! A pipe that is full: who writes waits, unless the reader keeps everything it has looked at.

use super::{doubles::Source, is_interrupt, now, take_all, waits, woken_by};
use crate::common::flush;
use aqueduct_pipe::{
    Blocking, FramedWriter, Framing, Options, PipeErrorKind, Reader, Writer, pipe,
};
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use futures_sink::Sink;
use std::future::poll_fn;
use std::io::{ErrorKind, Read as _, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::AsyncWriteExt;

/// A pipe that never pauses, and holds a thousand bytes.
fn limited() -> (Writer, Reader) {
    pipe(Options::builder().pause(0).max_buffered(1000).build().unwrap())
}

/// One that is full.
fn full() -> (Writer, Reader) {
    let (mut writer, reader) = limited();
    flush(&mut writer, &[1; 1000]);
    (writer, reader)
}

fn consume(reader: &mut Reader, count: usize) {
    reader.try_read().unwrap().unwrap().into_view().consume(count);
}

async fn ready(writer: &mut Writer) -> Result<(), PipeErrorKind> {
    let mut sink = Pin::new(writer);
    let ready = poll_fn(|context| Sink::<Slice>::poll_ready(sink.as_mut(), context)).await;
    ready.map_err(|refused| refused.kind().clone())
}

fn send(writer: &mut Writer, slice: impl Into<Slice>) {
    Pin::new(writer).start_send(slice.into()).expect("it was ready");
}

/// `Sink`: "until `poll_ready` gives `Ready(Ok(()))`" is the only thing that a sender can wait for.
#[test]
fn a_sink_that_said_it_is_ready_takes_a_slice_that_the_pipe_can_hold() {
    let options = Options::builder().max_buffered(1000).build().unwrap();
    let (mut writer, _reader) = pipe(options);
    let mut context = Context::from_waker(std::task::Waker::noop());
    let mut sink: Pin<&mut Writer> = Pin::new(&mut writer);
    for _ in 0..2 {
        match Sink::<Slice>::poll_ready(sink.as_mut(), &mut context) {
            Poll::Ready(ready) => ready.unwrap(),
            Poll::Pending => return, // until there is room
        }
        sink.as_mut().start_send(Slice::from(vec![1; 600])).expect("it was ready");
    }
}

#[test]
fn a_sink_takes_a_slice_whole_and_waits_until_the_pipe_is_below_its_limit() {
    let (mut writer, mut reader) = limited();
    for (len, ahead) in [(600, 0), (900, 600), (20, 999), (5000, 0)] {
        assert!(!flush(&mut writer, &pattern(ahead, 1)));
        now(ready(&mut writer)).unwrap();
        let slice = Slice::from(pattern(len, 2));
        send(&mut writer, slice.clone());
        assert_eq!(writer.unflushed(), len as u64);
        assert!(writer.write(&[1; 1000]).is_err(), "for others the limit is what it was");
        assert!(writer.reserve(600).is_err());
        now(poll_fn(|context| Sink::<Slice>::poll_flush(Pin::new(&mut writer), context))).unwrap();
        if ahead + len > 1000 {
            let over = woken_by(ready(&mut writer), || consume(&mut reader, ahead + len - 1000));
            assert!(over.is_pending(), "{len}");
            let done = woken_by(ready(&mut writer), || consume(&mut reader, 1));
            assert!(matches!(done, Poll::Ready(Ok(()))), "{len}");
        }
        let left = take_all(&mut reader);
        let all = [&pattern(ahead, 1)[..], &slice].concat();
        assert_eq!(left, all[all.len() - left.len()..], "{len}");
    }
    assert_eq!(writer.stats().peak, 5000);
}

#[test]
fn who_writes_to_a_full_pipe_waits_for_room() {
    let (mut writer, mut reader) = full();
    let done = woken_by(ready(&mut writer), || consume(&mut reader, 1));
    assert!(matches!(done, Poll::Ready(Ok(()))));

    let (mut writer, mut reader) = full();
    let parts = vec![2; 30];
    let done = woken_by(AsyncWriteExt::write(&mut writer, &parts), || consume(&mut reader, 10));
    assert!(matches!(done, Poll::Ready(Ok(10))), "{done:?}");

    let (mut writer, mut reader) = full();
    let mut source = Source::new(&parts, []);
    let done = woken_by(writer.fill_from(&mut source), || consume(&mut reader, 10));
    assert!(matches!(done, Poll::Ready(Ok(10))), "{done:?}");

    let (mut writer, mut reader) = full();
    let mut from = Reader::from(Sequence::from(parts.clone()));
    let done = woken_by(from.copy_to(&mut writer), || consume(&mut reader, 30));
    assert!(matches!(done, Poll::Ready(Ok(30))), "{done:?}");
}

#[test]
fn a_wait_for_room_ends_with_an_interrupt_and_with_the_reader() {
    let (mut writer, reader) = full();
    let interrupter = writer.interrupter();
    let done = woken_by(ready(&mut writer), || interrupter.interrupt());
    assert!(matches!(done, Poll::Ready(Err(PipeErrorKind::Interrupted))));
    let done = woken_by(ready(&mut writer), || drop(reader));
    assert!(matches!(done, Poll::Ready(Err(PipeErrorKind::Closed))));
}

/// Else both would wait for ever.
#[test]
fn a_pipe_is_full_for_who_writes_when_the_reader_keeps_all_and_wants_more() {
    let (mut writer, mut reader) = full();
    let looked = || {
        reader.try_read().unwrap().unwrap().into_view().need_more(0);
    };
    let done = woken_by(ready(&mut writer), looked);
    assert!(matches!(done, Poll::Ready(Err(PipeErrorKind::Full { asked: 1001, limit: 1000 }))));
    let refused = now(AsyncWriteExt::write(&mut writer, b"x")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);
    let refused = Blocking(writer).write(b"x").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::QuotaExceeded);

    let (mut writer, mut reader) = full();
    consume(&mut reader, 1);
    waits(reader.read_at_least(1000)); // all of it is wanted, and one more
    writer.write(b"x").unwrap();
    waits(ready(&mut writer)); // which it has now
    assert_eq!(now(reader.read_at_least(1000)).unwrap().into_view().len(), 1000);
}

/// "Sleeps while the reader has enough": an interrupt ends one sleep, and is no error.
#[test]
fn a_std_writer_whose_sleep_was_interrupted_waits_for_room_next() {
    let options = Options::builder().pause(1000).max_buffered(1000).build().unwrap();
    let (writer, reader) = pipe(options);
    writer.interrupter().interrupt();
    let mut writer = Blocking(writer);
    assert_eq!(writer.write(&[1; 1000]).unwrap(), 1000);
    let reading = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let mut all = Vec::new();
        Blocking(reader).read_to_end(&mut all).map(|_| all.len())
    });
    let written = writer.write(&[2; 10]);
    writer.0.finish();
    assert_eq!(written.expect("the reader makes room"), 10);
    assert_eq!(reading.join().unwrap().unwrap(), 1010);
}

#[test]
fn a_std_writer_that_waits_for_room_can_be_interrupted() {
    let (writer, mut reader) = full();
    let interrupter = writer.interrupter();
    let mut writer = Blocking(writer);
    interrupter.interrupt();
    let refused = writer.write(b"x").unwrap_err();
    assert!(is_interrupt(&refused));
    assert_ne!(refused.kind(), ErrorKind::Interrupted, "or it would be repeated");
    consume(&mut reader, 1);
    assert_eq!(writer.write(b"xyz").unwrap(), 1);
}

#[test]
fn a_framed_writer_waits_for_room_and_lets_go() {
    let (options, pool) = super::pooled();
    let (writer, mut reader) = pipe(options.pause(0).max_buffered(1000).build().unwrap());
    let framing = Framing::prefixed(Prefix::U16Be, 900).unwrap();
    let mut writer = FramedWriter::new(writer, framing).unwrap();
    writer.write(&[1; 900]).unwrap();
    writer.write(&[2; 900]).unwrap_err();
    let _ = now(writer.flush()).unwrap();
    let done = woken_by(writer.drained(), || consume(&mut reader, 902));
    assert!(matches!(done, Poll::Ready(Ok(_))));
    writer.write(&[2; 900]).unwrap();
    let _ = now(writer.flush()).unwrap();
    consume(&mut reader, 902);
    writer.release();
    waits(reader.read());
    assert_eq!(pool.outstanding(), 0);
    let done = woken_by(writer.closed(), || drop(reader));
    assert!(done.is_ready());
}
