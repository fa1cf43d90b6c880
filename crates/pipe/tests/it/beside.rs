//! Waits that stand beside one another, or that were given up for another: none is lost.

use crate::common::{Wakes, flush, paced};
use aqueduct_pipe::{Options, Read, pipe};
use std::pin::pin;
use std::task::Context;

#[test]
fn a_poll_for_the_end_does_not_lose_the_wait_for_bytes() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read(&mut context).is_pending());
    assert!(reader.poll_closed(&mut context).is_pending());
    assert!(!flush(&mut writer, b"bytes"));
    assert_eq!(wakes.count(), 1, "nobody was woken");
}

/// A read that wanted more than a byte is polled no more, and another read has the bytes.
#[test]
fn who_reads_without_waiting_does_not_lose_the_wait_for_the_end() {
    for interrupted in [true, false] {
        let (mut writer, mut reader) = pipe(Options::default());
        let (wakes, waker) = Wakes::new();
        let mut context = Context::from_waker(&waker);
        assert!(reader.poll_read_at_least(&mut context, 54).is_pending());
        if interrupted {
            reader.interrupter().interrupt();
        } else {
            flush(&mut writer, b"bytes");
        }
        assert!(reader.poll_closed(&mut context).is_pending());
        let before = wakes.count();
        assert!(reader.try_read().unwrap().is_some());
        drop(writer);
        assert_eq!(wakes.count(), before + 1, "nobody was woken, interrupted: {interrupted}");
    }
}

#[test]
fn a_poll_for_the_readers_end_does_not_lose_the_wait_of_a_flush() {
    let (mut writer, mut reader) = paced(64, 32);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    writer.write(&[1; 64]).unwrap();
    assert!(writer.poll_flush(&mut context).is_pending());
    assert!(writer.poll_closed(&mut context).is_pending());
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(64);
    assert_eq!(wakes.count(), 1, "nobody was woken");
}

#[test]
fn a_wish_that_was_polled_and_given_up_for_another_read_does_not_stop_pacing() {
    let (mut writer, mut reader) = paced(64, 32);
    let (_, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read_at_least(&mut context, 10_000).is_pending());
    assert!(!flush(&mut writer, &[1; 10])); // the reader wants more
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("there is data") };
    view.consume(10); // and reads in another way
    assert!(flush(&mut writer, &[1; 64]), "the reader has enough");
}

#[test]
fn drained_hears_of_bytes_that_are_consumed_while_more_are_wanted() {
    let (mut writer, mut reader) = paced(0, 0);
    flush(&mut writer, &[1; 10]);
    reader.try_read().unwrap().unwrap().into_view().need_more(0);
    let (wakes, waker) = Wakes::new();
    assert!(writer.poll_drained(&mut Context::from_waker(&waker)).is_pending());
    let view = reader.read_at_least_blocking(10).unwrap().into_view();
    view.need_more(10);
    assert_eq!(wakes.count(), 1);
}

#[test]
fn a_wait_of_the_writer_that_is_over_at_once_does_not_lose_another() {
    for (done, paused) in [(0, false), (0, true), (1, false), (1, true)] {
        let (mut writer, reader) = paced(64, 32);
        let (wakes, waker) = Wakes::new();
        let mut context = Context::from_waker(&waker);
        if paused {
            writer.write(&[1; 64]).unwrap();
            assert!(writer.poll_flush(&mut context).is_pending());
        } else {
            assert!(writer.poll_closed(&mut context).is_pending());
        }
        let ready = match done {
            0 => writer.poll_ready(&mut context, 1).is_ready(),
            _ => writer.poll_drained(&mut context).is_ready(),
        };
        assert_eq!(ready, done == 0 || !paused);
        drop(reader);
        assert_eq!(wakes.count(), 1, "nobody was woken: {done}, {paused}");
    }
}

/// Room comes with a byte that is consumed, the end of the pause much later.
#[test]
fn a_flush_that_waits_does_not_lose_the_wait_for_room() {
    for flushed_first in [true, false] {
        let options = Options::builder().pause(64).resume(1).max_buffered(64).build().unwrap();
        let (mut writer, mut reader) = pipe(options);
        let (wakes, waker) = Wakes::new();
        let mut context = Context::from_waker(&waker);
        flush(&mut writer, &[1; 64]);
        if flushed_first {
            assert!(writer.poll_flush(&mut context).is_pending());
        }
        assert!(writer.poll_ready(&mut context, 1).is_pending());
        if !flushed_first {
            assert!(writer.poll_flush(&mut context).is_pending());
        }
        reader.try_read().unwrap().unwrap().into_view().consume(1);
        assert_eq!(wakes.count(), 1, "nobody was woken: {flushed_first}");
    }
}

#[test]
fn a_wait_for_many_bytes_that_is_given_up_does_not_lose_another() {
    for dropped in [true, false] {
        let (mut writer, mut reader) = pipe(Options::default());
        let (wakes, waker) = Wakes::new();
        let mut context = Context::from_waker(&waker);
        assert!(reader.poll_closed(&mut context).is_pending());
        if dropped {
            assert!(pin!(reader.read_at_least(54)).poll(&mut context).is_pending());
        } else {
            assert!(reader.poll_read_at_least(&mut context, 54).is_pending());
        }
        flush(&mut writer, b"bytes");
        drop(reader.try_read().unwrap().expect("bytes"));
        assert_eq!(wakes.count(), 0);
        drop(writer);
        assert_eq!(wakes.count(), 1, "nobody was woken, dropped: {dropped}");
    }
}

#[test]
fn a_wait_for_many_bytes_does_not_lose_that_for_any() {
    for dropped in [true, false] {
        let (mut writer, mut reader) = pipe(Options::default());
        let (wakes, waker) = Wakes::new();
        let mut context = Context::from_waker(&waker);
        assert!(reader.poll_read(&mut context).is_pending());
        if dropped {
            assert!(pin!(reader.read_at_least(54)).poll(&mut context).is_pending());
        } else {
            assert!(reader.poll_read_at_least(&mut context, 54).is_pending());
        }
        flush(&mut writer, b"bytes");
        assert_eq!(wakes.count(), 1, "nobody was woken, dropped: {dropped}");
    }
}
