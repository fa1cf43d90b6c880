//! Section D: what a read lends, and when.

use crate::common::{
    Wakes, bytes, cause, data, eof, flush, is_closed, now, once, small_segments, waits,
};
use aqueduct_pipe::{Options, Read, Reader, View, pipe};
use std::pin::pin;
use std::task::{Context, Poll};

/// The bytes of an interrupted read.
fn cancelled(reader: &mut Reader) -> View<'_> {
    match now(reader.read()).expect("no error") {
        Read::Cancelled(view) => view,
        other => panic!("not cancelled: {other:?}"),
    }
}

#[test]
fn case_043_what_is_written_is_read() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, b"Hello World");
    let view = data(&mut reader);
    assert_eq!((bytes(&view), view.seq().segments().count()), (b"Hello World".to_vec(), 1));
}

#[test]
fn case_044_words_that_lie_across_segments() {
    let (mut writer, mut reader) = small_segments(64, 64);
    let padding = writer.reserve(1).unwrap().len() - 5;
    writer.write(&vec![b'.'; padding]).unwrap();
    writer.write(b"Hello").unwrap();
    writer.write(b" World").unwrap();
    now(writer.flush()).unwrap();
    let view = data(&mut reader);
    assert_eq!(view.seq().segments().count(), 2);
    assert_eq!(view.seq().slice(padding..).to_contiguous(), &b"Hello World"[..]);
}

#[test]
fn case_045_all_consumed_the_next_read_waits_for_bytes() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    data(&mut reader).consume(10);
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    let mut read = pin!(reader.read());
    assert!(read.as_mut().poll(&mut context).is_pending());
    flush(&mut writer, &[]);
    assert_eq!(wakes.count(), 0);
    flush(&mut writer, &[2]);
    assert_eq!(wakes.count(), 1);
    let Poll::Ready(Ok(Read::Data(view))) = read.poll(&mut context) else { panic!("no data") };
    assert_eq!(bytes(&view), [2]);
}

#[test]
fn case_046_trying_and_reading_mix() {
    let (mut writer, mut reader) = pipe(Options::default());
    assert!(reader.try_read().unwrap().is_none());
    assert!(reader.try_read().unwrap().is_none());
    flush(&mut writer, &[1; 10]);
    let Some(Read::Data(view)) = reader.try_read().unwrap() else { panic!("no data") };
    view.consume(4);
    assert_eq!(data(&mut reader).len(), 6);
    assert_eq!(reader.read_blocking().unwrap().into_view().len(), 6);
}

#[test]
fn case_047_the_end_comes_with_what_is_left_and_stays() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 5]);
    writer.finish();
    for _ in 0..3 {
        assert_eq!(eof(&mut reader).len(), 5);
        assert!(matches!(reader.try_read(), Ok(Some(Read::Eof(_)))));
    }
    eof(&mut reader).consume(5);
    for _ in 0..3 {
        assert!(eof(&mut reader).is_empty());
    }
}

#[test]
fn case_048_finishing_flushes() {
    let (mut writer, mut reader) = pipe(Options::default());
    writer.write(&[1; 4]).unwrap();
    writer.finish();
    assert_eq!(bytes(&eof(&mut reader)), [1; 4]);
}

/// The original loses what is buffered when the writer fails.
#[test]
fn case_049_what_was_flushed_comes_before_the_error() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, b"partial");
    writer.write(b"never flushed").unwrap();
    writer.fail("connection reset");
    let view = data(&mut reader);
    assert_eq!(bytes(&view), b"partial");
    view.need_more(2);
    for _ in 0..3 {
        assert_eq!(cause(&now(reader.read()).unwrap_err()), "connection reset");
        assert_eq!(cause(&reader.try_read().unwrap_err()), "connection reset");
        assert_eq!(cause(&now(reader.read_at_least(6)).unwrap_err()), "connection reset");
    }
    assert_eq!(now(reader.read_at_least(5)).unwrap().into_view().len(), 5, "still there");
}

#[test]
fn case_051_a_reader_may_go_in_the_middle_of_a_read() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    let _ = data(&mut reader).take(3);
    drop(reader);
    assert!(is_closed(&now(writer.flush()).unwrap_err()));
}

#[test]
fn case_054_the_halves_may_go_in_either_order() {
    for reader_first in [false, true] {
        let (mut writer, mut reader) = pipe(Options::default());
        flush(&mut writer, &[1; 10]);
        if reader_first {
            reader.fail("first");
            for _ in 0..3 {
                assert_eq!(cause(&now(writer.flush()).unwrap_err()), "first");
            }
            writer.fail("second");
        } else {
            writer.fail("first");
            data(&mut reader).consume(10);
            for _ in 0..3 {
                assert_eq!(cause(&now(reader.read()).unwrap_err()), "first");
            }
            reader.fail("second");
        }
    }
}

#[test]
fn case_055_an_interrupt_ends_a_read_that_waits() {
    let (mut writer, mut reader) = pipe(Options::default());
    let interrupter = reader.interrupter();
    let (wakes, waker) = Wakes::new();
    let mut context = Context::from_waker(&waker);
    {
        let mut read = pin!(reader.read());
        assert!(read.as_mut().poll(&mut context).is_pending());
        interrupter.interrupt();
        assert_eq!(wakes.count(), 1);
        let Poll::Ready(Ok(Read::Cancelled(view))) = read.poll(&mut context) else {
            panic!("not cancelled")
        };
        assert!(view.is_empty());
    }
    assert!(waits(reader.read()));
    flush(&mut writer, &[1; 3]);
    assert_eq!(data(&mut reader).len(), 3);
}

#[test]
fn case_056_an_interrupt_before_ends_the_next_read_once_and_shows_what_is_there() {
    let (mut writer, mut reader) = pipe(Options::default());
    let interrupter = reader.interrupter();
    flush(&mut writer, b"Hello World");
    interrupter.interrupt();
    interrupter.interrupt();
    assert_eq!(bytes(&cancelled(&mut reader)), b"Hello World");
    assert_eq!(data(&mut reader).len(), 11);
    interrupter.interrupt();
    assert!(matches!(reader.try_read(), Ok(Some(Read::Cancelled(_)))));
    assert_eq!(data(&mut reader).len(), 11);
}

#[test]
fn case_057_an_interrupt_while_a_view_is_out_ends_the_next_read() {
    let (mut writer, mut reader) = pipe(Options::default());
    let interrupter = reader.interrupter();
    flush(&mut writer, &[1; 11]);
    let view = data(&mut reader);
    interrupter.interrupt();
    let reader = view.consume(11);
    assert!(cancelled(reader).is_empty());
    assert!(waits(reader.read()));
}

#[test]
fn case_058_a_view_that_is_dropped_has_examined_nothing() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 11]);
    reader.interrupter().interrupt();
    drop(cancelled(&mut reader));
    drop(data(&mut reader));
    assert_eq!(data(&mut reader).len(), 11);
}

#[test]
fn case_059_a_read_that_is_dropped_loses_nothing() {
    let (mut writer, mut reader) = pipe(Options::default());
    drop(reader.read()); // never polled
    assert!(waits(reader.read())); // polled once, and dropped
    assert!(waits(reader.read_at_least(5)));
    flush(&mut writer, &[1; 3]);
    assert!(waits(reader.read_at_least(5)));
    assert!(matches!(once(reader.read()), Poll::Ready(Ok(Read::Data(_)))));
    assert_eq!(data(&mut reader).len(), 3);
    reader.interrupter().interrupt();
    drop(reader.read());
    assert_eq!(cancelled(&mut reader).len(), 3);
}

#[test]
fn case_093_a_writer_that_is_dropped_is_no_clean_end() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, b"half a mess");
    writer.write(b"age").unwrap();
    drop(writer);
    let view = data(&mut reader);
    assert_eq!(bytes(&view), b"half a mess");
    view.consume(11);
    for _ in 0..3 {
        assert!(is_closed(&now(reader.read()).unwrap_err()));
        assert!(is_closed(&reader.read_blocking().unwrap_err()));
    }
}

#[test]
fn case_093_not_even_when_it_panics() {
    let (writer, mut reader) = pipe(Options::default());
    let died = std::thread::spawn(move || {
        let mut writer = writer;
        writer.write(b"x").unwrap();
        panic!("in the middle");
    });
    assert!(died.join().is_err());
    assert!(is_closed(&now(reader.read()).unwrap_err()));
}
