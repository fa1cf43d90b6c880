//! Handing over, leaving out, taking back, and where writing ends.

use crate::common::{bytes, data, fill, now, own_pool, small_segments};
use aqueduct_pipe::{Options, PatchError, PipeErrorKind, Read, pipe};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::pattern;

#[test]
fn a_slice_is_handed_over_as_it_is() {
    let (mut writer, mut reader) = pipe(Options::default());
    let slice = Slice::from(pattern(1000, 1));
    let place = slice.as_ptr();
    writer.write(b"before").unwrap();
    writer.push(slice).unwrap();
    writer.write(b"after").unwrap();
    writer
        .push_sequence(Sequence::from_iter([
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
    let pool = own_pool();
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
    writer.patch(&second, b"no").unwrap();
    writer.patch(&prefix, b"room").unwrap();
    now(writer.flush()).unwrap();
    let want = [&b"frame room"[..], &pattern(300, 1), &pattern(100, 2), b"no", &[9; 50]].concat();
    assert_eq!(bytes(&data(&mut reader)), want);
}

#[test]
fn a_prefix_that_is_not_filled_in_is_zeros() {
    let pool = own_pool();
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
    assert_eq!(other.patch(&prefix, b"no"), Err(PatchError::Stale));
    let prefix = writer.reserve_prefix(2).unwrap();
    now(writer.flush()).unwrap();
    let _ = writer.reserve_prefix(2).unwrap();
    assert_eq!(writer.patch(&prefix, b"no"), Err(PatchError::Stale));
    let prefix = writer.reserve_prefix(2).unwrap();
    writer.rollback();
    let _ = writer.reserve_prefix(2).unwrap();
    assert_eq!(writer.patch(&prefix, b"no"), Err(PatchError::Stale));
}

#[test]
fn a_prefix_that_was_refused_can_still_be_filled_in() {
    let (mut writer, mut reader) = pipe(Options::default());
    let (mut other, _other_reader) = pipe(Options::default());
    let prefix = writer.reserve_prefix(2).unwrap();
    writer.write(b"body").unwrap();
    for given in [&b""[..], b"1", b"long"] {
        let refused = PatchError::Length { given: given.len(), prefix: 2 };
        assert_eq!(writer.patch(&prefix, given), Err(refused));
    }
    assert_eq!(other.patch(&prefix, b"no"), Err(PatchError::Stale));
    writer.patch(&prefix, b"ok").unwrap();
    now(writer.flush()).unwrap();
    assert_eq!(bytes(&data(&mut reader)), b"okbody");
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
fn a_sequence_that_is_refused_comes_back_and_nothing_of_it_is_written() {
    let pool = Pool::builder().smallest_block(4096).largest_block(4096).hard_limit(10_000).build();
    let pool = pool.unwrap();
    let options = Options::builder().pool(&pool).segments(4096, 4096).max_buffered(20_000);
    let (mut writer, mut reader) = pipe(options.build().unwrap());
    while writer.write(&[1; 100]).is_ok() {}
    let room = writer.reserve(1).map_or(0, |slot| slot.len());
    assert!(room < 100, "no block is left");

    // Long ones need no memory, the short ones more than there is.
    let long = || Slice::from(pattern(100, 1));
    let pieces: Vec<_> = (0..9).flat_map(|_| [long(), Slice::from(pattern(20, 2))]).collect();
    let before = writer.unflushed();
    for (pieces, limit) in [(pieces, false), (vec![Slice::from(pattern(20_001, 3)), long()], true)]
    {
        let sequence = Sequence::from_iter(pieces);
        let refused = writer.push_sequence(sequence.clone()).unwrap_err();
        assert_eq!(refused.sequence, sequence);
        let kind = refused.error.kind();
        let (full, pool) =
            (matches!(kind, PipeErrorKind::Full { .. }), matches!(kind, PipeErrorKind::Pool(_)));
        assert_eq!((full, pool), (limit, !limit), "{refused}");
        assert_eq!(writer.unflushed(), before, "nothing of it was written");
    }
    writer.push_sequence(Sequence::from_iter([long(), long()])).expect("it needs no memory");
    now(writer.flush()).unwrap();
    assert_eq!(data(&mut reader).len() as u64, before + 200);
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

#[test]
fn a_slice_behind_an_open_segment_is_not_kept_when_consumed() {
    let slice = Slice::from(vec![7; 100]);
    let (mut writer, mut reader) = pipe(Options::default());
    writer.write(&[1; 10]).unwrap();
    writer.push(slice.clone()).unwrap();
    let _ = writer.try_flush().unwrap();
    reader.try_read().unwrap().unwrap().into_view().consume(110);
    assert!(slice.is_unique());
}
