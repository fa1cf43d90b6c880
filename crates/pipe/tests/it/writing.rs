//! Section B: filling, handing over, taking back.

use crate::common::{bytes, counted, data, fill, is_closed, now, small_segments};
use aqueduct_pipe::{Flush, Options, PatchError, PipeErrorKind, Read, pipe};
use aqueduct_pool::Pool;
use aqueduct_slice::{Slice, SliceMut};
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
    assert_eq!((view.len(), bytes(&view)[0]), (26, b'a'));
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
fn a_slice_is_handed_over_as_it_is() {
    let (mut writer, mut reader) = pipe(Options::default());
    let slice = Slice::from(pattern(1000, 1));
    let place = slice.as_ptr();
    writer.write(b"before").unwrap();
    writer.push(slice).unwrap();
    writer.write(b"after").unwrap();
    writer
        .push_sequence(aqueduct_sequence::Sequence::from_iter([
            Slice::from(pattern(500, 2)),
            Slice::from(pattern(500, 3)),
        ]))
        .unwrap();
    now(writer.flush()).unwrap();
    let mut view = data(&mut reader);
    assert_eq!(view.take(6).into_slice(), b"before");
    let same = view.take(1000).into_slice();
    assert_eq!((same.as_ptr(), &same[..]), (place, &pattern(1000, 1)[..]));
    let rest: Vec<u8> = [b"after".to_vec(), pattern(500, 2), pattern(500, 3)].concat();
    assert_eq!(bytes(&view), rest);
}

#[test]
fn t21_a_million_one_byte_and_empty_slices_cost_what_their_bytes_do() {
    let pool = Pool::builder().build().unwrap();
    let options = Options::builder().pool(&pool).pause(0).build().unwrap();
    let (mut writer, mut reader) = pipe(options);
    let byte = Slice::from(vec![7; 64]);
    let count = aqueduct_testkit::scale(10_000);
    for i in 0..count {
        writer.push(byte.slice_shared(i % 60..i % 60 + 1)).unwrap();
        writer.push(Slice::new()).unwrap();
        if i % 100 == 0 {
            now(writer.flush()).unwrap();
        }
    }
    assert!(pool.stats().held_bytes <= 4 * count as u64 + (1 << 20));
    writer.finish();
    let view = crate::common::eof(&mut reader);
    assert_eq!(view.len(), count);
    assert!(view.seq().segments().count() <= count / 500 + 8);
}

#[test]
fn a_prefix_is_filled_in_before_the_flush_across_segments() {
    let (mut writer, mut reader) = small_segments(64, 64);
    writer.write(b"frame ").unwrap();
    let prefix = writer.reserve_prefix(4).unwrap();
    writer.write(&pattern(300, 1)).unwrap();
    writer.push(pattern(100, 2)).unwrap();
    let second = writer.reserve_prefix(2).unwrap();
    writer.write(&[9; 50]).unwrap();
    writer.patch(second, b"no").unwrap();
    writer.patch(prefix, b"room").unwrap();
    now(writer.flush()).unwrap();
    let want = [&b"frame room"[..], &pattern(300, 1), &pattern(100, 2), b"no", &[9; 50]].concat();
    assert_eq!(bytes(&data(&mut reader)), want);
}

#[test]
fn a_prefix_that_is_not_filled_in_is_zeros() {
    let pool = Pool::builder().build().unwrap();
    let options = || Options::builder().pool(&pool).segments(256, 256).build().unwrap();
    let (mut writer, reader) = pipe(options());
    fill(&mut writer, 0xaa);
    drop((writer, reader)); // the block is used again
    let (mut writer, mut reader) = pipe(options());
    let _ = writer.reserve_prefix(20).unwrap();
    now(writer.flush()).unwrap();
    assert_eq!(bytes(&data(&mut reader)), [0; 20]);
}

#[test]
fn t23_prefixes_of_other_pipes_and_other_times_are_refused() {
    let (mut writer, _reader) = pipe(Options::default());
    let (mut other, _other_reader) = pipe(Options::default());
    let prefix = writer.reserve_prefix(2).unwrap();
    let _ = other.reserve_prefix(2).unwrap();
    assert_eq!(other.patch(prefix, b"no"), Err(PatchError::Stale));
    let prefix = writer.reserve_prefix(2).unwrap();
    let refused = writer.patch(prefix, b"long");
    assert_eq!(refused, Err(PatchError::Length { given: 4, prefix: 2 }));
    let prefix = writer.reserve_prefix(2).unwrap();
    now(writer.flush()).unwrap();
    let _ = writer.reserve_prefix(2).unwrap();
    assert_eq!(writer.patch(prefix, b"no"), Err(PatchError::Stale));
    let prefix = writer.reserve_prefix(2).unwrap();
    writer.rollback();
    let _ = writer.reserve_prefix(2).unwrap();
    assert_eq!(writer.patch(prefix, b"no"), Err(PatchError::Stale));
}

#[test]
fn what_is_rolled_back_was_never_written() {
    for flushed in [0, 10, 100, 5_000] {
        for round in 0..4 {
            let (mut writer, mut reader) = small_segments(64, 256);
            writer.write(&pattern(flushed, 1)).unwrap();
            if round % 2 == 1 {
                writer.push(pattern(40, 9)).unwrap();
            }
            now(writer.flush()).unwrap();
            match round {
                0 => writer.write(&pattern(30, 2)).unwrap(),
                1 => writer.push(pattern(30, 2)).unwrap(),
                2 => {
                    writer.write(&pattern(1_000, 2)).unwrap();
                    writer.push(pattern(100, 3)).unwrap();
                    writer.write(&pattern(1_000, 2)).unwrap();
                }
                _ => drop(writer.reserve(2_000).unwrap()),
            }
            writer.rollback();
            assert_eq!(writer.unflushed(), 0);
            writer.write(b"kept").unwrap();
            writer.push(pattern(50, 4)).unwrap();
            writer.write(b"too").unwrap();
            writer.finish();
            let front = if round % 2 == 1 { pattern(40, 9) } else { Vec::new() };
            let want =
                [pattern(flushed, 1), front, b"kept".to_vec(), pattern(50, 4), b"too".to_vec()];
            assert_eq!(bytes(&crate::common::eof(&mut reader)), want.concat());
        }
    }
}

#[test]
fn the_limit_is_one() {
    let options = Options::builder().pause(100).max_buffered(1_000).build().unwrap();
    let (mut writer, mut reader) = pipe(options);
    writer.write(&[1; 600]).unwrap();
    now(async { drop(crate::common::once(writer.flush())) });
    writer.write(&[2; 400]).unwrap();
    let refused = writer.write(&[3]).unwrap_err();
    assert!(matches!(refused.kind(), PipeErrorKind::Full { asked: 1_001, limit: 1_000 }));
    let slice = Slice::from(vec![3; 50]);
    let refused = writer.push(slice).unwrap_err();
    assert_eq!(refused.slice, [3; 50]);
    assert!(matches!(refused.error.kind(), PipeErrorKind::Full { asked: 1_050, .. }));
    assert!(writer.reserve(1).is_err());
    data(&mut reader).consume(600);
    let slot = writer.reserve(1).unwrap();
    assert!(slot.len() <= 600, "not even room beyond the limit: {}", slot.len());
    writer.rollback();
    writer.write(&[4; 1_000]).unwrap();
    assert!(matches!(
        reader.read_at_least_blocking(1_001).unwrap_err().kind(),
        PipeErrorKind::Full { .. }
    ));
    assert!(matches!(
        now(reader.read_at_least(1_001)).unwrap_err().kind(),
        PipeErrorKind::Full { .. }
    ));
}

#[test]
fn memory_that_is_not_to_be_had_is_an_error() {
    let pool = Pool::builder().smallest_block(4096).largest_block(4096).hard_limit(10_000).build();
    let pool = pool.unwrap();
    let options = Options::builder().pool(&pool).segments(4096, 4096).build().unwrap();
    let (mut writer, mut reader) = pipe(options);
    let refused = loop {
        if let Err(refused) = writer.write(&[1; 1000]) {
            break refused;
        }
    };
    assert!(matches!(refused.kind(), PipeErrorKind::Pool(_)));
    writer.rollback();
    writer.write(b"as before").unwrap();
    writer.finish();
    assert_eq!(bytes(&crate::common::eof(&mut reader)), b"as before");
    let (mut writer, _reader) = pipe(Options::default());
    for most in [usize::MAX, usize::MAX - 15, isize::MAX as usize] {
        assert!(matches!(writer.reserve(most).unwrap_err().kind(), PipeErrorKind::Memory(_)));
        assert!(writer.reserve_prefix(most).is_err());
    }
}

#[test]
fn t08_room_is_committed_or_never_seen() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut slot = writer.reserve(100).unwrap();
    slot.room().fill(0xee);
    assert_eq!(slot.put(b"put"), 3);
    slot.commit(0);
    let mut buffer = SliceMut::with_capacity(64);
    buffer.extend_from_slice(&[1; 40]);
    writer.push(buffer.freeze()).unwrap();
    writer.finish();
    let Ok(Some(Read::Eof(view))) = reader.try_read() else { panic!("not the end") };
    assert_eq!(bytes(&view), [&b"put"[..], &[1; 40]].concat());
}
