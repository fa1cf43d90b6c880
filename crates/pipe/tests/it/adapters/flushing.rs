//! When a sink is flushed that a pipe is drained into.

use super::{
    doubles::{Act, Sink},
    is_interrupt, now, waits, woken_by,
};
use aqueduct_pipe::{Options, Reader, Writer, pipe};
use std::io::ErrorKind;
use std::task::Poll;

fn with(bytes: &[u8]) -> (Writer, Reader) {
    let (mut writer, reader) = pipe(Options::default());
    writer.write(bytes).unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    (writer, reader)
}

fn flushing(script: impl IntoIterator<Item = Act>) -> Sink {
    Sink { flushing: script.into_iter().collect(), ..Sink::default() }
}

#[test]
fn an_interrupt_ends_a_drain_whose_sink_still_flushes_at_the_end() {
    let (writer, mut reader) = pipe(Options::default());
    let mut sink = flushing([Act::Wait]);
    let interrupter = reader.interrupter();
    writer.finish();
    let done = woken_by(reader.drain_to(&mut sink), || interrupter.interrupt());
    assert!(matches!(done, Poll::Ready(Err(e)) if is_interrupt(&e)));
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 0, "and the same call goes on");
}

#[test]
fn a_sink_is_flushed_before_a_drain_ends_with_the_writers_error() {
    let (writer, mut reader) = with(b"all of it");
    let mut sink = flushing([Act::Wait]);
    drop(writer);
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 9);
    waits(reader.drain_to(&mut sink));
    let refused = now(reader.drain_to(&mut sink)).unwrap_err();
    assert_eq!((refused.kind(), sink.flushed), (ErrorKind::UnexpectedEof, 9));
}

#[test]
fn a_flush_of_a_sink_that_the_system_interrupted_is_repeated() {
    let (writer, mut reader) = with(b"some");
    let mut sink = flushing([Act::Fail(ErrorKind::Interrupted)]);
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 4);
    waits(reader.drain_to(&mut sink)); // and wakes itself
    waits(reader.drain_to(&mut sink)); // the pipe has nothing for it
    assert_eq!(sink.flushed, 4);

    writer.finish();
    sink.flushing.push_back(Act::Fail(ErrorKind::Interrupted));
    waits(reader.drain_to(&mut sink));
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 0);
}
