//! Streams that lie, are cut, or would be read as something else; and what is asked of every type.

use aqueduct_pipe::{
    Frame, FrameError, FrameFault, FramedReader, FramedWriter, Framing, Options, Reader, pipe,
};
use aqueduct_sequence::{Prefix, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;

use super::machine::left;
use super::{all, be4, framed, full};

#[test]
fn a_negative_length_is_a_large_one_and_refused() {
    for (prefix, bytes, claimed) in [
        (Prefix::U32Be, &[0xff; 4][..], u64::from(u32::MAX)),
        (Prefix::U32Le, &[0, 0, 0, 0x80], 1 << 31),
        (Prefix::U64Be, &[0xff; 8], u64::MAX),
        (Prefix::U64Le, &[0, 0, 0, 0, 0, 0, 0, 0x80], 1 << 63),
        (Prefix::U64Be, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xf8], u64::MAX - 7),
    ] {
        let framing = Framing::prefixed(prefix, usize::MAX).expect("a rule");
        let most = framing.most() as u64;
        let stream = [bytes, b"payload"].concat();
        for most in [most, 1000] {
            let framing = Framing::prefixed(prefix, most as usize).expect("a rule");
            let (frames, error) = all(&mut framed(full(&stream), framing));
            let error = error.expect("more than there ever is");
            assert!(frames.is_empty());
            match *error.fault() {
                FrameFault::TooLarge { len, most: said } => {
                    assert_eq!((len, said), (claimed, most))
                }
                // What a stranger may claim where anything is allowed.
                FrameFault::UnexpectedEof { need, .. } => {
                    assert!(claimed <= most && need == claimed + bytes.len() as u64);
                }
                ref other => panic!("{prefix:?}: {other:?}"),
            }
        }
    }
}

#[test]
fn a_length_that_counts_its_prefix_and_is_less_is_refused() {
    let framing = Framing::prefixed_inclusive(Prefix::U16Le, 100).expect("a rule");
    for said in 0..2_u8 {
        let (frames, error) = all(&mut framed(full(&[said, 0, 9, 9]), framing.clone()));
        let error = error.expect("less than the prefix");
        assert!(frames.is_empty());
        let fault = FrameFault::TooShort { len: said.into(), prefix: 2 };
        assert_eq!(format!("{:?}", error.fault()), format!("{fault:?}"));
    }
    let (frames, error) = all(&mut framed(full(&[2, 0, 3, 0, 7]), framing));
    assert!(error.is_none());
    assert_eq!(frames, [vec![], vec![7]]);
}

#[test]
fn t22_a_length_that_is_refused_is_never_followed_by_another_frame() {
    // What follows would be a sound frame to whoever skips the bad one, or believes a part of it.
    let sound = [&[0, 0, 0, 3][..], b"GET"].concat();
    for bad in [&[0, 0, 1, 0][..], &[0xff, 0xff, 0xff, 0xff], &[0x80, 0, 0, 0]] {
        let stream = [&sound[..], bad, &sound].concat();
        let mut reader = framed(full(&stream), be4(100));
        for _ in 0..3 {
            let (frames, error) = all(&mut reader);
            assert!(frames.is_empty() || frames == [b"GET"]);
            let error = error.expect("refused, however often it is asked");
            assert_eq!(error.at(), 7);
            assert!(matches!(error.fault(), FrameFault::TooLarge { most: 100, .. }));
        }
        assert_eq!(left(reader.into_inner()), &stream[7..], "all of it is still there");
    }
}

#[test]
fn t22_a_length_that_is_written_at_greater_length_is_the_same_length() {
    // Two readers that disagree about padding would cut the stream in two ways.
    let stream = [&[0x85, 0x80, 0x00][..], b"hello", &[0x02], b"ok"].concat();
    let framing = Framing::prefixed(Prefix::Leb128, 100).expect("a rule");
    let (frames, error) = all(&mut framed(full(&stream), framing));
    assert!(error.is_none());
    assert_eq!(frames, [b"hello".to_vec(), b"ok".to_vec()]);
    let stream = [&[0x40, 0x05][..], b"hello", &[0x80, 0, 0, 2], b"ok"].concat();
    let framing = Framing::prefixed(Prefix::Quic, 100).expect("a rule");
    let (frames, error) = all(&mut framed(full(&stream), framing));
    assert!(error.is_none());
    assert_eq!(frames, [b"hello".to_vec(), b"ok".to_vec()]);
}

#[test]
fn t22_what_is_left_of_a_cut_frame_is_not_the_next_one() {
    let stream = [&[0, 0, 0, 9][..], &[0, 0, 0, 1], b"x"].concat();
    let mut reader = framed(full(&stream), be4(100));
    for _ in 0..3 {
        let (frames, error) = all(&mut reader);
        assert!(frames.is_empty());
        let error = error.expect("the frame is cut");
        assert!(matches!(error.fault(), FrameFault::UnexpectedEof { have: 9, need: 13 }));
    }
    assert_eq!(left(reader.into_inner()), stream);
}

#[test]
fn t22_a_frame_with_the_delimiter_in_it_is_not_written() {
    let (writer, reader) = pipe(Options::default());
    let framing = Framing::delimited(b"\r\n", 1000).expect("a rule");
    let mut writer = FramedWriter::new(writer, framing.clone()).expect("no limit");
    let smuggled = b"hello\r\nDELETE /";
    let refused = writer.write(smuggled).unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::Delimiter { at: 5 }));
    let halves = [&b"a long first half that is no inline slice\r"[..], b"\nand a second one, too"];
    let refused = writer.push(halves.into_iter().map(Slice::from_static).collect::<Sequence>());
    let refused = refused.unwrap_err();
    assert!(matches!(refused.error.fault(), FrameFault::Delimiter { at: 41 }));
    assert_eq!(refused.frame.len(), 64, "it is given back");
    writer.write(b"ends with half of one\r").expect("cannot be mistaken");
    writer.finish();
    let (frames, error) = all(&mut framed(reader, framing));
    assert!(error.is_none());
    assert_eq!(frames, [b"ends with half of one\r"]);
}

#[test]
fn t22_a_frame_that_would_find_the_delimiter_early_is_not_written() {
    // "x-" and then "--" would be read as "x" and a rest of "-".
    let (writer, _reader) = pipe(Options::default());
    let framing = Framing::delimited(b"--", 1000).expect("a rule");
    let mut writer = FramedWriter::new(writer, framing).expect("no limit");
    let refused = writer.write(b"x-").unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::Delimiter { at: 1 }));
    writer.write(b"-x").expect("cannot be mistaken");
}

#[test]
fn t22_the_place_is_where_a_reader_would_find_the_delimiter_first() {
    // Behind "x--" come "---": found from the second byte on, and from the third.
    let (writer, _reader) = pipe(Options::default());
    let framing = Framing::delimited(b"---", 1000).expect("a rule");
    let mut writer = FramedWriter::new(writer, framing.clone()).expect("no limit");
    let refused = writer.write(b"x--").unwrap_err();
    assert!(matches!(refused.fault(), FrameFault::Delimiter { at: 1 }), "{refused}");
    let (first, _) = all(&mut framed(full(b"x-----"), framing));
    assert_eq!(first[0].len(), 1, "that is where it is found");
}

#[test]
fn t19_a_stream_that_is_cut_at_any_byte_gives_whole_frames_and_an_error() {
    let frames: Vec<Vec<u8>> = (0..5).map(|i| pattern(i * 9, i)).collect();
    let encoded = |frame: &Vec<u8>| [&(frame.len() as u32).to_be_bytes()[..], frame].concat();
    let stream: Vec<u8> = frames.iter().flat_map(encoded).collect();
    let ends: Vec<usize> = frames
        .iter()
        .scan(0, |end, frame| {
            *end += 4 + frame.len();
            Some(*end)
        })
        .collect();
    for cut in 0..=stream.len() {
        let (got, error) = all(&mut framed(full(&stream[..cut]), be4(100)));
        let whole = ends.iter().filter(|end| **end <= cut).count();
        assert_eq!(got, frames[..whole], "cut at {cut}");
        let between = cut == 0 || ends.contains(&cut);
        assert_eq!(error.is_none(), between, "cut at {cut}: {error:?}");
    }
}

#[test]
fn t25_what_reads_and_writes_frames_crosses_threads() {
    fn both<T: Send + Sync>() {}
    both::<FramedReader>();
    both::<FramedWriter>();
    both::<Framing>();
    both::<Frame>();
    both::<FrameError>();
    both::<aqueduct_pipe::PushFrameError>();
    both::<aqueduct_pipe::PipeTooSmall<Reader>>();
}

#[test]
fn t11_frames_and_their_errors_print_in_every_state() {
    let framing = Framing::prefixed(Prefix::U8, 100).expect("a rule");
    let (writer, reader) = pipe(Options::default());
    let mut writer = FramedWriter::new(writer, framing.clone()).expect("no limit");
    let mut reader = framed(reader, framing.clone());
    let shown = |value: &dyn std::fmt::Debug| assert!(!format!("{value:?}{value:#?}").is_empty());
    shown(&framing);
    shown(&writer);
    shown(&reader);
    let mut builder = writer.begin().expect("it has a prefix");
    builder.push(pattern(50, 1)).expect("it fits");
    shown(&builder);
    builder.end().expect("it fits");
    let refused = writer.push(pattern(101, 1)).unwrap_err();
    shown(&refused);
    assert_eq!(
        refused.to_string(),
        "a frame of 101 bytes where 100 are allowed, in the frame at 51"
    );
    writer.finish();
    shown(&reader.lend_blocking().expect("sound"));
    shown(&reader);
    shown(&reader.next_blocking().expect("sound"));
    shown(&reader);
}
