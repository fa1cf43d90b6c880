//! Section F: what is consumed, what is examined, and what the next read shows.

use crate::common::{bytes, data, eof, flush, now, small_segments, waits};
use aqueduct_pipe::{Options, pipe};
use aqueduct_testkit::{panics, pattern};

#[test]
fn case_069_consuming_examines_just_that() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, b"abcdef");
    let reader = data(&mut reader).consume(2);
    assert_eq!(bytes(&data(reader)), b"cdef");
}

#[test]
fn case_070_more_than_there_is_cannot_be_consumed() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, b"abcdef");
    assert!(panics(|| _ = data(&mut reader).consume(7)));
    assert!(panics(|| _ = data(&mut reader).need_more(7)));
    assert!(panics(|| drop(data(&mut reader).take(7))));
    assert_eq!(bytes(&now(reader.read_at_least(1)).unwrap().into_view()), b"abcdef");
    assert_eq!(reader.stats().buffered, 6);
}

#[test]
fn case_071_what_was_examined_may_be_looked_at_again() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    data(&mut reader).need_more(0);
    flush(&mut writer, &[2; 10]);
    let view = data(&mut reader);
    assert_eq!(view.len(), 20);
    view.consume(0);
    assert_eq!(data(&mut reader).len(), 20, "at once");
    assert_eq!(reader.stats().buffered, 20);
}

#[test]
fn case_072_what_is_buffered_after_each_decision() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    data(&mut reader).consume(5);
    assert_eq!(reader.stats().buffered, 5);
    flush(&mut writer, &[1; 5]);
    data(&mut reader).consume(0);
    assert_eq!(writer.stats().buffered, 10);
    for round in 1..=5 {
        data(&mut reader).need_more(0);
        flush(&mut writer, &[1; 10]);
        assert_eq!(writer.stats().buffered, 10 + 10 * round);
    }
    data(&mut reader).need_more(60);
    assert_eq!(writer.stats().buffered, 0);
}

#[test]
fn case_073_a_byte_at_a_time_in_and_out() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(0).build().unwrap());
    let count = aqueduct_testkit::scale(10_000);
    for i in 0..count {
        #[allow(clippy::cast_possible_truncation, reason = "a pattern")]
        flush(&mut writer, &[i as u8]);
        assert_eq!(writer.stats().buffered, i as u64 + 1);
    }
    for i in 0..count {
        let view = data(&mut reader);
        #[allow(clippy::cast_possible_truncation, reason = "a pattern")]
        let want = i as u8;
        assert_eq!(view.seq().get(0), Some(want));
        let reader = view.consume(1);
        assert_eq!(reader.stats().buffered, (count - i - 1) as u64);
    }
    assert!(waits(reader.read()));
}

#[test]
fn case_077_the_end_of_one_segment_is_the_start_of_the_next() {
    let (mut writer, mut reader) = small_segments(64, 64);
    let first = crate::common::fill(&mut writer, 1);
    let second = crate::common::fill(&mut writer, 2);
    flush(&mut writer, &[]);
    let view = data(&mut reader);
    assert_eq!(view.seq().segments().count(), 2);
    let reader = view.need_more(first);
    let view = now(reader.read_at_least(1)).unwrap().into_view();
    assert_eq!((view.len(), view.seq().segments().count()), (second, 1));
    assert_eq!(bytes(&view), vec![2; second]);
}

#[test]
fn case_078_consumed_in_the_first_examined_to_the_last() {
    let (mut writer, mut reader) = small_segments(64, 64);
    for round in 0..5 {
        flush(&mut writer, &pattern(200, round));
        data(&mut reader).need_more(50);
    }
    let all: Vec<u8> = (0..5).flat_map(|round| pattern(200, round)).collect();
    let view = now(reader.read_at_least(750)).unwrap().into_view();
    assert_eq!(bytes(&view), all[250..]);
}

#[test]
fn case_079_up_to_the_end_of_a_segment_that_is_being_written() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    let mut slot = writer.reserve(100).unwrap();
    slot.room()[..3].fill(2);
    data(&mut reader).consume(10);
    slot.commit(3);
    flush(&mut writer, &[]);
    assert_eq!(bytes(&data(&mut reader)), [2; 3]);
}

#[test]
fn case_080_all_examined_waits_and_anything_less_does_not() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    data(&mut reader).need_more(3);
    assert!(waits(reader.read()));
    flush(&mut writer, &[2; 10]);
    let view = data(&mut reader);
    assert_eq!(bytes(&view), [[1; 7].as_slice(), &[2; 10]].concat());
    view.consume(16);
    assert_eq!(bytes(&data(&mut reader)), [2]);
}

#[test]
fn case_081_after_the_end_nothing_waits() {
    let (mut writer, mut reader) = pipe(Options::default());
    flush(&mut writer, &[1; 10]);
    writer.finish();
    for _ in 0..3 {
        eof(&mut reader).need_more(0);
    }
    assert_eq!(eof(&mut reader).len(), 10);
}

#[test]
fn what_is_taken_outlives_the_pipe() {
    let (mut writer, mut reader) = small_segments(64, 64);
    flush(&mut writer, &pattern(500, 1));
    let mut view = data(&mut reader);
    let first = view.take(10);
    let second = view.take(300);
    assert_eq!(view.len(), 190);
    let reader_again = view.consume(90);
    assert_eq!(reader_again.stats().buffered, 100);
    drop((writer, reader));
    let all = pattern(500, 1);
    assert_eq!(first.as_ref().to_contiguous(), &all[..10]);
    assert_eq!(second.as_ref().to_contiguous(), &all[10..310]);
}

#[test]
fn what_is_taken_resumes_the_writer_even_if_the_view_is_dropped() {
    let (mut writer, mut reader) = crate::common::paced(64, 32);
    assert!(flush(&mut writer, &[1; 64]));
    let _ = data(&mut reader).take(40);
    assert!(!flush(&mut writer, &[]));
    assert_eq!(data(&mut reader).len(), 24);
}
