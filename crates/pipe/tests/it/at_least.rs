//! Section E: waiting for so many bytes.

use crate::common::{Wakes, bytes, data, eof, flush, now, small_segments, waits};
use aqueduct_pipe::{Options, Read, pipe};
use aqueduct_testkit::pattern;
use std::pin::pin;
use std::task::{Context, Poll};

#[test]
fn case_060_it_waits_for_enough_and_is_not_woken_before() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 11]);
    assert_eq!(now(reader.read_at_least(11)).unwrap().into_view().len(), 11);
    data(&mut reader).consume(11);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    let mut read = pin!(reader.read_at_least(11));
    for _ in 0..2 {
        flush(&mut writer, &[1; 5]);
        assert!(read.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(wakes.count(), 0);
    flush(&mut writer, &[1]);
    assert_eq!(wakes.count(), 1);
    let Poll::Ready(Ok(Read::Data(view))) = read.poll(&mut context) else { panic!("not enough") };
    assert_eq!(view.len(), 11);
}

#[test]
fn case_061_there_may_be_more_and_reads_alternate() {
    let (mut writer, mut reader) = pipe(Options::default());
    for round in 0..4 {
        flush(&mut writer, &[round; 20]);
        let view = now(reader.read_at_least(5)).unwrap().into_view();
        assert_eq!(view.len(), 20);
        view.consume(5);
        assert_eq!(data(&mut reader).len(), 15);
        data(&mut reader).consume(15);
    }
}

#[test]
fn case_062_at_the_end_there_may_be_fewer() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 5]);
    writer.finish();
    for _ in 0..3 {
        let Read::Eof(view) = now(reader.read_at_least(100)).unwrap() else { panic!("no end") };
        assert_eq!(view.len(), 5);
    }
    assert_eq!(eof(&mut reader).len(), 5);
}

#[test]
fn case_063_an_interrupt_ends_it_with_what_is_there() {
    let (mut writer, mut reader) = pipe(Options::default());
    let interrupter = reader.interrupter();
    for written in [0, 5, 8] {
        if written > 0 {
            flush(&mut writer, &vec![1; written]);
        }
        assert!(waits(reader.read_at_least(100)));
        flush(&mut writer, &[1]);
        assert!(waits(reader.read_at_least(100)));
        interrupter.interrupt();
        let Read::Cancelled(view) = now(reader.read_at_least(100)).unwrap() else {
            panic!("not cancelled")
        };
        assert_eq!(view.len(), written + 1);
        view.consume(written + 1);
    }
}

#[test]
fn case_064_over_few_and_many_segments() {
    for (size, segments) in [(64, 2..40), (4096, 1..2)] {
        let (mut writer, mut reader) = small_segments(size, size);
        flush(&mut writer, &pattern(300, 1));
        flush(&mut writer, &pattern(300, 2));
        let view = now(reader.read_at_least(590)).unwrap().into_view();
        assert!(segments.contains(&view.seq().segments().count()));
        assert_eq!(bytes(&view), [pattern(300, 1), pattern(300, 2)].concat());
    }
}

#[test]
fn case_065_none_is_there_at_once() {
    let (_writer, mut reader) = pipe(Options::default());
    let Read::Data(view) = now(reader.read_at_least(0)).unwrap() else { panic!("no data") };
    assert!(view.is_empty());
}

#[test]
fn case_066_it_goes_beyond_pause_and_never_beyond_the_limit() {
    let options = Options::builder().pause(100).max_buffered(500).build().unwrap();
    let (mut writer, mut reader) = pipe(options);
    let mut read = Box::pin(reader.read_at_least(500));
    assert!(crate::common::once(read.as_mut()).is_pending());
    for _ in 0..4 {
        assert!(!flush(&mut writer, &[1; 100]));
    }
    assert!(flush(&mut writer, &[1; 100]));
    assert_eq!(now(read).unwrap().into_view().len(), 500);
    assert!(writer.write(&[1]).is_err());
}

/// The original counts bytes that were not examined, and so waits for ten new ones.
#[test]
fn case_067_examined_bytes_count() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    data(&mut reader).need_more(0);
    assert!(waits(reader.read()));
    assert_eq!(now(reader.read_at_least(10)).unwrap().into_view().len(), 10);
    assert!(waits(reader.read_at_least(11)));
    flush(&mut writer, &[1]);
    assert_eq!(now(reader.read_at_least(11)).unwrap().into_view().len(), 11);
}

#[test]
fn case_068_it_examines_nothing_by_itself() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    drop(now(reader.read_at_least(5)).unwrap());
    assert_eq!(data(&mut reader).len(), 10);
    assert!(waits(reader.read_at_least(20)));
    assert_eq!(data(&mut reader).len(), 10);
}

#[test]
fn t18_a_length_that_nobody_sends_costs_nothing() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 100]);
    for claimed in [1 << 63, usize::MAX, usize::MAX - 1] {
        assert!(waits(reader.read_at_least(claimed)));
    }
    data(&mut reader).consume(60);
    assert!(waits(reader.read_at_least(usize::MAX)));
    assert_eq!(reader.stats().peak, 100);
    writer.finish();
    assert_eq!(eof(&mut reader).len(), 40);
}
