//! The k-th allocation fails, for every k: an error with the bytes that are there, or an abort, and no
//! block lost.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]

use aqueduct_pipe::{FramedReader, FramedWriter, Framing, Options, PipeErrorKind, pipe};
use aqueduct_pool::Pool;
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::{FailingAlloc, Starved, for_every_allocation, pattern};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc;

/// Each arms the allocator where its pipe is made.
const SCENARIOS: [Starved; 2] = [("bytes", |k| whole(bytes, k)), ("frames", |k| whole(frames, k))];

fn options(pool: &Pool) -> Options {
    Options::builder().pool(pool).segments(256, 1_024).build().expect("settings that make sense")
}

/// Writes in every way; what an error says is written is there, in its place, and nothing else.
fn bytes(pool: &Pool, k: u64) -> bool {
    let (mut writer, mut reader) = pipe(options(pool));
    let ours: Vec<_> = (0..14).map(|i| pattern(1 + i * 37, i)).collect();
    let slices: Vec<_> = ours.iter().map(|bytes| Slice::from(bytes.clone())).collect();
    let sequences: Vec<_> =
        slices.iter().map(|s| Sequence::from_iter([s.clone(), s.clone()])).collect();
    let mut expected = Vec::with_capacity(1 << 20);
    FailingAlloc::arm(k);
    for (i, bytes) in ours.iter().enumerate() {
        let before = writer.unflushed();
        let done = match i % 5 {
            0 => writer.write(bytes),
            1 => writer.push(slices[i].clone()).map_err(Into::into),
            2 => writer.push_sequence(sequences[i].clone()).map_err(|refused| {
                assert_eq!(refused.sequence, sequences[i], "it comes back whole");
                assert_eq!(writer.unflushed(), before, "nothing of it was written");
                refused.into()
            }),
            3 => writer.reserve(bytes.len()).map(|mut slot| {
                slot.room()[..bytes.len()].copy_from_slice(bytes);
                slot.commit(bytes.len());
            }),
            _ => writer.reserve_prefix(bytes.len()).map(|prefix| {
                writer.patch(&prefix, bytes).expect("it is open");
            }),
        };
        let copies = if i % 5 == 2 { 2 } else { 1 };
        let written = usize::try_from(writer.unflushed() - before).expect("few");
        if let Err(error) = &done {
            assert!(matches!(error.kind(), PipeErrorKind::Memory(_)), "{error}");
        }
        assert!(done.is_err() || written == copies * bytes.len());
        expected.extend(bytes.iter().cycle().take(written));
        if i % 3 == 0 {
            writer.try_flush().expect("the reader is there");
        }
        if i % 7 == 0
            && let Some(read) = reader.try_read().expect("no end")
        {
            let view = read.into_view();
            let count = view.len() / 2;
            assert_eq!(view.seq().slice(..count), expected[..count]);
            view.consume(count);
            expected.drain(..count);
        }
    }
    let failed = FailingAlloc::disarm();
    writer.finish();
    assert_eq!(reader.try_read().expect("an end").expect("bytes").into_view().seq(), expected[..]);
    failed
}

/// A frame is there whole, or not at all.
fn frames(pool: &Pool, k: u64) -> bool {
    let (writer, reader) = pipe(options(pool));
    let framing = Framing::prefixed(Prefix::U16Be, 4_000).expect("a rule that makes sense");
    let mut writer = FramedWriter::new(writer, framing.clone()).expect("it fits");
    let mut reader = FramedReader::new(reader, framing).expect("it fits");
    let ours: Vec<_> = (0..14).map(|i| pattern(1 + i * 37, i)).collect();
    let slices: Vec<_> = ours.iter().map(|bytes| Slice::from(bytes.clone())).collect();
    let mut expected = Vec::with_capacity(100);
    FailingAlloc::arm(k);
    for (i, bytes) in ours.iter().enumerate() {
        let done = match i % 3 {
            0 => writer.write(bytes).is_ok(),
            1 => writer.push(slices[i].clone()).is_ok(),
            _ => writer.begin().is_ok_and(|mut frame| {
                let halves = bytes.split_at(bytes.len() / 2);
                let both = frame.write(halves.0).and_then(|()| frame.write(halves.1));
                both.is_ok() && frame.end().is_ok()
            }),
        };
        if done {
            expected.push(i);
        }
    }
    let failed = FailingAlloc::disarm();
    writer.finish();
    for i in expected {
        let frame = reader.next_blocking().expect("a frame").expect("no end");
        assert_eq!(Sequence::from(frame), ours[i][..]);
    }
    assert!(reader.next_blocking().expect("an end").is_none());
    failed
}

/// One that leaves nothing behind, whatever fails.
fn whole(scenario: fn(&Pool, u64) -> bool, k: u64) -> bool {
    let pool = Pool::builder().build().expect("the defaults");
    let failed = scenario(&pool, k);
    assert_eq!(pool.outstanding(), 0);
    pool.trim();
    assert_eq!(pool.stats().held_bytes, 0);
    failed
}

#[test]
#[cfg_attr(miri, ignore = "starts child processes")]
fn t02_a_pipe_without_memory_says_so_or_aborts_and_loses_nothing() {
    let test = "t02_a_pipe_without_memory_says_so_or_aborts_and_loses_nothing";
    // What is no block ends the process: an entry's place in a list, a waker.
    for (failed, borne) in for_every_allocation(test, &SCENARIOS) {
        assert!(borne > 0, "none of {failed} gave an error");
    }
}
