//! Section L: a pipe that is filled from a byte stream or drained into one.

use super::{
    doubles::{Act, Sink, Source},
    inner, now, pooled, take_all, waits,
};
use aqueduct_pipe::{Options, PipeErrorKind, Read, pipe};
use aqueduct_testkit::{panics, pattern};
use std::{io::ErrorKind, pin::Pin, task::Context, task::Poll, task::Waker};

#[test]
fn case_118_sizes_are_checked_and_streams_only_lent() {
    assert!(Options::builder().segments(4096, 1024).build().is_err());
    let (mut writer, mut reader) = pipe(Options::builder().segments(0, 0).build().unwrap());
    let mut source = Source::new(&pattern(1000, 1), []);
    let mut sink = Sink::new(true, []);
    assert!(now(writer.fill_from(&mut source)).unwrap() > 0);
    assert!(now(reader.drain_to(&mut sink)).unwrap() > 0);
    writer.finish();
    drop(reader);
    assert!(!sink.closed, "neither stream ends with the pipe");
    assert!(!source.bytes.is_empty());
}

/// A read takes what is there, at most the rest of the open segment, and a segment of which so
/// little is left that the call is not worth it is left alone.
#[test]
fn case_119_how_much_a_read_takes() {
    for bytes in [0, 10, 100, 1000, 1023, 1024, 1025, 4096, 8192, 20_000] {
        for segment in [64, 512, 1024, 3000, 4096, 65_536] {
            let options = Options::builder().segments(segment, segment).pause(0).build().unwrap();
            let (mut writer, mut reader) = pipe(options);
            let room = writer.reserve(1).unwrap().len();
            let least = 512.min(segment / 4);
            let mut source = Source::new(&pattern(bytes, segment), []);
            let (mut left, mut spare) = (bytes, room);
            loop {
                if spare < least {
                    // The reads before have shown how much comes each time.
                    spare = *source.rooms.first().unwrap_or(&room);
                }
                let count = now(writer.fill_from(&mut source)).unwrap();
                assert_eq!(*source.rooms.last().unwrap(), spare, "{bytes} by {segment}");
                assert_eq!(count, left.min(spare), "{bytes} by {segment}");
                if count == 0 {
                    break;
                }
                (left, spare) = (left - count, spare - count);
            }
            assert_eq!(take_all(&mut reader), pattern(bytes, segment));
        }
    }
}

#[test]
fn case_120_a_scrap_of_room_is_not_read_into() {
    let (mut writer, mut reader) = pipe(Options::builder().segments(2048, 2048).build().unwrap());
    let room = writer.reserve(1).unwrap().len();
    writer.write(&pattern(room - 100, 1)).unwrap();
    let mut source = Source::new(&pattern(300, 2), []);
    assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 300);
    let Ok(Some(read)) = reader.try_read() else { panic!("there are bytes") };
    let view = read.into_view();
    assert_eq!(view.seq().segment_count(), 2);
    assert_eq!(view.seq().first().len(), room - 100);
}

#[test]
fn case_121_reading_the_pipe_leaves_the_source_alone() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut source = Source::new(b"all", []);
    assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 3);
    for _ in 0..3 {
        let Ok(Some(Read::Data(view))) = reader.try_read() else { panic!("there are bytes") };
        drop(view); // undecided: shown again
    }
    reader.try_read().unwrap().unwrap().into_view().need_more(0);
    assert!(reader.try_read().unwrap().is_none());
    assert_eq!(source.calls, 1);
    for _ in 0..3 {
        assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 0, "the end stays");
    }
    writer.finish();
    for _ in 0..3 {
        let Ok(Some(Read::Eof(view))) = reader.try_read() else { panic!("the end stays") };
        assert_eq!(view.seq(), b"all");
        view.need_more(0);
    }
}

#[test]
fn case_122_blocks_are_rented_as_bytes_come_and_returned_as_they_go() {
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.segments(1024, 1024).build().unwrap());
    let room = writer.reserve(1).unwrap().len();
    writer.release();
    assert_eq!(pool.outstanding(), 0);
    let mut source = Source::new(&pattern(3 * room, 1), []);
    for blocks in 1..=3 {
        assert_eq!(now(writer.fill_from(&mut source)).unwrap(), room);
        assert_eq!(pool.outstanding(), blocks);
    }
    assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 0);
    assert_eq!(pool.outstanding(), 3, "none for the end");
    for blocks in [2, 1] {
        let view = reader.try_read().unwrap().unwrap().into_view();
        view.consume(room);
        assert_eq!(pool.outstanding(), blocks);
    }
    drop((writer, reader));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn case_123_the_sources_own_errors_pass_as_they_are() {
    let (mut writer, mut reader) = pipe(Options::default());
    for kind in [ErrorKind::TimedOut, ErrorKind::WouldBlock, ErrorKind::ConnectionAborted] {
        let mut source = Source::new(b"x", [Act::Fail(kind)]);
        let refused = now(writer.fill_from(&mut source)).unwrap_err();
        assert_eq!((refused.kind(), refused.to_string()), (kind, "scripted".into()));
        assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 1);
        assert_eq!(take_all(&mut reader), b"x");
    }
    writer.interrupter().interrupt();
    let refused = now(writer.fill_from(&mut Source::new(b"x", []))).unwrap_err();
    assert!(matches!(inner(&refused), PipeErrorKind::Interrupted));
}

#[test]
fn case_124_one_poll_is_a_read_that_does_not_wait() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut context = Context::from_waker(Waker::noop());
    let mut source = Source::new(b"data", [Act::Wait]);
    assert!(writer.poll_fill_from(&mut context, Pin::new(&mut source)).is_pending());
    assert!(reader.try_read().unwrap().is_none());
    let Poll::Ready(Ok(4)) = writer.poll_fill_from(&mut context, Pin::new(&mut source)) else {
        panic!("there are bytes now");
    };
    assert_eq!(take_all(&mut reader), b"data");
}

#[test]
fn case_126_waiting_holds_no_block() {
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.build().unwrap());
    let mut source = Source::new(b"message", [Act::Wait, Act::Some(9), Act::Wait, Act::Wait]);
    waits(writer.fill_from(&mut source));
    waits(reader.read());
    assert_eq!(pool.outstanding(), 0, "before anything came");
    assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 7);
    waits(writer.fill_from(&mut source));
    assert_eq!(pool.outstanding(), 1, "the message itself");
    assert_eq!(take_all(&mut reader), b"message");
    assert_eq!(pool.outstanding(), 0, "and nothing after it");
    waits(reader.read());
    waits(writer.fill_from(&mut source));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn case_127_nothing_reaches_the_sink_before_the_flush() {
    let mut sink = Sink::new(true, []);
    let (mut writer, mut reader) = pipe(Options::default());
    writer.write(b"unflushed").unwrap();
    waits(reader.drain_to(&mut sink));
    assert!(writer.try_flush().unwrap().is_some());
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 9);
    assert!(writer.try_flush().unwrap().is_some());
    waits(reader.drain_to(&mut sink));
    assert_eq!(sink.writes, [9], "a flush of nothing writes nothing");
    writer.write(b", and the last").unwrap();
    writer.finish();
    while now(reader.drain_to(&mut sink)).unwrap() > 0 {}
    assert_eq!(sink.got, b"unflushed, and the last");

    let mut sink = Sink::new(true, []);
    let (mut writer, mut reader) = pipe(Options::default());
    writer.write(b"dropped").unwrap();
    writer.fail("no more");
    now(reader.drain_to(&mut sink)).unwrap_err();
    assert_eq!(sink.got, b"");
}

#[test]
fn case_128_blocks_stay_while_the_sink_fails_and_go_with_the_pipe() {
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.segments(64, 64).build().unwrap());
    writer.write(&pattern(500, 1)).unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    let held = pool.outstanding();
    let mut sink = Sink::new(true, [Act::Fail(ErrorKind::BrokenPipe)]);
    now(reader.drain_to(&mut sink)).unwrap_err();
    assert_eq!(pool.outstanding(), held);
    sink.flush_fails = true;
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 500);
    writer.release();
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap_err().kind(), ErrorKind::Other);
    assert_eq!(pool.outstanding(), 0, "what was written is not held for the flush");
    writer.write(&pattern(500, 1)).unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    sink.script.push_back(Act::Fail(ErrorKind::BrokenPipe));
    now(reader.drain_to(&mut sink)).unwrap_err();
    drop((reader, writer));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn case_129_more_than_there_is_room_for() {
    let (mut writer, mut reader) = pipe(Options::default());
    let slot = writer.reserve(10).unwrap();
    let len = slot.len();
    assert!(panics(|| slot.commit(len + 1)));
    assert_eq!(writer.unflushed(), 0);
    assert_eq!(now(writer.fill_from(&mut Source::new(b"fine", []))).unwrap(), 4);
    assert_eq!(take_all(&mut reader), b"fine");
    let (mut side, _other) = aqueduct_pipe::duplex(Options::default());
    side.finish();
    let refused = side.writer.reserve(1).unwrap_err();
    assert!(matches!(refused.kind(), PipeErrorKind::Finished));
    let refused = now(side.writer.fill_from(&mut Source::new(b"late", []))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
}
