//! Framed writing: what is copied, what is refused, and what is left of it.

use aqueduct_base::meter;
use aqueduct_pipe::{
    Flush, FrameError, FrameFault, FramedReader, FramedWriter, Framing, Options, pipe,
};
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
#[cfg(feature = "stream")]
use futures_sink::Sink;
#[cfg(feature = "stream")]
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::{be4, machine::left};

fn framed(framing: &Framing) -> (FramedWriter, FramedReader) {
    let (writer, reader) = pipe(Options::default());
    let writer = FramedWriter::new(writer, framing.clone()).expect("no limit");
    (writer, FramedReader::new(reader, framing.clone()).expect("no limit"))
}

fn next(reader: &mut FramedReader) -> Vec<u8> {
    let frame = reader.next_blocking().expect("sound").expect("a frame");
    frame.as_ref().to_contiguous().into_owned()
}

#[test]
fn no_copy_is_counted_of_a_delimiter_that_is_not_there() {
    let (mut writer, _reader) = framed(&be4(100));
    let before = meter::thread();
    writer.write(b"frame").expect("it fits");
    writer.push(Sequence::new()).expect("it fits");
    let spent = meter::thread() - before;
    assert_eq!((spent.copies, spent.bytes), if cfg!(feature = "meter") { (1, 5) } else { (0, 0) });
}

#[test]
fn what_is_pushed_is_not_copied() {
    let (mut writer, mut reader) = framed(&be4(10_000));
    let (head, body) = (Slice::from(pattern(100, 1)), Slice::from(pattern(4000, 2)));
    let before = meter::thread();
    writer.push(body.clone()).expect("it fits");
    writer.push(Sequence::from_iter([head.clone(), body.clone()])).expect("it fits");
    writer.try_flush().expect("the reader is there");
    let spent = meter::thread() - before;
    assert_eq!((spent.copies, spent.bytes), (0, 0));
    let first = reader.lend_blocking().expect("sound").expect("a frame");
    assert_eq!(first.first().as_ptr(), body.as_ptr());
    let second = reader.lend_blocking().expect("sound").expect("a frame");
    let parts: Vec<*const u8> = second.segments().map(<[u8]>::as_ptr).collect();
    assert_eq!(parts, [head.as_ptr(), body.as_ptr()]);
}

#[test]
fn what_is_written_is_copied_once_and_lies_in_one_piece() {
    let (mut writer, mut reader) = framed(&be4(100_000));
    let before = meter::thread();
    for len in [10, 900, 5000, 50_000] {
        writer.write(&pattern(len, len)).expect("it fits");
    }
    writer.finish();
    let copied = if cfg!(feature = "meter") { 10 + 900 + 5000 + 50_000 } else { 0 };
    assert_eq!((meter::thread() - before).bytes, copied);
    for len in [10, 900, 5000, 50_000] {
        let frame = reader.lend_blocking().expect("sound").expect("a frame");
        assert!(frame.is_contiguous());
        assert_eq!(frame, &pattern(len, len)[..]);
    }
}

#[test]
fn a_frame_is_filled_in_place_and_its_length_patched() {
    for (prefix, width) in [
        (Prefix::U8, 1),
        (Prefix::U24Le, 3),
        (Prefix::U56Be, 7),
        (Prefix::U64Le, 8),
        // As wide as that of the largest frame.
        (Prefix::Leb128, 2),
        (Prefix::Quic, 2),
    ] {
        let framing = Framing::prefixed(prefix, 250).expect("a rule");
        let (mut writer, mut reader) = framed(&framing);
        writer.write(b"before").expect("it fits");
        let start = writer.position();
        let pushed = Slice::from(pattern(100, 1));
        let mut frame = writer.begin().expect("it has a prefix");
        assert!(frame.is_empty());
        let mut slot = frame.reserve(50).expect("it fits");
        slot.room()[..3].fill(7);
        slot.commit(3);
        frame.push(pushed.clone()).expect("it fits");
        frame.write(b"end").expect("it fits");
        assert_eq!(frame.len(), 106);
        frame.end().expect("it fits");
        assert_eq!(writer.position(), start + width + 106);
        writer.finish();
        assert_eq!(next(&mut reader), b"before");
        let want = [&[7; 3][..], &pushed, b"end"].concat();
        assert_eq!(next(&mut reader), want, "{prefix:?}");
        assert!(reader.next_blocking().expect("sound").is_none());
    }
}

/// Its length, too, is written where it is sent from, and is no copy.
#[test]
fn a_frame_that_is_made_in_place_is_not_copied() {
    for prefix in [Prefix::U32Be, Prefix::U16Le, Prefix::Leb128, Prefix::Quic] {
        let framing = Framing::prefixed(prefix, 10_000).expect("a rule");
        let (mut writer, mut reader) = framed(&framing);
        let pushed = Slice::from(pattern(100, 1));
        let before = meter::thread();
        let mut frame = writer.begin().expect("it has a prefix");
        let mut slot = frame.reserve(50).expect("it fits");
        slot.room()[..3].fill(7);
        slot.commit(3);
        frame.push(pushed.clone()).expect("it fits");
        frame.end().expect("it fits");
        writer.finish();
        assert_eq!(meter::thread() - before, meter::Counts::default(), "{prefix:?}");
        assert_eq!(next(&mut reader), [&[7; 3][..], &pushed].concat(), "{prefix:?}");
    }
}

#[test]
fn a_frame_that_is_not_ended_is_taken_back_alone() {
    let (mut writer, mut reader) = framed(&be4(1000));
    writer.write(b"before").expect("it fits");
    let mut frame = writer.begin().expect("it has a prefix");
    frame.push(pattern(500, 1)).expect("it fits");
    drop(frame);
    writer.write(b"after").expect("it fits");
    writer.finish();
    assert_eq!(next(&mut reader), b"before");
    assert_eq!(next(&mut reader), b"after");
    assert!(reader.next_blocking().expect("sound").is_none());
}

/// A builder that is forgotten cannot take its frame back; whatever is done next does.
#[test]
fn a_frame_whose_builder_is_forgotten_is_taken_back_alone() {
    fn then(next: impl FnOnce(FramedWriter)) -> Vec<u8> {
        let (mut writer, reader) = pipe(Options::default());
        writer.write(b"raw").expect("room");
        let mut writer = FramedWriter::new(writer, be4(1000)).expect("no limit");
        writer.write(b"before").expect("it fits");
        let mut frame = writer.begin().expect("it has a prefix");
        frame.push(pattern(500, 1)).expect("it fits");
        std::mem::forget(frame);
        next(writer);
        left(reader)
    }
    let before = b"raw\0\0\0\x06before";
    let and = |frame: &[u8]| [&before[..], frame].concat();
    let flushed =
        |done: Result<Flush, _>| assert_eq!(done.expect("the reader is there"), Flush::Done);
    assert_eq!(then(FramedWriter::finish), before);
    assert_eq!(then(|writer| writer.into_inner().finish()), before);
    assert_eq!(then(drop), before);
    let after = |mut writer: FramedWriter| {
        assert_eq!(writer.position(), 10);
        writer.write(b"after").expect("it fits");
        assert_eq!(writer.position(), 19);
        writer.finish();
    };
    assert_eq!(then(after), and(b"\0\0\0\x05after"));
    let pushed = |mut writer: FramedWriter| {
        writer.push(b"after".to_vec()).expect("it fits");
        writer.finish();
    };
    assert_eq!(then(pushed), and(b"\0\0\0\x05after"));
    let begun = |mut writer: FramedWriter| {
        let mut frame = writer.begin().expect("it has a prefix");
        assert!(frame.is_empty());
        frame.write(b"after").expect("it fits");
        frame.end().expect("it fits");
        writer.finish();
    };
    assert_eq!(then(begun), and(b"\0\0\0\x05after"));
    let waits = |mut writer: FramedWriter| flushed(crate::common::now(writer.flush()));
    assert_eq!(then(waits), before);
    assert_eq!(then(|mut writer| flushed(writer.flush_blocking())), before);
    let tries = |mut writer: FramedWriter| flushed(writer.try_flush().map(Option::unwrap));
    assert_eq!(then(tries), before);
    let released = |mut writer: FramedWriter| {
        writer.release();
        assert_eq!(writer.writer().unflushed(), 0);
    };
    assert_eq!(then(released), before);
}

#[test]
#[cfg(feature = "stream")]
fn a_sink_takes_a_frame_back_whose_builder_is_forgotten() {
    type Step = fn(Pin<&mut FramedWriter>, &mut Context<'_>) -> Poll<Result<(), FrameError>>;
    let steps: [Step; 3] = [
        <FramedWriter as Sink<Vec<u8>>>::poll_ready,
        <FramedWriter as Sink<Vec<u8>>>::poll_flush,
        <FramedWriter as Sink<Vec<u8>>>::poll_close,
    ];
    for step in steps {
        let (mut writer, mut reader) = framed(&be4(1000));
        writer.write(b"before").expect("it fits");
        let mut frame = writer.begin().expect("it has a prefix");
        frame.push(pattern(500, 1)).expect("it fits");
        std::mem::forget(frame);
        let done = step(Pin::new(&mut writer), &mut Context::from_waker(Waker::noop()));
        assert!(matches!(done, Poll::Ready(Ok(()))));
        drop(writer);
        assert_eq!(next(&mut reader), b"before");
        if let Ok(Some(frame)) = reader.next_blocking() {
            panic!("a frame of {} bytes", frame.len());
        }
    }
}

fn too_large(refused: &FrameError) -> bool {
    matches!(refused.fault(), FrameFault::TooLarge { most: 100, .. })
}

#[test]
fn a_frame_that_grows_too_large_is_refused_and_leaves_nothing() {
    let (mut writer, mut reader) = framed(&be4(100));
    let mut frame = writer.begin().expect("it has a prefix");
    frame.write(&[7; 60]).expect("it fits");
    assert!(too_large(&frame.write(&[8; 41]).unwrap_err()));
    let refused = frame.push(vec![8; 41]).unwrap_err();
    assert!(too_large(&refused.error) && refused.frame == [8; 41]);
    assert!(too_large(&frame.reserve(41).unwrap_err()));
    assert_eq!(frame.len(), 60, "nothing of what was refused");
    // A slot may have more room than the frame has left: then the end is where it shows.
    let slot = frame.reserve(40).expect("it fits");
    assert!(slot.len() > 40);
    slot.commit(41);
    let refused = frame.end().unwrap_err();
    assert!(too_large(&refused));
    assert_eq!((refused.at(), writer.position(), writer.writer().unflushed()), (0, 0, 0));
    writer.write(b"sound").expect("it fits");
    writer.finish();
    assert_eq!(next(&mut reader), b"sound");
    assert!(reader.next_blocking().expect("sound").is_none());
}

#[test]
fn fixed_frames_are_built_without_a_prefix_and_have_their_size() {
    let framing = Framing::fixed(64).expect("a rule");
    let (mut writer, mut reader) = framed(&framing);
    let mut frame = writer.begin().expect("it has a size");
    frame.write(&[1; 63]).expect("it fits");
    let refused = frame.end().unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::WrongSize { given: 63, size: 64 }));
    let refused = writer.write(&[1; 63]).unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::WrongSize { given: 63, size: 64 }));
    let mut frame = writer.begin().expect("it has a size");
    frame.write(&[1; 63]).expect("it fits");
    frame.write(&[2]).expect("it fits");
    frame.end().expect("it has its size");
    writer.push(vec![3; 64]).expect("it has its size");
    writer.finish();
    assert_eq!(next(&mut reader)[63], 2);
    assert_eq!(next(&mut reader), [3; 64]);
    assert!(reader.next_blocking().expect("sound").is_none());
}

#[test]
fn a_delimited_frame_is_written_whole() {
    let framing = Framing::delimited(b"\n", 64).expect("a rule");
    let (mut writer, _reader) = framed(&framing);
    let refused = writer.begin().unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::Whole));
}

#[test]
fn beginning_a_frame_does_not_swallow_an_interrupt() {
    let (mut writer, _reader) = framed(&be4(100));
    writer.write(b"before").expect("it fits");
    writer.writer().interrupter().interrupt();
    let mut frame = writer.begin().expect("it has a prefix");
    frame.write(b"x").expect("it fits");
    frame.end().expect("it fits");
    assert_eq!(writer.flush_blocking().expect("the reader is there"), Flush::Cancelled);
    assert_eq!(writer.flush_blocking().expect("the reader is there"), Flush::Done);
}

#[test]
fn a_reader_that_is_gone_is_an_error() {
    let (mut writer, reader) = framed(&be4(100));
    writer.write(b"before").expect("it fits");
    drop(reader);
    assert!(matches!(writer.begin().unwrap_err().fault(), FrameFault::Pipe(_)));
    assert!(writer.flush_blocking().is_err());
}
