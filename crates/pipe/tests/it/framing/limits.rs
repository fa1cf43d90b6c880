//! The largest frame, what makes the writer pause, and what the pipe holds at most.

use std::thread;

use aqueduct_pipe::{
    FrameBuilder, FrameError, FrameFault, FramedReader, FramedWriter, Framing, FramingError,
    Options, PipeErrorKind, pipe,
};
use aqueduct_pool::Pool;
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;

use super::machine::left;

#[test]
fn rules_that_make_no_sense_are_refused() {
    assert_eq!(Framing::prefixed(Prefix::U32Be, 0).unwrap_err(), FramingError::Nothing);
    assert_eq!(Framing::prefixed_inclusive(Prefix::U32Be, 0).unwrap_err(), FramingError::Nothing);
    assert_eq!(Framing::delimited(b"\n", 0).unwrap_err(), FramingError::Nothing);
    assert_eq!(Framing::delimited(b"", 100).unwrap_err(), FramingError::Nothing);
    assert_eq!(Framing::fixed(0).unwrap_err(), FramingError::Nothing);
    for prefix in [Prefix::Leb128, Prefix::Quic] {
        let refused = Framing::prefixed_inclusive(prefix, 100).unwrap_err();
        assert_eq!(refused, FramingError::Variable);
    }
}

#[test]
fn a_frame_is_no_larger_than_its_prefix_can_say() {
    let most = |framing: Result<Framing, _>| framing.expect("a rule").most();
    assert_eq!(most(Framing::prefixed(Prefix::U8, 1000)), 255);
    assert_eq!(most(Framing::prefixed_inclusive(Prefix::U8, 1000)), 254);
    assert_eq!(most(Framing::prefixed(Prefix::U24Le, usize::MAX)), 0xff_ffff);
    assert_eq!(most(Framing::prefixed_inclusive(Prefix::U24Le, usize::MAX)), 0xff_fffc);
    assert_eq!(most(Framing::prefixed(Prefix::U16Be, 1000)), 1000);
    assert!(most(Framing::delimited(b"\n", usize::MAX)) < isize::MAX as usize);
}

#[test]
fn the_largest_frame_passes_and_one_byte_more_does_not() {
    for framing in [
        Framing::prefixed(Prefix::U16Be, 1000),
        Framing::prefixed_inclusive(Prefix::U16Be, 1000),
        Framing::prefixed(Prefix::Leb128, 1000),
        Framing::prefixed(Prefix::Quic, 1000),
        Framing::delimited(b"\r\n", 1000),
        Framing::fixed(1000),
    ] {
        let framing = framing.expect("a rule");
        assert_eq!(framing.most(), 1000);
        let (writer, reader) = pipe(Options::default());
        let mut writer = FramedWriter::new(writer, framing.clone()).expect("no limit");
        writer.write(&pattern(1000, 1)).expect("the largest");
        let refused = writer.write(&pattern(1001, 1)).unwrap_err();
        let refused_slice = writer.push(pattern(1001, 1)).unwrap_err();
        for fault in [refused.fault(), refused_slice.error.fault()] {
            assert!(matches!(
                fault,
                FrameFault::TooLarge { len: 1001, most: 1000 }
                    | FrameFault::WrongSize { given: 1001, size: 1000 }
            ));
        }
        writer.finish();
        let mut reader = FramedReader::new(reader, framing).expect("no limit");
        assert_eq!(reader.next_blocking().expect("sound").expect("a frame").len(), 1000);
        assert!(reader.next_blocking().expect("sound").is_none());
    }
}

#[test]
fn one_byte_more_than_the_largest_is_not_read_either() {
    for (framing, prefix) in [
        (Framing::prefixed(Prefix::U16Be, 1000), &[0x03, 0xe9][..]),
        (Framing::prefixed_inclusive(Prefix::U16Le, 1000), &[0xeb, 0x03]),
        (Framing::prefixed(Prefix::Leb128, 1000), &[0xe9, 0x07]),
        (Framing::prefixed(Prefix::Quic, 1000), &[0x43, 0xe9]),
        (Framing::delimited(b"\r\n", 1000), &[]),
    ] {
        let (mut writer, reader) = pipe(Options::default());
        writer.write(prefix).expect("room");
        writer.write(&[7; 1001]).expect("room");
        writer.write(b"\r\n").expect("room");
        writer.finish();
        let mut reader = FramedReader::new(reader, framing.expect("a rule")).expect("no limit");
        let error = reader.next_blocking().unwrap_err();
        assert!(matches!(error.fault(), FrameFault::TooLarge { len: 1001, most: 1000 }), "{error}");
    }
}

#[test]
fn a_line_is_too_long_before_its_end_is_there() {
    let (mut writer, reader) = pipe(Options::default());
    let framing = Framing::delimited(b"\r\n", 10).expect("a rule");
    let mut reader = FramedReader::new(reader, framing).expect("no limit");
    // Ten bytes and half a delimiter may still become a frame, and do.
    for bytes in [&b"0123456789\r"[..], b"\n", b"0123456789x\r"] {
        writer.write(bytes).expect("room");
        writer.try_flush().expect("the reader is there");
    }
    assert_eq!(reader.next_blocking().expect("sound").expect("a frame").len(), 10);
    let error = reader.next_blocking().unwrap_err();
    assert_eq!(error.at(), 12);
    assert!(matches!(error.fault(), FrameFault::TooLarge { len: 11, most: 10 }));
    writer.finish();
    assert_eq!(left(reader.into_inner()), b"0123456789x\r");
}

#[test]
fn a_frame_larger_than_what_makes_the_writer_pause_gets_through() {
    let options = Options::builder().pause(1000).segments(64, 256).build().expect("sense");
    for framing in [Framing::prefixed(Prefix::U32Be, 1 << 20), Framing::delimited(b"\n", 1 << 20)] {
        let framing = framing.expect("a rule");
        let (mut writer, reader) = pipe(options.clone());
        let frame = pattern(100_000, 1).into_iter().map(|byte| byte | 0x80).collect::<Vec<u8>>();
        let mut stream = Vec::new();
        for _ in 0..3 {
            match framing.most() {
                _ if format!("{framing:?}").contains("Delimited") => {
                    stream.extend(&frame);
                    stream.push(b'\n');
                }
                _ => {
                    stream.extend((frame.len() as u32).to_be_bytes());
                    stream.extend(&frame);
                }
            }
        }
        let source = thread::spawn(move || {
            for bytes in stream.chunks(300) {
                writer.write(bytes).expect("room");
                let _ = writer.flush_blocking().expect("the reader is there");
            }
            writer.finish();
        });
        let mut reader = FramedReader::new(reader, framing).expect("no limit");
        for _ in 0..3 {
            assert_eq!(reader.lend_blocking().expect("sound").expect("a frame"), &frame[..]);
        }
        assert!(reader.lend_blocking().expect("sound").is_none());
        source.join().expect("the source is done");
    }
}

#[test]
fn a_pipe_that_can_never_hold_the_largest_frame_is_refused_at_once() {
    let options = || Options::builder().pause(100).max_buffered(1000).build().expect("sense");
    for (framing, overhead) in [
        (Framing::prefixed(Prefix::U16Be, 999), 2),
        (Framing::delimited(b"\r\n\r\n", 997), 4),
        (Framing::prefixed(Prefix::Leb128, 991), 10),
        (Framing::fixed(1001), 0),
    ] {
        let framing = framing.expect("a rule");
        let (writer, reader) = pipe(options());
        let need = framing.most() as u64 + overhead;
        let refused = FramedReader::new(reader, framing.clone()).unwrap_err();
        assert_eq!((refused.need, refused.limit), (need, 1000));
        let refused_writer = FramedWriter::new(writer, framing).unwrap_err();
        assert_eq!((refused_writer.need, refused_writer.limit), (need, 1000));
        // Both halves are given back, and work.
        refused_writer.half.finish();
        assert!(left(*refused.half).is_empty());
    }
}

#[test]
fn a_frame_that_does_not_fit_the_rest_of_the_pipe_leaves_no_prefix_behind() {
    let options = Options::builder().pause(100).max_buffered(1000).build().expect("sense");
    let (writer, reader) = pipe(options);
    let framing = Framing::prefixed(Prefix::U16Be, 900).expect("a rule");
    let mut writer = FramedWriter::new(writer, framing.clone()).expect("it fits");
    writer.push(vec![1; 900]).expect("the pipe is empty");
    // 902 of 1000 are taken: 96 and their prefix fit, 97 do not.
    let refused = writer.push(vec![2; 97]).unwrap_err();
    assert!(matches!(refused.error.fault(), FrameFault::Pipe(_)), "{refused}");
    assert_eq!((writer.position(), writer.writer().unflushed()), (902, 902));
    assert!(writer.write(&[2; 97]).is_err());
    writer.push(vec![3; 96]).expect("it fits");
    writer.finish();
    let mut reader = FramedReader::new(reader, framing).expect("it fits");
    assert_eq!(reader.next_blocking().expect("sound").expect("a frame").len(), 900);
    assert_eq!(reader.next_blocking().expect("sound").expect("a frame").len(), 96);
    assert!(reader.next_blocking().expect("sound").is_none());
}

#[test]
fn a_piece_for_which_there_is_no_memory_leaves_nothing_in_its_frame() {
    type Way<'a> = &'a dyn Fn(&mut FrameBuilder<'_>) -> Result<(), FrameError>;
    let bytes = [7; 1000];
    let pieces = bytes.chunks(20).map(Slice::copy_from_slice);
    let push = |frame: &mut FrameBuilder<'_>| Ok(frame.push(pieces.clone().collect::<Sequence>())?);
    let write = |frame: &mut FrameBuilder<'_>| frame.write(&bytes);
    let ways: [Way<'_>; 2] = [&push, &write];
    for way in ways {
        let pool = Pool::builder().largest_block(4096).hard_limit(64 << 10).build().expect("sense");
        let options = Options::builder().pool(&pool).segments(256, 256).build().expect("sense");
        let (writer, mut reader) = pipe(options);
        let framing = Framing::prefixed(Prefix::U32Be, 2000).expect("a rule");
        let mut writer = FramedWriter::new(writer, framing).expect("no limit");
        let mut frame = writer.begin().expect("a block");
        frame.write(b"before").expect("room");
        let out: Vec<_> = std::iter::from_fn(|| pool.try_get(200).ok()).collect();
        let refused = way(&mut frame).unwrap_err();
        let FrameFault::Pipe(error) = refused.fault() else { panic!("{refused}") };
        assert!(matches!(error.kind(), PipeErrorKind::Pool(_)), "{error}");
        assert_eq!(frame.len(), 6, "a part of it was written");
        drop(out);
        way(&mut frame).expect("there is memory again");
        frame.end().expect("it fits");
        writer.finish();
        let view = reader.read_blocking().expect("all").into_view();
        assert_eq!(view.seq(), [b"\0\0\x03\xeebefore", &bytes[..]].concat());
    }
}

#[test]
fn a_frame_whose_reader_goes_is_refused() {
    let options = Options::builder().segments(256, 256).build().expect("sense");
    let (writer, reader) = pipe(options);
    let framing = Framing::prefixed(Prefix::U32Be, 2000).expect("a rule");
    let mut writer = FramedWriter::new(writer, framing).expect("no limit");
    let mut frame = writer.begin().expect("a block");
    frame.write(b"before").expect("room");
    drop(reader);
    let closed = |refused: &FrameError| {
        let FrameFault::Pipe(error) = refused.fault() else { panic!("{refused}") };
        matches!(error.kind(), PipeErrorKind::Closed)
    };
    assert!(closed(&frame.write(&[7; 1000]).unwrap_err()));
    assert_eq!(frame.len(), 0, "nobody reads any more");
    assert!(closed(&frame.end().unwrap_err()));
    assert_eq!((writer.position(), writer.writer().unflushed()), (0, 0));
}

#[test]
fn a_frame_for_which_there_is_no_memory_is_refused_whole() {
    let pool = Pool::builder().largest_block(4096).hard_limit(64 << 10).build().expect("sense");
    let options = Options::builder().pool(&pool).segments(256, 256).build().expect("sense");
    let (mut writer, _reader) = pipe(options);
    // Ten bytes are left of the only block.
    let slot = writer.reserve(30).expect("the pool is full");
    let count = slot.len() - 10;
    slot.commit(count);
    let out: Vec<_> = std::iter::from_fn(|| pool.try_get(200).ok()).collect();
    let framing = Framing::prefixed(Prefix::U32Be, 900).expect("a rule");
    let mut writer = FramedWriter::new(writer, framing).expect("no limit");
    let (long, short) = (Slice::from(vec![1; 100]), Slice::from(vec![2; Slice::INLINE]));
    for parts in [[&short, &long], [&long, &short]] {
        let frame = parts.into_iter().cloned().collect::<Sequence>();
        let refused = writer.push(frame.clone()).unwrap_err();
        let FrameFault::Pipe(error) = refused.error.fault() else { panic!("{refused}") };
        assert!(matches!(error.kind(), PipeErrorKind::Pool(_)), "{error}");
        assert_eq!(refused.frame, frame);
        assert_eq!((writer.position(), writer.writer().unflushed()), (0, count as u64));
    }
    assert!(writer.write(&[3; 50]).is_err());
    // What is handed over takes room for its prefix only.
    writer
        .push(Sequence::from_iter([long.clone(), Slice::from(b"sixsix".to_vec())]))
        .expect("it fits");
    drop(out);
    writer.push(Sequence::from_iter([long, short])).expect("there is memory again");
}

#[test]
fn the_largest_frame_fills_the_pipe_to_the_last_byte() {
    for framing in [
        Framing::prefixed(Prefix::U16Be, 998),
        Framing::delimited(b"\r\n", 998),
        Framing::fixed(1000),
    ] {
        let framing = framing.expect("a rule");
        let options = Options::builder().pause(100).max_buffered(1000).build().expect("sense");
        let (writer, reader) = pipe(options);
        let mut writer = FramedWriter::new(writer, framing.clone()).expect("it fits");
        let mut reader = FramedReader::new(reader, framing.clone()).expect("it fits");
        for round in 0..5 {
            let frame = Slice::from(vec![7_u8; framing.most()]);
            if round % 2 == 0 {
                writer.push(frame.clone()).expect("the pipe is empty");
            } else {
                writer.write(&frame).expect("the pipe is empty");
            }
            // Not one byte more, and nothing of it is written.
            let before = writer.writer().unflushed();
            let more = vec![7_u8; framing.most().min(50)];
            if framing.most() != 1000 {
                let refused = writer.push(more.clone()).unwrap_err();
                let FrameFault::Pipe(error) = refused.error.fault() else { panic!("{refused}") };
                assert!(matches!(error.kind(), PipeErrorKind::Full { limit: 1000, .. }), "{error}");
                assert_eq!(refused.frame, more[..]);
                assert!(writer.write(&more).is_err());
            }
            assert_eq!(writer.writer().unflushed(), before);
            writer.try_flush().expect("the reader is there");
            assert_eq!(
                reader.next_blocking().expect("sound").expect("a frame").as_ref(),
                &frame[..]
            );
        }
    }
}
