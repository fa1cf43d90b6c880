//! Section G: which blocks are held, and until when.

// case 089: no meaning here: segments are places of a vector, not objects; allocations.rs shows that none is made in steady state.

use crate::common::{counted, data, eof, fill, flush, is_closed, now, waits};
use aqueduct_pipe::{Options, View, pipe};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use std::sync::Arc;
use std::task::Context;

#[test]
fn case_082_full_segments_go_back_as_they_are_consumed_the_last_one_too() {
    let (pool, mut writer, mut reader) = counted();
    for byte in 0..3 {
        fill(&mut writer, byte);
    }
    flush(&mut writer, &[]);
    assert_eq!(pool.outstanding(), 3);
    let len = data(&mut reader).len();
    data(&mut reader).consume(len);
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn case_083_a_segment_that_is_being_written_stays() {
    let (pool, mut writer, mut reader) = counted();
    fill(&mut writer, 1);
    fill(&mut writer, 2);
    writer.write(&[3; 10]).unwrap();
    flush(&mut writer, &[]);
    let len = data(&mut reader).len();
    data(&mut reader).consume(len);
    assert_eq!(pool.outstanding(), 1);
}

#[test]
fn case_084_room_that_is_out_while_its_segment_is_consumed() {
    let (pool, mut writer, mut reader) = counted();
    flush(&mut writer, &[1; 10]);
    let mut slot = writer.reserve(10).unwrap();
    data(&mut reader).consume(10);
    assert_eq!(pool.outstanding(), 1);
    slot.room()[..10].fill(2);
    slot.commit(10);
    flush(&mut writer, &[]);
    assert_eq!(crate::common::bytes(&data(&mut reader)), [2; 10]);
}

#[test]
fn case_085_after_all_went_back_one_is_taken_again() {
    let (pool, mut writer, mut reader) = counted();
    fill(&mut writer, 1);
    flush(&mut writer, &[]);
    let len = data(&mut reader).len();
    data(&mut reader).consume(len);
    assert_eq!(pool.outstanding(), 0);
    flush(&mut writer, &[1]);
    assert_eq!((pool.outstanding(), data(&mut reader).len()), (1, 1));
}

#[test]
fn case_086_unread_segments_go_back_with_the_reader() {
    let (pool, mut writer, mut reader) = counted();
    for round in 0..4 {
        writer.write(&[1; 3_000]).unwrap();
        writer.push(vec![2; 100]).unwrap();
        flush(&mut writer, &[]);
        if round == 1 {
            data(&mut reader).consume(100);
        }
    }
    assert!(pool.outstanding() >= 3);
    drop(reader);
    assert!(pool.outstanding() <= 1, "but for the one that is being written");
    assert!(is_closed(&now(writer.flush()).unwrap_err()));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn case_087_room_that_was_never_used_goes_back() {
    let (pool, mut writer, reader) = counted();
    drop(writer.reserve(100).unwrap());
    assert_eq!(pool.outstanding(), 1);
    drop((writer, reader));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn what_is_done_with_goes_back_however_that_is_said() {
    let (pool, mut writer, mut reader) = counted();
    let says: [fn(View<'_>, usize); 3] = [
        |view, len| _ = view.consume(len),
        |view, len| _ = view.need_more(len),
        |mut view, len| drop(view.take(len)),
    ];
    for say in says {
        let slice = Slice::from(vec![7; 100]);
        fill(&mut writer, 1);
        writer.push(slice.clone()).unwrap();
        flush(&mut writer, &[]);
        assert_eq!((pool.outstanding(), slice.is_unique()), (1, false));
        let view = data(&mut reader);
        let len = view.len();
        say(view, len);
        assert_eq!((pool.outstanding(), slice.is_unique()), (0, true));
    }
}

#[test]
fn case_090_a_new_pipe_on_the_same_pool_is_as_good_as_the_first() {
    let (pool, mut writer, mut reader) = counted();
    flush(&mut writer, &[1; 10]);
    drop(data(&mut reader));
    drop((writer, reader));
    assert_eq!(pool.outstanding(), 0);
    let (mut writer, mut reader) = pipe(Options::builder().pool(&pool).build().unwrap());
    assert!(waits(reader.read()));
    assert_eq!(reader.stats(), aqueduct_pipe::PipeStats::default());
    flush(&mut writer, &[2; 10]);
    assert_eq!(crate::common::bytes(&data(&mut reader)), [2; 10]);
}

#[test]
fn case_092_wherever_the_halves_are_dropped_nothing_is_left() {
    for step in 0..8 {
        for reader_first in [false, true] {
            let (pool, mut writer, mut reader) = counted();
            let mut taken = None;
            if step > 0 {
                writer.write(&[1; 6_000]).unwrap();
            }
            if step > 1 {
                flush(&mut writer, &[]);
            }
            if step > 2 {
                assert!(matches!(reader.try_read(), Ok(Some(_))));
            }
            if step > 3 {
                taken = Some(data(&mut reader).take(5_000));
            }
            if step > 4 {
                writer.write(&[2; 5_000]).unwrap();
                let _ = writer.reserve_prefix(10).unwrap();
            }
            if step > 5 {
                flush(&mut writer, &[3; 100]);
            }
            if step > 6 {
                drop(writer.reserve(9_000));
            }
            if reader_first {
                drop(reader);
                drop(writer);
            } else {
                drop(writer);
                drop(reader);
            }
            assert_eq!(pool.outstanding() > 0, taken.is_some());
            drop(taken);
            assert_eq!(pool.outstanding(), 0, "step {step}");
        }
    }
}

#[test]
fn an_idle_pipe_can_hold_no_segment() {
    let (pool, mut writer, mut reader) = counted();
    flush(&mut writer, &[1; 10]);
    data(&mut reader).consume(10);
    let (wakes, waker) = crate::common::Wakes::new();
    let mut context = Context::from_waker(&waker);
    assert!(reader.poll_read(&mut context).is_pending());
    assert_eq!(pool.outstanding(), 1);
    writer.release();
    assert_eq!(wakes.count(), 1, "to let go of the segment, too");
    assert!(reader.poll_read(&mut context).is_pending());
    assert_eq!(pool.outstanding(), 0);
    writer.release();
    assert_eq!(wakes.count(), 1);
    flush(&mut writer, &[2; 10]);
    assert_eq!(crate::common::bytes(&data(&mut reader)), [2; 10]);
    writer.write(b"not flushed").unwrap();
    writer.release();
    flush(&mut writer, &[]);
    assert_eq!(data(&mut reader).len(), 21);
}

/// For who has both halves: nothing is waited for, and nobody is woken.
#[test]
fn a_reader_that_does_not_wait_can_let_go_of_its_segment() {
    let (pool, mut writer, mut reader) = counted();
    flush(&mut writer, &[1; 10]);
    data(&mut reader).consume(4);
    writer.release();
    reader.release();
    assert_eq!(pool.outstanding(), 1, "it is not read to its end");
    data(&mut reader).consume(6);
    reader.release();
    assert_eq!(pool.outstanding(), 0);
    flush(&mut writer, &[2; 10]);
    data(&mut reader).consume(10);
    reader.release();
    assert_eq!(pool.outstanding(), 1, "the writer goes on in it");
    writer.release();
    assert_eq!(pool.outstanding(), 1, "the reader has not let go of it");
    reader.release();
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn a_slice_that_was_consumed_is_not_kept() {
    let owner = Arc::new([7; 100]);
    let (mut writer, mut reader) = pipe(Options::default());
    struct Shared(Arc<[u8; 100]>);
    impl AsRef<[u8]> for Shared {
        fn as_ref(&self) -> &[u8] {
            &*self.0
        }
    }
    let slice = Slice::from_owner(Shared(Arc::clone(&owner)));
    writer.push(slice).unwrap();
    flush(&mut writer, &[]);
    data(&mut reader).consume(100);
    assert_eq!(Arc::strong_count(&owner), 1);
}

#[test]
fn a_reader_that_meets_the_end_keeps_no_block() {
    let (pool, mut writer, mut reader) = counted();
    flush(&mut writer, b"all");
    data(&mut reader).consume(3);
    writer.finish();
    assert_eq!(eof(&mut reader).len(), 0);
    assert_eq!(pool.outstanding(), 0, "nothing can grow any more");
}

#[test]
fn who_keeps_up_stays_in_one_block() {
    let pool = Pool::new();
    let options = Options::builder().pool(&pool).segments(64 << 10, 64 << 10);
    let (mut writer, mut reader) = pipe(options.build().unwrap());
    for i in 0..10_000_usize {
        let bytes = aqueduct_testkit::pattern(i % 900, i);
        flush(&mut writer, &bytes);
        if let Some(read) = reader.try_read().unwrap() {
            let view = read.into_view();
            assert_eq!(crate::common::bytes(&view), bytes);
            view.consume(bytes.len());
        }
    }
    assert_eq!(pool.stats().gets, 1, "4 MiB went through it");
}

#[test]
fn what_was_taken_stays_as_it_is_however_much_is_written_after_it() {
    let (pool, mut writer, mut reader) = counted();
    let mut kept = std::collections::VecDeque::new();
    for i in 0..5_000_usize {
        let bytes = aqueduct_testkit::pattern(i % 900, i);
        flush(&mut writer, &bytes);
        if let Some(read) = reader.try_read().unwrap() {
            let mut view = read.into_view();
            let count = view.len();
            let first = view.take(count.min(i % 7 * 100));
            kept.push_back((first.clone(), first.as_ref().to_contiguous().into_owned()));
            let left = view.len();
            view.consume(left);
        }
        if kept.len() > i % 11 {
            let (shows, showed) = kept.pop_front().unwrap();
            assert_eq!(shows.as_ref().to_contiguous().into_owned(), showed);
        }
    }
    kept.clear();
    drop((writer, reader));
    assert_eq!(pool.outstanding(), 0);
}

/// As [`who_keeps_up_stays_in_one_block`], for who takes what is there, as the stream of slices and the
/// frames do, and lets go of it before the next read.
#[test]
fn who_takes_all_and_lets_go_of_it_stays_in_one_block() {
    let pool = Pool::new();
    let options = Options::builder().pool(&pool).segments(64 << 10, 64 << 10);
    let (mut writer, mut reader) = pipe(options.build().unwrap());
    for i in 0..1_000_usize {
        let bytes = aqueduct_testkit::pattern(900, i);
        flush(&mut writer, &bytes);
        let mut view = data(&mut reader);
        let taken = view.take(bytes.len());
        assert_eq!(taken, bytes[..]);
        drop(taken);
        assert!(waits(reader.read()), "it parks, and holds nothing");
    }
    assert_eq!(pool.stats().gets, 1, "900 kB went through it");
}

/// As the test above, with slices so short that they are in the handle.
#[test]
fn who_takes_inline_bytes_stays_in_one_block() {
    let pool = Pool::new();
    let options = Options::builder().pool(&pool).segments(8 << 10, 8 << 10);
    let (mut writer, mut reader) = pipe(options.build().unwrap());
    for i in 0..10_000_usize {
        let bytes = aqueduct_testkit::pattern(20, i);
        flush(&mut writer, &bytes);
        let mut view = data(&mut reader);
        assert_eq!(view.take(19).into_slice(), bytes[..19]);
        assert_eq!(view.take(1).into_slice(), bytes[19..]);
    }
    assert_eq!(pool.stats().gets, 1, "200 kB went through it");
}

#[test]
fn a_reader_that_waits_for_the_end_holds_no_block() {
    let pool = Pool::new();
    let (mut writer, mut reader) = pipe(Options::builder().pool(&pool).build().unwrap());
    assert!(!flush(&mut writer, b"a message"));
    data(&mut reader).consume(9);
    assert!(waits(reader.closed()));
    writer.release();
    assert!(waits(reader.closed()));
    assert_eq!(pool.outstanding(), 0);
}
