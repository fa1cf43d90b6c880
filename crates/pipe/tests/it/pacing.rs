//! Section C: when a flush waits, and when it goes on.

use crate::common::{Wakes, bytes, cause, data, flush, is_closed, now, once, paced, waits};
use aqueduct_pipe::{Flush, Options, Read, pipe};
use std::pin::pin;
use std::task::{Context, Poll};

#[test]
fn case_023_a_flush_waits_at_pause_and_not_before() {
    let (mut writer, _reader) = paced(64, 32);
    assert!(flush(&mut writer, &[1; 64]));
    let (mut writer, _reader) = paced(64, 32);
    assert!(!flush(&mut writer, &[1; 32]));
    assert!(!flush(&mut writer, &[1; 31]));
    assert!(flush(&mut writer, &[1]));
}

#[test]
fn case_024_pause_zero_never_waits() {
    let (mut writer, _reader) = paced(0, 0);
    for _ in 0..100 {
        assert!(!flush(&mut writer, &[1; 10_000]));
    }
    assert_eq!(writer.stats().pauses, 0);
}

#[test]
fn case_025_it_goes_on_below_resume_and_not_at_it() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.write(&[1; 64]).unwrap();
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(writer.poll_flush(&mut context).is_pending());
    data(&mut reader).consume(32);
    assert_eq!(wakes.count(), 0);
    assert!(writer.poll_flush(&mut context).is_pending());
    data(&mut reader).consume(1);
    assert_eq!(wakes.count(), 1);
    assert!(matches!(writer.poll_flush(&mut context), Poll::Ready(Ok(Flush::Done))));
}

#[test]
fn case_026_examining_drives_it_and_not_consuming() {
    let (mut writer, mut reader) = paced(64, 32);
    assert!(flush(&mut writer, &[1; 64]));
    data(&mut reader).need_more(0);
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    assert_eq!(writer.stats().buffered, 64);
    // What comes on top is examined as little as it is consumed, and what is examined stays so.
    assert!(!flush(&mut writer, &[1; 63]));
    assert!(flush(&mut writer, &[1]));
    data(&mut reader).need_more(1);
    assert!(!flush(&mut writer, &[]));
    assert_eq!(writer.stats().buffered, 127);
}

#[test]
fn case_027_a_reader_that_only_examines_lets_the_writer_go_on() {
    let (mut writer, mut reader) = paced(64, 32);
    for round in 1..=5 {
        assert!(flush(&mut writer, &[1; 64]));
        let view = data(&mut reader);
        assert_eq!(view.len(), 64 * round);
        view.need_more(0);
        assert!(!flush(&mut writer, &[]));
    }
    assert_eq!((writer.stats().pauses, writer.stats().peak), (5, 320));
}

#[test]
fn case_028_it_waits_again_the_next_time() {
    let (mut writer, mut reader) = paced(64, 32);
    for _ in 0..3 {
        assert!(flush(&mut writer, &[1; 64]));
        data(&mut reader).consume(64);
        assert!(!flush(&mut writer, &[]));
        assert!(!flush(&mut writer, &[1; 63]));
        data(&mut reader).consume(63);
    }
}

#[test]
fn case_029_a_reader_that_goes_ends_the_wait_for_good() {
    for open_read in [false, true] {
        let (mut writer, mut reader) = paced(64, 32);
        writer.write(&[1; 64]).unwrap();
        let (wakes, waker) = Wakes::new();
        let mut context = Context::from_waker(&waker);
        assert!(writer.poll_flush(&mut context).is_pending());
        if open_read {
            drop(data(&mut reader));
        }
        drop(reader);
        assert_eq!(wakes.count(), 1);
        for _ in 0..3 {
            assert!(is_closed(&now(writer.flush()).unwrap_err()));
        }
    }
}

#[test]
fn case_030_a_reader_that_fails_tells_the_writer_why_every_time() {
    let (mut writer, reader) = paced(64, 32);
    reader.fail("the disk is full");
    for _ in 0..3 {
        assert_eq!(cause(&writer.write(&[1]).unwrap_err()), "the disk is full");
        assert_eq!(cause(&now(writer.flush()).unwrap_err()), "the disk is full");
    }
}

#[test]
fn case_031_a_reader_that_wants_more_ends_the_wait() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.write(&[1; 64]).unwrap();
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(writer.poll_flush(&mut context).is_pending());
    let mut read = pin!(reader.read_at_least(192));
    assert!(read.as_mut().poll(&mut context).is_pending());
    assert_eq!(wakes.count(), 1);
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    assert!(!flush(&mut writer, &[2; 64]), "the read is not satisfied yet");
    writer.write(&[3; 64]).unwrap();
    assert!(once(writer.flush()).is_pending(), "it is now, and nothing of it was examined");
    let Poll::Ready(Ok(Read::Data(view))) = read.poll(&mut context) else { panic!("not enough") };
    assert_eq!(view.len(), 192);
}

#[test]
fn case_031_a_wish_that_is_given_up_is_none() {
    let (mut writer, mut reader) = paced(64, 32);
    assert!(waits(reader.read_at_least(1000)));
    assert!(flush(&mut writer, &[1; 64]), "nobody wants more any longer");
    data(&mut reader).consume(64);
}

#[test]
fn case_032_a_flush_far_beyond_pause_waits_once() {
    let (mut writer, mut reader) = paced(64, 32);
    assert!(flush(&mut writer, &[1; 1000]));
    data(&mut reader).consume(968);
    assert!(flush(&mut writer, &[]));
    data(&mut reader).consume(1);
    assert!(!flush(&mut writer, &[]));
    assert_eq!(writer.stats().pauses, 1);
}

/// The original looks at the threshold only when it is crossed: once beyond it, it never waits again.
#[test]
fn case_033_every_flush_looks_at_the_threshold() {
    let (mut writer, mut reader) = paced(64, 32);
    // Beyond the threshold without waiting, since the reader wanted so much.
    let mut read = Box::pin(reader.read_at_least(100));
    assert!(once(read.as_mut()).is_pending());
    assert!(!flush(&mut writer, &[1; 99]));
    drop(read);
    for _ in 0..3 {
        assert!(flush(&mut writer, &[1; 10]), "there are more than 64, and nobody looks");
    }
    data(&mut reader).consume(129);
    assert!(!flush(&mut writer, &[]));
}

#[test]
fn case_034_a_flush_of_nothing_wakes_nobody() {
    let (mut writer, mut reader) = paced(64, 32);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read(&mut context).is_pending());
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    assert_eq!(wakes.count(), 0);
    flush(&mut writer, &[1; 10]);
    assert_eq!(wakes.count(), 1);
    data(&mut reader).need_more(0);
    assert!(reader.poll_read(&mut context).is_pending());
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    assert_eq!(wakes.count(), 1);
}

#[test]
fn case_036_an_interrupt_ends_the_wait_and_the_bytes_are_flushed() {
    let (mut writer, mut reader) = paced(64, 32);
    let interrupter = writer.interrupter();
    writer.write(&[1; 64]).unwrap();
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(writer.poll_flush(&mut context).is_pending());
    interrupter.interrupt();
    assert_eq!(wakes.count(), 1);
    assert!(matches!(writer.poll_flush(&mut context), Poll::Ready(Ok(Flush::Cancelled))));
    assert_eq!(writer.unflushed(), 0);
    assert!(waits(writer.flush()));
    data(&mut reader).consume(64);
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
}

#[test]
fn case_037_an_interrupt_before_ends_the_next_flush_once() {
    let (mut writer, _reader) = paced(64, 32);
    let interrupter = writer.interrupter();
    interrupter.interrupt();
    interrupter.interrupt();
    writer.write(&[1]).unwrap();
    assert_eq!(now(writer.flush()).unwrap(), Flush::Cancelled);
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    assert_eq!(writer.stats().buffered, 1);
}

#[test]
fn case_038_an_interrupt_is_kept_until_it_is_seen() {
    for interrupt_first in [false, true] {
        let (mut writer, mut reader) = paced(64, 32);
        let interrupter = writer.interrupter();
        writer.write(&[1; 64]).unwrap();
        assert!(waits(writer.flush()));
        if interrupt_first {
            interrupter.interrupt();
        }
        data(&mut reader).consume(64);
        if !interrupt_first {
            interrupter.interrupt();
        }
        assert_eq!(now(writer.flush()).unwrap(), Flush::Cancelled);
        assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    }
}

#[test]
fn case_039_a_flush_that_is_dropped_has_flushed() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.write(&[1; 64]).unwrap();
    assert!(waits(writer.flush())); // polled once, and dropped
    assert_eq!(bytes(&data(&mut reader)), [1; 64]);
    assert!(waits(writer.flush()));
    data(&mut reader).consume(64);
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
}

#[test]
fn case_040_a_flush_that_is_never_polled_has_no_effect() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.write(&[1; 10]).unwrap();
    drop(writer.flush());
    assert_eq!(writer.unflushed(), 10);
    let (wakes, waker) = Wakes::new();
    assert!(reader.poll_read(&mut Context::from_waker(&waker)).is_pending());
    writer.finish();
    assert_eq!(wakes.count(), 1);
    assert_eq!(bytes(&crate::common::eof(&mut reader)), [1; 10]);
}

#[test]
fn case_041_wakers_of_flushes_that_are_over_are_not_called() {
    let (mut writer, mut reader) = paced(64, 32);
    let (old, waker) = Wakes::new();
    writer.write(&[1; 64]).unwrap();
    assert!(writer.poll_flush(&mut Context::from_waker(&waker)).is_pending());
    data(&mut reader).consume(64);
    assert_eq!(old.count(), 1);
    let (new, waker) = Wakes::new();
    writer.write(&[1; 64]).unwrap();
    assert!(writer.poll_flush(&mut Context::from_waker(&waker)).is_pending());
    data(&mut reader).consume(64);
    assert_eq!((old.count(), new.count()), (1, 1));
}

#[test]
fn case_042_a_writer_that_waits_is_told_before_the_reader_returns() {
    let (mut writer, mut reader) = paced(64, 32);
    writer.write(&[1; 64]).unwrap();
    let (wakes, waker) = Wakes::new();
    assert!(writer.poll_flush(&mut Context::from_waker(&waker)).is_pending());
    let reader = data(&mut reader).consume(64);
    assert_eq!(wakes.count(), 1);
    assert!(reader.try_read().unwrap().is_none());
}

#[test]
fn pauses_and_their_time_are_counted() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(10).build().unwrap());
    for _ in 0..3 {
        assert!(flush(&mut writer, &[1; 10]));
        std::thread::sleep(std::time::Duration::from_millis(2));
        data(&mut reader).consume(10);
        assert!(!flush(&mut writer, &[]));
    }
    let stats = reader.stats();
    assert_eq!((stats.buffered, stats.peak, stats.pauses), (0, 10, 3));
    assert!(stats.paused.as_millis() >= 6, "{:?}", stats.paused);
}

#[test]
fn drained_waits_until_all_is_consumed() {
    let (mut writer, mut reader) = paced(0, 0);
    assert_eq!(now(writer.drained()).unwrap(), Flush::Done);
    flush(&mut writer, &[1; 10]);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(writer.poll_drained(&mut context).is_pending());
    data(&mut reader).need_more(3);
    assert!(writer.poll_drained(&mut context).is_pending());
    let before = wakes.count();
    now(reader.read_at_least(7)).unwrap().into_view().consume(7);
    assert!(wakes.count() > before, "examined before, and consumed only now");
    assert_eq!(now(writer.drained()).unwrap(), Flush::Done);
    flush(&mut writer, &[1; 10]);
    drop(reader);
    assert!(is_closed(&now(writer.drained()).unwrap_err()));
}
