//! Waiting for room under the limit.

use crate::common::{Wakes, data, flush, is_closed, now, once, waits};
use aqueduct_pipe::{
    Duplex, Flush, Options, PipeError, PipeErrorKind, Reader, Writer, duplex, pipe,
};
use aqueduct_testkit::pattern;
use std::task::{Context, Poll, Waker};
use std::thread;

/// A pipe of a hundred bytes at most, of which eighty are taken.
fn eighty_of_a_hundred() -> (Writer, Reader) {
    let (mut writer, reader) = pipe(Options::builder().max_buffered(100).build().unwrap());
    flush(&mut writer, &[1; 80]);
    (writer, reader)
}

fn is_full(error: &PipeError, want: u64) -> bool {
    matches!(error.kind(), PipeErrorKind::Full { asked, limit: 100 } if *asked == want)
}

#[test]
fn room_is_there_when_enough_is_consumed_and_not_before() {
    let (mut writer, mut reader) = eighty_of_a_hundred();
    assert_eq!(now(writer.ready(20)).unwrap(), Flush::Done);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(writer.poll_ready(&mut context, 50).is_pending());
    data(&mut reader).consume(29);
    assert!(writer.poll_ready(&mut context, 50).is_pending(), "one byte is missing");
    let before = wakes.count();
    data(&mut reader).consume(1);
    assert!(wakes.count() > before);
    assert!(matches!(writer.poll_ready(&mut context, 50), Poll::Ready(Ok(Flush::Done))));
    writer.write(&[2; 50]).unwrap();
    let before = wakes.count();
    data(&mut reader).consume(50);
    assert_eq!(wakes.count(), before, "nobody waits any more");
}

#[test]
fn who_has_looked_at_all_and_keeps_it_makes_no_room() {
    let (mut writer, mut reader) = eighty_of_a_hundred();
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(writer.poll_ready(&mut context, 50).is_pending());
    data(&mut reader).need_more(0);
    assert!(wakes.count() > 0);
    assert!(is_full(&now(writer.ready(50)).unwrap_err(), 130));
    now(reader.read_at_least(1)).unwrap().into_view().need_more(30);
    assert_eq!(now(writer.ready(50)).unwrap(), Flush::Done, "what it does not keep");
}

#[test]
fn who_has_given_a_wait_for_more_up_keeps_nothing() {
    for least in [81, 90] {
        let (mut writer, mut reader) = eighty_of_a_hundred();
        assert!(waits(reader.read_at_least(least)));
        assert!(waits(writer.ready(50)), "it has looked at nothing: {least}");
        assert!(
            reader.poll_read_at_least(&mut Context::from_waker(Waker::noop()), least).is_pending()
        );
        assert!(is_full(&now(writer.ready(50)).unwrap_err(), 130), "it waits");
        data(&mut reader).consume(0); // and reads in another way
        assert!(waits(writer.ready(50)), "it waits no more: {least}");
    }
}

#[test]
fn what_is_not_flushed_takes_room_that_nobody_can_make() {
    let (mut writer, mut reader) = eighty_of_a_hundred();
    writer.write(&[2; 10]).unwrap();
    assert!(is_full(&now(writer.ready(91)).unwrap_err(), 101));
    assert!(is_full(&now(writer.ready(usize::MAX)).unwrap_err(), u64::MAX));
    assert!(waits(writer.ready(90)));
    data(&mut reader).consume(80);
    assert_eq!(now(writer.ready(90)).unwrap(), Flush::Done);
    assert_eq!(writer.unflushed(), 10, "the wait has not flushed it");
    writer.write(&[3; 90]).unwrap();
    let (mut writer, _reader) = pipe(Options::default());
    assert_eq!(now(writer.ready(usize::MAX)).unwrap(), Flush::Done, "there is no limit");
}

#[test]
fn the_wait_for_room_ends_with_the_reader_and_with_an_interrupt() {
    let (mut writer, reader) = eighty_of_a_hundred();
    writer.interrupter().interrupt();
    assert_eq!(now(writer.ready(50)).unwrap(), Flush::Cancelled);
    let (wakes, waker) = Wakes::new();
    assert!(writer.poll_ready(&mut Context::from_waker(&waker), 50).is_pending());
    drop(reader);
    assert_eq!(wakes.count(), 1);
    assert!(is_closed(&now(writer.ready(50)).unwrap_err()));
    let (Duplex { mut reader, writer: _open }, mut other) = duplex(Options::default());
    other.finish();
    assert!(matches!(
        once(other.writer.ready(1)),
        Poll::Ready(Err(error)) if matches!(error.kind(), PipeErrorKind::Finished)
    ));
    assert!(crate::common::eof(&mut reader).is_empty());
}

#[test]
fn under_a_limit_pieces_of_every_size_get_through() {
    let (mut writer, mut reader) = pipe(Options::builder().max_buffered(100).build().unwrap());
    let rounds = aqueduct_testkit::scale(2_000);
    let writes = thread::spawn(move || {
        for round in 0..rounds {
            let piece = pattern(round * 7 % 101, round);
            assert_eq!(writer.ready_blocking(piece.len()).unwrap(), Flush::Done);
            writer.write(&piece).unwrap();
            let _ = writer.try_flush().unwrap();
        }
        writer.finish();
    });
    for round in 0..rounds {
        let piece = pattern(round * 7 % 101, round);
        let view = reader.read_at_least_blocking(piece.len()).unwrap().into_view();
        assert!(view.seq().starts_with(&piece[..]));
        view.consume(piece.len());
    }
    writes.join().unwrap();
    assert!(reader.stats().peak <= 100);
}
