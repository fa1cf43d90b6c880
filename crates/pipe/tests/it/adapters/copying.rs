//! Section I: from pipe to pipe, and from pipe to stream.

use super::{
    doubles::{Act, Sink, Source},
    inner, is_interrupt, now, once, pooled, take_all, waits, woken_by,
};
use aqueduct_base::meter;
use aqueduct_pipe::{CopyError, Options, PipeErrorKind, Read, Reader, Writer, pipe};
use aqueduct_slice::Slice;
use aqueduct_testkit::{panics, pattern};
use std::{
    io::ErrorKind,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

fn two_pipes() -> ((Writer, Reader), (Writer, Reader)) {
    (pipe(Options::default()), pipe(Options::default()))
}

/// Three segments of 40, 60 and 100 bytes, flushed.
fn three_segments(writer: &mut Writer) -> Vec<u8> {
    let all = pattern(200, 3);
    for part in [&all[..40], &all[40..100], &all[100..]] {
        writer.push(part.to_vec()).unwrap();
    }
    assert!(writer.try_flush().unwrap().is_some());
    all
}

fn reading(error: CopyError) -> PipeErrorKind {
    let CopyError::Read(error) = error else { panic!("{error}") };
    error.kind().clone()
}

fn writing(error: CopyError) -> PipeErrorKind {
    let CopyError::Write(error) = error else { panic!("{error}") };
    error.kind().clone()
}

#[test]
fn case_099_an_interrupt_that_came_before_ends_it_at_once() {
    let ((mut writer, mut reader), (mut to, mut end)) = two_pipes();
    let all = three_segments(&mut writer);
    reader.interrupter().interrupt();
    let refused = now(reader.copy_to(&mut to)).unwrap_err();
    assert!(matches!(reading(refused), PipeErrorKind::Interrupted));
    assert_eq!(take_all(&mut end), b"");
    to.interrupter().interrupt();
    let refused = now(reader.copy_to(&mut to)).unwrap_err();
    assert!(matches!(writing(refused), PipeErrorKind::Interrupted));
    assert_eq!(take_all(&mut end), b"");
    assert_eq!(take_all(&mut reader), all);
}

#[test]
fn case_100_several_messages_to_a_pipe() {
    let ((mut writer, mut reader), (mut to, mut end)) = two_pipes();
    let mut all = three_segments(&mut writer);
    waits(reader.copy_to(&mut to));
    assert_eq!(take_all(&mut end), all);
    writer.write(b"and more").unwrap();
    all = pattern(100, 9);
    writer.push(all.clone()).unwrap();
    writer.finish();
    assert_eq!(now(reader.copy_to(&mut to)).unwrap(), 108);
    assert_eq!(take_all(&mut end), [b"and more", &all[..]].concat());
    assert!(end.try_read().unwrap().is_none(), "the end is not passed on");
    assert_eq!(now(reader.copy_to(&mut to)).unwrap(), 0, "and can be met again");
    to.finish();
    assert!(matches!(end.try_read(), Ok(Some(Read::Eof(_)))));
}

#[test]
fn case_100_several_messages_to_a_stream() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut all = three_segments(&mut writer);
    let mut sink = Sink::new(true, []);
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 200);
    assert_eq!(sink.flushes, 0);
    waits(reader.drain_to(&mut sink));
    assert_eq!(sink.flushes, 1, "flushed when there is nothing to do");
    writer.write(b"and more").unwrap();
    all.extend(b"and more");
    writer.finish();
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 8);
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 0);
    assert_eq!((sink.got, sink.flushes, sink.closed), (all, 2, false));
}

#[test]
fn case_101_nothing_is_written_at_the_end() {
    let (mut writer, mut reader) = pipe(Options::default());
    three_segments(&mut writer);
    writer.finish();
    let mut sink = Sink::new(true, []);
    while now(reader.drain_to(&mut sink)).unwrap() > 0 {}
    assert_eq!(sink.writes, [200]);
}

#[test]
fn case_102_the_third_of_three_blocks_is_not_taken() {
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.segments(64, 64).build().unwrap());
    for seed in 0..3 {
        let mut slot = writer.reserve(64).unwrap();
        slot.put(&pattern(64, seed));
        assert!(writer.try_flush().unwrap().is_some());
        writer.release();
    }
    writer.finish();
    let held = pool.outstanding();
    assert!(held >= 3);
    let fails = [Act::Some(64), Act::Some(64), Act::Fail(ErrorKind::ConnectionReset)];
    let mut sink = Sink::new(false, fails);
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 64);
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 64);
    let refused = now(reader.drain_to(&mut sink)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionReset);
    assert_eq!(pool.outstanding(), held - 2, "two were consumed and are back");
    assert_eq!(take_all(&mut reader), pattern(64, 2), "the third is still there");
}

#[test]
fn case_103_a_sink_that_fails_at_once_loses_nothing() {
    let (mut writer, mut reader) = pipe(Options::default());
    let all = three_segments(&mut writer);
    let mut sink = Sink::new(true, [Act::Fail(ErrorKind::Other)]);
    now(reader.drain_to(&mut sink)).unwrap_err();
    assert_eq!(take_all(&mut reader), all);

    let (mut to, end) = pipe(Options::default());
    let all = three_segments(&mut writer);
    drop(end);
    now(reader.copy_to(&mut to)).unwrap_err();
    assert_eq!(take_all(&mut reader), all);
}

#[test]
fn case_104_interrupts_end_each_wait() {
    let ((mut writer, mut reader), _) = two_pipes();
    let (mut to, mut end) = pipe(Options::builder().pause(100).build().unwrap());
    let (stop_reading, stop_writing) = (reader.interrupter(), to.interrupter());

    let done = woken_by(reader.copy_to(&mut to), || stop_reading.interrupt());
    assert!(matches!(done.map_err(reading), Poll::Ready(Err(PipeErrorKind::Interrupted))));
    let done = woken_by(reader.copy_to(&mut to), || stop_writing.interrupt());
    assert!(matches!(done.map_err(writing), Poll::Ready(Err(PipeErrorKind::Interrupted))));

    // Paused: what was there went over in one step, and there is more.
    let first = three_segments(&mut writer);
    waits(reader.copy_to(&mut to));
    let second = three_segments(&mut writer);
    let done = woken_by(reader.copy_to(&mut to), || stop_reading.interrupt());
    assert!(matches!(done.map_err(reading), Poll::Ready(Err(PipeErrorKind::Interrupted))));
    let done = woken_by(reader.copy_to(&mut to), || stop_writing.interrupt());
    assert!(matches!(done.map_err(writing), Poll::Ready(Err(PipeErrorKind::Interrupted))));
    assert_eq!(take_all(&mut end), first);
    waits(reader.copy_to(&mut to));
    assert_eq!(take_all(&mut end), second);
}

#[test]
fn case_104_interrupts_end_a_busy_sinks_and_an_idle_sources_wait() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (stop_reading, stop_writing) = (reader.interrupter(), writer.interrupter());
    let all = three_segments(&mut writer);
    let mut sink = Sink::new(true, [Act::Wait]);
    let done = woken_by(reader.drain_to(&mut sink), || stop_reading.interrupt());
    let Poll::Ready(Err(refused)) = done else { panic!("{done:?}") };
    assert!(is_interrupt(&refused));
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), all.len());

    let done = woken_by(reader.drain_to(&mut sink), || stop_reading.interrupt());
    assert!(matches!(done, Poll::Ready(Err(e)) if is_interrupt(&e)));

    let mut source = Source::new(b"later", [Act::Wait]);
    let done = woken_by(writer.fill_from(&mut source), || stop_writing.interrupt());
    assert!(matches!(done, Poll::Ready(Err(e)) if is_interrupt(&e)));
    assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 5);
    assert_eq!(take_all(&mut reader), b"later");
}

#[test]
fn case_105_the_other_reader_is_gone() {
    let ((mut writer, mut reader), (mut to, end)) = two_pipes();
    let done = woken_by(reader.copy_to(&mut to), || drop(end));
    assert!(matches!(done.map_err(writing), Poll::Ready(Err(PipeErrorKind::Closed))));
    let all = three_segments(&mut writer);
    let refused = now(reader.copy_to(&mut to)).unwrap_err();
    assert!(matches!(writing(refused), PipeErrorKind::Closed), "an error, not silence");
    assert_eq!(take_all(&mut reader), all);

    let ((mut writer, reader), _) = two_pipes();
    let mut source = Source::new(b"late", [Act::Wait]);
    let done = woken_by(writer.fill_from(&mut source), || drop(reader));
    let Poll::Ready(Err(refused)) = done else { panic!("{done:?}") };
    assert_eq!(refused.kind(), ErrorKind::BrokenPipe);
    assert!(matches!(inner(&refused), PipeErrorKind::Closed));
    assert_eq!(source.bytes.len(), 4, "what nobody will read was not read");
}

#[test]
fn case_106_what_was_copied_is_consumed() {
    let ((mut writer, mut reader), (mut to, mut end)) = two_pipes();
    let all = three_segments(&mut writer);
    waits(reader.copy_to(&mut to));
    assert_eq!(take_all(&mut reader), b"");
    assert_eq!((reader.stats().buffered, end.stats().buffered), (0, 200));
    assert_eq!(take_all(&mut end), all);
    let all = three_segments(&mut writer);
    let mut sink = Sink::new(true, [Act::Some(70)]);
    assert_eq!(now(reader.drain_to(&mut sink)).unwrap(), 70);
    assert_eq!(take_all(&mut reader), all[70..]);
}

#[test]
fn case_107_from_a_stream_until_it_ends_and_again() {
    let (mut writer, mut reader) = pipe(Options::default());
    for seed in 0..2 {
        let all = pattern(5_000, seed);
        let mut source = Source::new(&all, []);
        while now(writer.fill_from(&mut source)).unwrap() > 0 {}
        assert_eq!(take_all(&mut reader), all);
        assert!(reader.try_read().unwrap().is_none(), "the end is not passed on");
    }
    writer.write(b"x").unwrap();
    writer.finish();
    assert!(matches!(reader.try_read(), Ok(Some(Read::Eof(_)))));
}

#[test]
fn segments_go_over_as_they_are() {
    let ((mut writer, mut reader), (mut to, mut end)) = two_pipes();
    let block = Slice::from(pattern(4096, 1));
    writer.push(block.clone()).unwrap();
    writer.push(block.slice(100..1000)).unwrap();
    writer.write(&pattern(300, 2)).unwrap();
    writer.finish();
    let before = meter::thread();
    assert_eq!(now(reader.copy_to(&mut to)).unwrap(), 5296);
    assert_eq!((meter::thread() - before).bytes, 0, "not a byte is copied");
    let Ok(Some(read)) = end.try_read() else { panic!("there are bytes") };
    let view = read.into_view();
    assert_eq!(view.seq().first().as_ptr(), block.as_ptr());
    assert_eq!(view.len(), 5296);
}

#[test]
fn a_full_pipe_takes_what_fits() {
    let ((mut writer, mut reader), _) = two_pipes();
    let limits = Options::builder().pause(50).max_buffered(50).build().unwrap();
    let (mut to, mut end) = pipe(limits);
    let all = three_segments(&mut writer);
    writer.finish();
    let (mut got, mut copied) = (Vec::new(), 0);
    loop {
        match once(reader.copy_to(&mut to)) {
            Poll::Ready(Ok(_)) => break,
            Poll::Ready(Err(refused)) => panic!("{refused}"),
            Poll::Pending => {
                let part = take_all(&mut end);
                copied += part.len();
                assert!(!part.is_empty() && part.len() <= 50, "{}", part.len());
                got.extend(part);
            }
        }
    }
    got.extend(take_all(&mut end));
    assert!(got == all && copied >= 150);
    // All was looked at, and nothing of it consumed: it will never fit.
    let mut more = Reader::from(aqueduct_sequence::Sequence::from(all.clone()));
    let (mut to, mut end) = pipe(Options::builder().pause(50).max_buffered(50).build().unwrap());
    waits(more.copy_to(&mut to));
    end.try_read().unwrap().unwrap().into_view().need_more(0);
    let refused = now(more.copy_to(&mut to)).unwrap_err();
    assert!(matches!(writing(refused), PipeErrorKind::Full { .. }));
    assert_eq!(take_all(&mut more), all[50..]);
}

#[test]
fn how_the_writer_ended_is_the_readers_error() {
    let ((mut writer, mut reader), (mut to, mut end)) = two_pipes();
    let all = three_segments(&mut writer);
    writer.fail("the disk is gone");
    let refused = now(reader.copy_to(&mut to)).unwrap_err();
    assert!(matches!(reading(refused), PipeErrorKind::Failed(_)));
    assert_eq!(take_all(&mut end), all);
}

/// The other reader's waker is called when all is handed over: nothing is there twice.
#[test]
fn a_waker_that_panics_while_bytes_are_copied_does_not_repeat_them() {
    struct Panics;
    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            std::panic::resume_unwind(Box::new(()));
        }
    }
    let ((mut writer, mut reader), (mut to, mut end)) = two_pipes();
    let all = three_segments(&mut writer);
    writer.finish();
    let waker = Waker::from(Arc::new(Panics));
    assert!(end.poll_read(&mut Context::from_waker(&waker)).is_pending());
    assert!(panics(|| now(reader.copy_to(&mut to))));
    assert_eq!(now(reader.copy_to(&mut to)).unwrap(), 0);
    assert_eq!(take_all(&mut end), all);
}
