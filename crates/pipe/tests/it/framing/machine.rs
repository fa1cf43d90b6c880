//! Framing against a naive oracle on flat bytes: of any input, in any pieces, the same frames and the
//! same end.

use std::task::{Context, Poll, Waker};

use aqueduct_pipe::{
    Frame, FrameError, FrameFault, FramedReader, Framing, Options, Reader, Writer, pipe,
};
use aqueduct_sequence::Prefix;
use aqueduct_slice::Slice;

/// How the oracle understands a prefix: its bytes, whether the first is the highest, and what
/// variable form it has otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Big(usize),
    Little(usize),
    Leb,
    Quic,
}

/// Every prefix, as the library and as the oracle know it.
pub const PREFIXES: [(Prefix, Form); 17] = [
    (Prefix::U8, Form::Big(1)),
    (Prefix::U16Be, Form::Big(2)),
    (Prefix::U16Le, Form::Little(2)),
    (Prefix::U24Be, Form::Big(3)),
    (Prefix::U24Le, Form::Little(3)),
    (Prefix::U32Be, Form::Big(4)),
    (Prefix::U32Le, Form::Little(4)),
    (Prefix::U40Be, Form::Big(5)),
    (Prefix::U40Le, Form::Little(5)),
    (Prefix::U48Be, Form::Big(6)),
    (Prefix::U48Le, Form::Little(6)),
    (Prefix::U56Be, Form::Big(7)),
    (Prefix::U56Le, Form::Little(7)),
    (Prefix::U64Be, Form::Big(8)),
    (Prefix::U64Le, Form::Little(8)),
    (Prefix::Leb128, Form::Leb),
    (Prefix::Quic, Form::Quic),
];

const DELIMITERS: [&[u8]; 5] = [b"\n", b"\r\n", b"--", b"aba", b"0123456789abcdefghijklmnop"];

/// A rule, as the oracle knows it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub kind: Kind,
    pub most: usize,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Prefixed(Prefix, Form, bool),
    Delimited(&'static [u8]),
    Fixed,
}

/// How a stream of frames ends, with the place of the frame at which it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Clean,
    Truncated { have: u64, need: u64 },
    TooLarge(u64),
    TooShort(u64),
    Overflow,
}

pub type Read = (Vec<Vec<u8>>, u64, End);

impl Rule {
    /// The rule that two bytes say.
    pub fn decode(kind: u8, most: u8) -> Self {
        let kind = usize::from(kind);
        let (count, most) = (PREFIXES.len(), usize::from(most) + 1);
        let kind = match kind % (2 * count + DELIMITERS.len() + 1) {
            exclusive if exclusive < count => {
                Kind::Prefixed(PREFIXES[exclusive].0, PREFIXES[exclusive].1, false)
            }
            inclusive if inclusive < 2 * count => {
                let (prefix, form) = PREFIXES[inclusive - count];
                Kind::Prefixed(prefix, form, prefix.width().is_some())
            }
            delimited if delimited - 2 * count < DELIMITERS.len() => {
                Kind::Delimited(DELIMITERS[delimited - 2 * count])
            }
            _ => Kind::Fixed,
        };
        let most = match kind {
            Kind::Prefixed(_, Form::Big(1), true) => most.min(254),
            Kind::Prefixed(_, Form::Big(1), false) => most.min(255),
            _ => most,
        };
        Self { kind, most }
    }

    pub fn framing(self) -> Framing {
        let framing = match self.kind {
            Kind::Prefixed(prefix, _, false) => Framing::prefixed(prefix, self.most),
            Kind::Prefixed(prefix, _, true) => Framing::prefixed_inclusive(prefix, self.most),
            Kind::Delimited(delimiter) => Framing::delimited(delimiter, self.most),
            Kind::Fixed => Framing::fixed(self.most),
        };
        framing.expect("a rule that makes sense")
    }

    /// The bytes of a frame, without asking whether it may be one.
    pub fn encode(self, frame: &[u8]) -> Vec<u8> {
        match self.kind {
            Kind::Prefixed(_, form, inclusive) => {
                let mut bytes = length(form, frame.len() as u64, inclusive);
                bytes.extend(frame);
                bytes
            }
            Kind::Delimited(delimiter) => [frame, delimiter].concat(),
            Kind::Fixed => frame.to_vec(),
        }
    }

    /// What is at the front of `bytes`: before, in and behind a frame.
    fn first(self, bytes: &[u8]) -> Result<(usize, usize, usize), End> {
        let have = bytes.len() as u64;
        match self.kind {
            Kind::Prefixed(_, form, inclusive) => {
                let (said, head) = parse(form, bytes)?;
                let own = if inclusive { head as u64 } else { 0 };
                let len = said.checked_sub(own).ok_or(End::TooShort(said))?;
                if len > self.most as u64 {
                    return Err(End::TooLarge(len));
                }
                let need = head as u64 + len;
                if need > have {
                    Err(End::Truncated { have, need })
                } else {
                    Ok((head, len as usize, 0))
                }
            }
            Kind::Delimited(delimiter) => {
                let tail = delimiter.len();
                match bytes.windows(tail).position(|window| window == delimiter) {
                    Some(at) if at <= self.most => Ok((0, at, tail)),
                    Some(_) => Err(End::TooLarge(self.most as u64 + 1)),
                    None if bytes.len() >= self.most + tail => {
                        Err(End::TooLarge(self.most as u64 + 1))
                    }
                    None => Err(End::Truncated { have, need: (have + 1).max(tail as u64) }),
                }
            }
            Kind::Fixed if bytes.len() < self.most => {
                Err(End::Truncated { have, need: self.most as u64 })
            }
            Kind::Fixed => Ok((0, self.most, 0)),
        }
    }

    /// All frames of a stream, and how it ends.
    pub fn flat(self, mut bytes: &[u8]) -> Read {
        let (mut frames, mut at) = (Vec::new(), 0);
        while !bytes.is_empty() {
            match self.first(bytes) {
                Ok((head, body, tail)) => {
                    frames.push(bytes[head..head + body].to_vec());
                    bytes = &bytes[head + body + tail..];
                    at += (head + body + tail) as u64;
                }
                Err(end) => return (frames, at, end),
            }
        }
        (frames, at, End::Clean)
    }
}

/// A length as its bytes say it, and how many they are.
fn parse(form: Form, bytes: &[u8]) -> Result<(u64, usize), End> {
    let have = bytes.len() as u64;
    let short = |need: usize| End::Truncated { have, need: need as u64 };
    let sum = |bytes: &mut dyn Iterator<Item = &u8>| {
        bytes.fold(0_u64, |sum, byte| (sum << 8) + u64::from(*byte))
    };
    match form {
        Form::Big(width) => {
            let bytes = bytes.get(..width).ok_or(short(width))?;
            Ok((sum(&mut bytes.iter()), width))
        }
        Form::Little(width) => {
            let bytes = bytes.get(..width).ok_or(short(width))?;
            Ok((sum(&mut bytes.iter().rev()), width))
        }
        Form::Leb => {
            let mut value = 0_u128;
            for (i, byte) in bytes.iter().enumerate() {
                value += u128::from(byte & 0x7f) << (7 * i);
                if value > u128::from(u64::MAX) || (i == 9 && *byte >= 0x80) {
                    return Err(End::Overflow);
                }
                if *byte < 0x80 {
                    return Ok((value as u64, i + 1));
                }
            }
            Err(short(bytes.len() + 1))
        }
        Form::Quic => {
            let first = bytes.first().ok_or(short(1))?;
            let width = 1 << (first >> 6);
            let bytes = bytes.get(..width).ok_or(short(width))?;
            Ok((sum(&mut bytes.iter()) & (u64::MAX >> (66 - 8 * width)), width))
        }
    }
}

/// The bytes that say a length, as few as the form allows.
pub fn length(form: Form, len: u64, inclusive: bool) -> Vec<u8> {
    match form {
        Form::Big(width) => {
            let len = len + if inclusive { width as u64 } else { 0 };
            len.to_be_bytes()[8 - width..].to_vec()
        }
        Form::Little(width) => {
            let len = len + if inclusive { width as u64 } else { 0 };
            len.to_le_bytes()[..width].to_vec()
        }
        Form::Leb => {
            let (mut rest, mut bytes) = (len, Vec::new());
            while rest >= 0x80 {
                bytes.push((rest & 0x7f) as u8 | 0x80);
                rest >>= 7;
            }
            bytes.push(rest as u8);
            bytes
        }
        Form::Quic if len < 1 << 6 => vec![len as u8],
        Form::Quic if len < 1 << 14 => (len as u16 | 1 << 14).to_be_bytes().to_vec(),
        Form::Quic if len < 1 << 30 => (len as u32 | 2 << 30).to_be_bytes().to_vec(),
        Form::Quic => (len | 3 << 62).to_be_bytes().to_vec(),
    }
}

/// How frames are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Taken out.
    Next,
    /// Lent.
    Lend,
}

/// Writes `bytes` in pieces of the lengths that `piece` says, and reads frames whenever one was
/// flushed. What stays in the pipe is checked to be what the oracle left.
pub fn read(rule: Rule, bytes: &[u8], how: How, mut piece: impl FnMut() -> usize) -> Read {
    let (mut writer, reader) = small_pipe();
    let mut reader = FramedReader::new(reader, rule.framing()).expect("there is no limit");
    let mut frames = Vec::new();
    let mut end = None;
    let mut rest = bytes;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        rest = later;
        send(&mut writer, now);
        end = end.or_else(|| take_all(&mut reader, how, &mut frames));
    }
    writer.finish();
    end = end.or_else(|| take_all(&mut reader, how, &mut frames));
    let (at, end) = end.expect("the writer has finished");
    // A refused frame stays refused, and nothing of it is lost.
    let again = take_all(&mut reader, how, &mut frames);
    assert_eq!(again, Some((at, end.clone())), "the error of the first time, or an end");
    assert_eq!(reader.position(), at);
    assert_eq!(left(reader.into_inner()), &bytes[at as usize..]);
    (frames, at, end)
}

/// Segments of few bytes, so that short frames lie in several.
fn small_pipe() -> (Writer, Reader) {
    pipe(Options::builder().segments(64, 128).build().expect("settings that make sense"))
}

fn send(writer: &mut Writer, bytes: &[u8]) {
    if bytes.len().is_multiple_of(3) {
        writer.push(Slice::copy_from_slice(bytes)).expect("there is no limit");
    } else {
        writer.write(bytes).expect("there is no limit");
    }
    writer.try_flush().expect("the reader is there");
}

/// Reads until there is no frame for now, or none any more, and says where and how it ended.
fn take_all(reader: &mut FramedReader, how: How, frames: &mut Vec<Vec<u8>>) -> Option<(u64, End)> {
    let mut context = Context::from_waker(Waker::noop());
    loop {
        let flat = |bytes: Frame| bytes.as_ref().to_contiguous().into_owned();
        let polled = match how {
            How::Next => reader.poll_next(&mut context).map_ok(|frame| frame.map(flat)),
            How::Lend => reader
                .poll_lend(&mut context)
                .map_ok(|frame| frame.map(|bytes| bytes.to_contiguous().into_owned())),
        };
        match polled {
            Poll::Pending => return None,
            Poll::Ready(Ok(Some(frame))) => frames.push(frame),
            Poll::Ready(Ok(None)) => return Some((reader.position(), End::Clean)),
            Poll::Ready(Err(error)) => return Some((error.at(), end(&error))),
        }
    }
}

fn end(error: &FrameError) -> End {
    match *error.fault() {
        FrameFault::TooLarge { len, .. } => End::TooLarge(len),
        FrameFault::TooShort { len, .. } => End::TooShort(len),
        FrameFault::Overflow => End::Overflow,
        FrameFault::UnexpectedEof { have, need } => End::Truncated { have, need },
        ref other => panic!("not for reading: {other:?}"),
    }
}

/// What the pipe still has.
pub fn left(mut reader: Reader) -> Vec<u8> {
    let read = reader.try_read().expect("the writer has finished").expect("an end is always there");
    read.into_view().seq().to_contiguous().into_owned()
}

/// Pieces of one to `most` bytes, from a seed.
pub fn pieces(seed: u16, most: usize) -> impl FnMut() -> usize {
    let mut state = u32::from(seed);
    move || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
        1 + (state >> 16) as usize % most
    }
}

/// Compares the oracle, the whole and the pieces.
pub fn compare(rule: Rule, seed: u16, stream: &[u8]) -> Read {
    let want = rule.flat(stream);
    assert_eq!(read(rule, stream, How::Next, || usize::MAX), want, "{rule:?}, whole");
    let most = 1 + usize::from(seed) % 97;
    assert_eq!(read(rule, stream, How::Next, pieces(seed, most)), want, "{rule:?}, in pieces");
    assert_eq!(read(rule, stream, How::Lend, pieces(seed, most)), want, "{rule:?}, lent");
    want
}

/// The function that the fuzzer calls: two bytes for the rule, two for the pieces, then a stream.
pub fn run_bytes(bytes: &[u8]) -> usize {
    let Some(([kind, most, a, b], stream)) = bytes.split_first_chunk() else { return 0 };
    // Longer ones find nothing that shorter ones do not.
    let stream = &stream[..stream.len().min(4096)];
    compare(Rule::decode(*kind, *most), u16::from_le_bytes([*a, *b]), stream).0.len()
}
