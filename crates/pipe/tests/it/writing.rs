//! Section B: filling the pipe's memory.

use crate::common::{bytes, counted, data, fill, is_closed, now, small_segments};
use aqueduct_pipe::{Flush, Options, pipe};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use aqueduct_testkit::{panics, pattern};

#[test]
fn case_006_there_is_always_room_for_a_byte() {
    let (mut writer, _reader) = pipe(Options::default());
    assert!(!writer.reserve(0).unwrap().is_empty());
}

#[test]
fn case_007_room_is_at_least_what_was_asked_for() {
    let (mut writer, _reader) = pipe(Options::default());
    for least in [1, 10, 1_000, 5_000, 100_000, 3_000_000] {
        let mut slot = writer.reserve(least).unwrap();
        assert!(slot.len() >= least && slot.room().len() == slot.len());
    }
}

#[test]
fn case_008_the_next_room_follows_in_the_same_segment() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut slot = writer.reserve(3).unwrap();
    let len = slot.len();
    slot.room()[..3].copy_from_slice(&[1, 2, 3]);
    slot.commit(3);
    let mut slot = writer.reserve(1).unwrap();
    assert_eq!(slot.len(), len - 3);
    slot.room()[0] = 4;
    slot.commit(1);
    now(writer.flush()).unwrap();
    let view = data(&mut reader);
    assert_eq!((bytes(&view), view.seq().segments().count()), (vec![1, 2, 3, 4], 1));
}

#[test]
fn case_009_more_than_the_room_cannot_be_committed() {
    let (mut writer, mut reader) = pipe(Options::default());
    let slot = writer.reserve(3).unwrap();
    let len = slot.len();
    assert!(panics(|| slot.commit(len + 1)));
    assert_eq!((writer.unflushed(), writer.reserve(1).unwrap().len()), (0, len));
    writer.write(b"fine").unwrap();
    let slot = writer.reserve(3).unwrap();
    let len = slot.len();
    assert!(panics(|| slot.commit(len + 1)));
    writer.finish();
    assert_eq!(bytes(&crate::common::eof(&mut reader)), b"fine");
}

#[test]
fn t07_a_source_that_claims_more_than_it_wrote_is_refused() {
    let (mut writer, mut reader) = pipe(Options::default());
    let slot = writer.reserve(8).unwrap();
    assert!(panics(|| slot.commit(usize::MAX)));
    writer.finish();
    assert!(crate::common::eof(&mut reader).is_empty());
}

#[test]
fn case_010_nothing_committed_is_nothing_flushed() {
    let (mut writer, mut reader) = pipe(Options::default());
    writer.reserve(0).unwrap().commit(0);
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    assert!(reader.try_read().unwrap().is_none());
}

#[test]
fn case_011_an_empty_write_wakes_nobody() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (wakes, waker) = crate::common::Wakes::new();
    let mut context = std::task::Context::from_waker(&waker);
    assert!(reader.poll_read(&mut context).is_pending());
    writer.write(&[]).unwrap();
    writer.push(Slice::new()).unwrap();
    assert_eq!(now(writer.flush()).unwrap(), Flush::Done);
    assert_eq!(wakes.count(), 0);
}

#[test]
fn case_012_writes_of_every_size_come_out_as_they_went_in() {
    for size in [5, 50, 500, 5_000, 50_000, 3 * 4096] {
        let (mut writer, mut reader) = small_segments(4096, 4096);
        writer.write(&pattern(size, size)).unwrap();
        now(writer.flush()).unwrap();
        let view = data(&mut reader);
        assert_eq!(bytes(&view), pattern(size, size));
        assert!(view.seq().segments().all(|s| s.len() <= 4096 + 64));
    }
}

#[test]
fn case_013_what_no_block_is_large_enough_for_comes_from_the_heap() {
    let pool = Pool::builder().largest_block(4096).build().unwrap();
    let options = Options::builder().pool(&pool).segments(64, 4096).build().unwrap();
    let (mut writer, _reader) = pipe(options);
    assert!(writer.reserve(100_000).unwrap().len() >= 100_000);
    assert_eq!((pool.outstanding(), pool.stats().heap_fallbacks), (0, 0));
    let slot = writer.reserve(100_000).unwrap();
    let len = slot.len();
    slot.commit(len);
    assert!(writer.reserve(4096).unwrap().len() >= 4096);
    assert_eq!(pool.outstanding(), 1);
}

#[test]
fn case_014_segments_are_as_large_as_was_set() {
    let (_pool, mut writer, _reader) = counted();
    for _ in 0..3 {
        let len = fill(&mut writer, 1);
        assert!((4000..4300).contains(&len), "{len}");
    }
    let (mut writer, _reader) = small_segments(1 << 10, 64 << 10);
    let sizes: Vec<usize> = (0..9).map(|_| fill(&mut writer, 1)).collect();
    for (i, size) in sizes.iter().enumerate() {
        let want = (1 << 10 << i).min(64 << 10);
        assert!((want - 64..want + 128).contains(size), "{sizes:?}");
    }
}

#[test]
fn case_015_room_that_was_not_used_leaves_no_trace() {
    let (pool, mut writer, mut reader) = counted();
    drop(writer.reserve(512).unwrap());
    drop(writer.reserve(8192).unwrap());
    assert_eq!(pool.outstanding(), 1);
    writer.write(&[7; 100]).unwrap();
    now(writer.flush()).unwrap();
    let view = data(&mut reader);
    assert!(view.seq().segments().all(|s| !s.is_empty()));
    view.consume(100);
    writer.finish();
    drop(reader);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn case_018_unflushed_bytes_are_counted() {
    let (mut writer, _reader) = pipe(Options::default());
    writer.write(&[0; 26]).unwrap();
    assert_eq!(writer.unflushed(), 26);
    writer.push(vec![0; 100]).unwrap();
    assert_eq!(writer.unflushed(), 126);
    now(writer.flush()).unwrap();
    assert_eq!(writer.unflushed(), 0);
}

#[test]
fn case_019_what_is_not_flushed_is_not_seen() {
    let (mut writer, mut reader) = small_segments(64, 64);
    for round in 0..5 {
        writer.write(&pattern(300, round)).unwrap();
        assert!(reader.try_read().unwrap().is_none());
        now(writer.flush()).unwrap();
        let view = data(&mut reader);
        assert_eq!(view.len(), (round + 1) * 300);
        view.need_more(0);
    }
    let all: Vec<u8> = (0..5).flat_map(|round| pattern(300, round)).collect();
    let view = now(reader.read_at_least(1)).unwrap().into_view();
    assert_eq!(bytes(&view), all);
}

#[test]
fn case_020_single_bytes_and_more_in_tiny_segments() {
    let (mut writer, mut reader) = small_segments(1, 1);
    writer.write(b"a").unwrap();
    writer.reserve(1).unwrap().commit(0);
    writer.write(&pattern(25, 1)).unwrap();
    now(writer.flush()).unwrap();
    let view = data(&mut reader);
    assert_eq!(bytes(&view), [b"a".as_slice(), &pattern(25, 1)].concat());
}

#[test]
fn case_021_writing_to_nobody_takes_no_memory() {
    let (pool, mut writer, reader) = counted();
    drop(reader);
    for _ in 0..10_000 {
        assert!(is_closed(&writer.write(&[1; 100]).unwrap_err()));
        assert!(is_closed(&now(writer.flush()).unwrap_err()));
        assert_eq!(pool.outstanding(), 0);
    }
}

#[test]
fn case_022_what_was_open_when_the_reader_went_is_let_go_at_the_flush() {
    let (pool, mut writer, reader) = counted();
    writer.write(&[1; 100]).unwrap();
    drop(reader);
    for _ in 0..10_000 {
        if let Ok(slot) = writer.reserve(10) {
            slot.commit(10);
        }
        assert!(is_closed(&now(writer.flush()).unwrap_err()));
        assert_eq!((pool.outstanding(), writer.unflushed()), (0, 0));
    }
}

#[test]
fn a_slot_is_no_longer_than_the_limit_allows() {
    let options = Options::builder().pause(100).max_buffered(500).build().unwrap();
    let (mut writer, _reader) = pipe(options);
    writer.write(&[1; 100]).unwrap();
    let slot = writer.reserve(1).unwrap();
    assert_eq!(slot.len(), 400);
    slot.commit(400);
    assert!(writer.reserve(1).is_err());
    assert_eq!(writer.unflushed(), 500);
}

#[test]
fn after_a_release_segments_start_small_again() {
    let (mut writer, _reader) = small_segments(1 << 10, 64 << 10);
    let sizes: Vec<usize> = (0..5).map(|_| fill(&mut writer, 1)).collect();
    assert!(sizes[4] > 4 * sizes[0]);
    let _ = writer.try_flush().unwrap();
    writer.release();
    assert_eq!(fill(&mut writer, 1), sizes[0]);
}
