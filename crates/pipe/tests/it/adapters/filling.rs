//! What the pipe holds while a source comes and goes.

use super::{
    doubles::{Act, Source},
    inner, now, pooled, take_all, waits, woken_by,
};
use aqueduct_base::meter;
use aqueduct_pipe::{Options, PipeErrorKind, pipe};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use std::io::ErrorKind;

/// A thousand one-byte messages, each with a wait behind it, that the reader does not consume: three
/// blocks, not a thousand.
#[test]
fn short_messages_share_a_block_while_the_reader_lags() {
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.build().unwrap());
    let script = (0..1000).flat_map(|_| [Act::Some(1), Act::Wait]);
    let mut source = Source::new(&pattern(1000, 1), script);
    for _ in 0..1000 {
        assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 1);
        waits(writer.fill_from(&mut source));
        assert!(pool.outstanding() <= 3, "{}", pool.outstanding());
        // Looked at, and not enough.
        reader.try_read().unwrap().unwrap().into_view().need_more(0);
    }
    source.script.push_back(Act::Wait);
    source.script.push_back(Act::Wait);
    let mut got = Slice::new();
    let filled = woken_by(writer.fill_from(&mut source), || {
        let mut view = now(reader.read_at_least(1000)).unwrap().into_view();
        got = view.take(1000).into_slice();
    });
    assert!(filled.is_pending());
    assert_eq!(got, pattern(1000, 1));
    drop(got);
    waits(reader.read());
    assert_eq!(pool.outstanding(), 0, "the last decision let go of the block");
}

#[test]
fn a_steady_source_gets_large_reads_and_a_quiet_one_small_blocks() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(0).build().unwrap());
    let mut source = Source::new(&pattern(300_000, 1), []);
    while now(writer.fill_from(&mut source)).unwrap() > 0 {}
    assert!(*source.rooms.iter().max().unwrap() > 60_000, "{:?}", source.rooms);
    assert_eq!(take_all(&mut reader).len(), 300_000);
    // Bursts of 40,000 with waits between: the size is kept over the wait.
    let script = (0..4).flat_map(|_| [Act::Some(40_000), Act::Wait]);
    let mut source = Source::new(&pattern(160_000, 1), script);
    for _ in 0..4 {
        assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 40_000);
        waits(writer.fill_from(&mut source));
        take_all(&mut reader);
    }
    // And what comes in drops gets small blocks again.
    let script = (0..4).flat_map(|_| [Act::Some(40), Act::Wait]);
    let mut source = Source::new(&pattern(160, 1), script);
    for _ in 0..4 {
        assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 40);
        waits(writer.fill_from(&mut source));
        take_all(&mut reader);
    }
    assert!(*source.rooms.last().unwrap() < 1200, "{:?}", source.rooms);
}

#[test]
fn filling_and_draining_copy_nothing_of_ours() {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut source = Source::new(&pattern(50_000, 1), []);
    let mut sink = super::doubles::Sink::new(true, []);
    let before = meter::thread();
    while now(writer.fill_from(&mut source)).unwrap() > 0 {
        now(reader.drain_to(&mut sink)).unwrap();
    }
    assert_eq!((meter::thread() - before).bytes, 0);
    assert_eq!(sink.got, pattern(50_000, 1));
}

#[test]
fn a_paused_pipe_does_not_read() {
    let (mut writer, mut reader) = pipe(Options::builder().pause(100).build().unwrap());
    let mut source = Source::new(&pattern(3000, 1), []);
    let first = now(writer.fill_from(&mut source)).unwrap();
    assert!(first >= 100);
    waits(writer.fill_from(&mut source));
    assert_eq!(source.calls, 1);
    assert_eq!(take_all(&mut reader).len(), first);
    assert!(now(writer.fill_from(&mut source)).unwrap() > 0);
}

#[test]
fn at_the_pools_hard_limit_filling_fails_and_goes_on_when_a_block_is_back() {
    let pool = Pool::builder().largest_block(4096).hard_limit(64 << 10).build().unwrap();
    let (mut writer, mut reader) = pipe(Options::builder().pool(&pool).build().unwrap());
    let out: Vec<_> = std::iter::from_fn(|| pool.try_get(1024).ok()).collect();
    let mut source = Source::new(b"later", []);
    let refused = now(writer.fill_from(&mut source)).unwrap_err();
    assert_eq!((refused.kind(), source.calls), (ErrorKind::OutOfMemory, 0));
    assert!(matches!(inner(&refused), PipeErrorKind::Pool(_)));
    drop(out);
    assert_eq!(now(writer.fill_from(&mut source)).unwrap(), 5);
    assert_eq!(take_all(&mut reader), b"later");
}

#[test]
fn a_block_that_was_left_for_an_unused_one_is_let_go() {
    let (options, pool) = pooled();
    let (mut writer, mut reader) = pipe(options.build().unwrap());
    writer.write(b"read long ago").unwrap();
    assert!(writer.try_flush().unwrap().is_some());
    take_all(&mut reader);
    let read = woken_by(reader.read(), || {
        assert!(writer.reserve(50_000).unwrap().len() >= 50_000);
        writer.release();
    });
    assert!(read.is_pending());
    assert_eq!(pool.outstanding(), 0);
}
