//! The largest frame, what makes the writer pause, and what the pipe holds at most.

use std::thread;

use aqueduct_pipe::{
    FrameFault, FramedReader, FramedWriter, Framing, FramingError, Options, PipeErrorKind, pipe,
};
use aqueduct_sequence::Prefix;
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
