//! Whole, in pieces, and by the oracle: the same frames.

use std::hint::black_box;

use aqueduct_pipe::{FramedWriter, Options, pipe};
use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::{cases, replay};
use proptest::prelude::*;

use super::machine::{End, How, Kind, PREFIXES, Rule, compare, left, length, read, run_bytes};

fn config() -> ProptestConfig {
    ProptestConfig { cases: cases(1_000), ..Default::default() }
}

/// Frames that fit the rule, from what is at hand.
fn fitting(rule: Rule, frames: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let fit = |mut frame: Vec<u8>| match rule.kind {
        Kind::Prefixed(..) => {
            frame.truncate(rule.most);
            Some(frame)
        }
        Kind::Delimited(_) => {
            frame.truncate(rule.most);
            let whole = rule.encode(&frame);
            (rule.flat(&whole) == (vec![frame.clone()], whole.len() as u64, End::Clean))
                .then_some(frame)
        }
        Kind::Fixed => {
            frame.resize(rule.most, 7);
            Some(frame)
        }
    };
    frames.into_iter().filter_map(fit).collect()
}

fn frames() -> impl Strategy<Value = Vec<Vec<u8>>> {
    // Few different bytes, so that delimiters and their beginnings are among them.
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b"\r\n-ab0".to_vec())];
    prop::collection::vec(prop::collection::vec(byte, 0..300), 0..12)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_pieces_give_the_frames_of_the_whole(
        kind: u8, most: u8, seed: u16, frames in frames(), tail in prop::collection::vec(any::<u8>(), 0..40)
    ) {
        let rule = Rule::decode(kind, most);
        let frames = fitting(rule, frames);
        let mut stream: Vec<u8> = frames.iter().flat_map(|frame| rule.encode(frame)).collect();
        let whole = stream.len();
        let clean = compare(rule, seed, &stream);
        prop_assert_eq!(&clean, &(frames, whole as u64, End::Clean));
        stream.extend(tail);
        compare(rule, seed, &stream);
        // Cut anywhere: never a frame that was not whole, never one that was lost.
        let cut = &stream[..usize::from(seed) % (stream.len() + 1)];
        compare(rule, seed, cut);
    }

    #[test]
    fn any_bytes_at_all_give_the_frames_of_the_oracle(bytes in prop::collection::vec(any::<u8>(), 4..200)) {
        run_bytes(&bytes);
    }

    #[test]
    fn what_is_written_is_what_the_oracle_encodes(kind: u8, most: u8, how: u8, frames in frames()) {
        let rule = Rule::decode(kind, most);
        let (writer, reader) = pipe(Options::builder().segments(64, 256).build().expect("sense"));
        let mut writer = FramedWriter::new(writer, rule.framing()).expect("there is no limit");
        let mut want = Vec::new();
        for (i, frame) in frames.iter().enumerate() {
            let fits = fitting(rule, vec![frame.clone()]) == std::slice::from_ref(frame);
            let before = writer.writer().unflushed();
            let written = write(&mut writer, frame, (i + usize::from(how)) % 3);
            prop_assert_eq!(written.is_ok(), fits, "{:?} of {} bytes: {:?}", rule, frame.len(), written);
            match written {
                Ok(()) => want.extend(rule.encode(frame)),
                Err(_) => prop_assert_eq!(writer.writer().unflushed(), before),
            }
            prop_assert_eq!(writer.position(), want.len() as u64);
        }
        writer.finish();
        prop_assert_eq!(left(reader), want);
    }
}

/// Copied, handed over in one slice, or in many.
fn write(writer: &mut FramedWriter, frame: &[u8], how: usize) -> Result<(), String> {
    match how {
        0 => writer.write(frame).map_err(|error| error.to_string()),
        1 => writer.push(Slice::copy_from_slice(frame)).map_err(|refused| refused.to_string()),
        _ => {
            let parts: Sequence = frame.chunks(40).map(Slice::copy_from_slice).collect();
            writer.push(parts).map_err(|refused| {
                assert!(refused.frame == *frame, "it is given back");
                refused.to_string()
            })
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn the_corpus_of_framing_passes() {
    let files = replay("framing", |bytes| {
        black_box(run_bytes(bytes));
    });
    assert!(files >= 20, "only {files} files in the corpus");
}

#[test]
#[cfg_attr(miri, ignore = "too large")]
fn every_prefix_reads_and_writes_its_smallest_and_largest_length() {
    for (prefix, form) in PREFIXES {
        for inclusive in [false, true] {
            let own = match prefix.width() {
                Some(width) if inclusive => width as u64,
                None if inclusive => continue,
                _ => 0,
            };
            let largest = usize::try_from(prefix.largest() - own).unwrap_or(usize::MAX);
            // Up to 16 MiB for real: handed over, not copied.
            let rule =
                Rule { kind: Kind::Prefixed(prefix, form, inclusive), most: largest.min(1 << 24) };
            let block = Slice::from(vec![7_u8; rule.most]);
            let (writer, reader) = pipe(Options::builder().pause(0).build().expect("sense"));
            let mut writer = FramedWriter::new(writer, rule.framing()).expect("there is no limit");
            let lengths = [0, 1, 127, 128, 255, 256, 16383, 16384, 65535, 65536, rule.most];
            let lengths: Vec<usize> = lengths.into_iter().filter(|len| *len <= rule.most).collect();
            for len in &lengths {
                writer.push(block.slice(..*len)).expect("it fits");
            }
            let refused = writer.write(&vec![0; rule.most + 1]).unwrap_err();
            assert_eq!(refused.at(), writer.position());
            writer.finish();
            let mut reader = aqueduct_pipe::FramedReader::new(reader, rule.framing())
                .expect("there is no limit");
            for len in &lengths {
                let frame = reader.lend_blocking().expect("sound").expect("a frame");
                assert_eq!(frame.len(), *len, "{prefix:?}");
            }
            assert!(reader.lend_blocking().expect("sound").is_none());
            // What the prefix can say beyond that is refused, with the number it says.
            let claimed = prefix.largest() - own;
            if claimed > rule.most as u64 {
                let stream = length(form, claimed, inclusive);
                let got = read(rule, &stream, How::Next, || 1);
                assert_eq!(got, (Vec::new(), 0, End::TooLarge(claimed)), "{prefix:?}");
            }
        }
    }
}
