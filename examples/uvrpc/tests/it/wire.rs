//! A stream of a peer's, and what a naive reader makes of it.

use aqueduct::{Options, Reader, Slice, Writer, pipe};
use aqueduct_testkit::Random;
use uvrpc::zmtp::{Event, Own, Refusal, Session};

/// What a peer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Greeted,
    Ready(Vec<u8>),
    Envelope(Vec<u8>),
    Refused(Refusal, u32),
    Ping(u128),
    /// Something that ends the connection.
    Fault,
}

pub const MOST: usize = 300;

pub fn dealer() -> Own {
    Own { socket: "DEALER", talks_to: &["ROUTER"], identity: Slice::new() }
}

pub fn greeting() -> Vec<u8> {
    let mut greeting = vec![0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1];
    greeting.extend(b"NULL");
    greeting.resize(64, 0);
    greeting
}

pub fn frame(flags: u8, body: &[u8]) -> Vec<u8> {
    match u8::try_from(body.len()) {
        Ok(len) if flags & 2 == 0 => [&[flags, len], body].concat(),
        _ => [&[flags | 2][..], &(body.len() as u64).to_be_bytes(), body].concat(),
    }
}

pub fn ready(socket: &[u8], identity: &[u8]) -> Vec<u8> {
    let mut body = b"\x05READY".to_vec();
    for (name, value) in [(&b"Socket-Type"[..], socket), (b"Identity", identity)] {
        body.push(name.len() as u8);
        body.extend(name);
        body.extend((value.len() as u32).to_be_bytes());
        body.extend(value);
    }
    frame(4, &body)
}

pub fn envelope(body: &[u8]) -> Vec<u8> {
    [frame(1, b""), frame(0, body)].concat()
}

/// A connection as it begins.
pub fn open() -> Vec<u8> {
    [greeting(), ready(b"ROUTER", b"")].concat()
}

/// All that is said in these pieces, one after the other.
pub fn listen<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Said> {
    let (mut writer, mut reader) = pipe(Options::default());
    let mut session = Session::new(dealer(), MOST);
    let mut all = Vec::new();
    for piece in pieces {
        if !hear(&mut session, &mut writer, &mut reader, piece, &mut all) {
            break;
        }
    }
    all
}

/// Whether it can go on.
pub fn hear(
    session: &mut Session,
    writer: &mut Writer,
    reader: &mut Reader,
    piece: &[u8],
    all: &mut Vec<Said>,
) -> bool {
    writer.write(piece).unwrap();
    writer.try_flush().unwrap();
    loop {
        all.push(match session.advance(reader) {
            Ok(Event::Wait) => return true,
            Ok(Event::Greeted) => Said::Greeted,
            Ok(Event::Ready(peer)) => Said::Ready(peer.identity[..].to_vec()),
            Ok(Event::Envelope(body)) => Said::Envelope(body.bytes().to_contiguous().into_owned()),
            Ok(Event::Refused(why, id)) => Said::Refused(why, id),
            Ok(Event::Ping(ping)) => Said::Ping(ping.patience.as_millis()),
            Ok(other) => panic!("{other:?}"),
            Err(_) => Said::Fault,
        });
        if all.last() == Some(&Said::Fault) {
            return false;
        }
    }
}

/// The same by a reader that has all bytes in one array, and no idea of pieces.
pub fn naive(bytes: &[u8]) -> Vec<Said> {
    let mut all = Vec::new();
    let model = greeting();
    let right = |i: usize, byte: u8| match i {
        0 => byte == 0xff,
        9 => byte & 1 == 1,
        10 => byte >= 3,
        12..32 => byte == model[i],
        _ => true,
    };
    if !bytes.iter().take(64).enumerate().all(|(i, byte)| right(i, *byte)) {
        return vec![Said::Fault];
    }
    if bytes.len() < 64 {
        return all;
    }
    all.push(Said::Greeted);
    let mut rest = &bytes[64..];
    let (mut is_open, mut frames, mut told) = (false, Vec::<&[u8]>::new(), false);
    while let [flags, behind @ ..] = rest {
        if flags & !7 != 0 || flags & 5 == 5 {
            all.push(Said::Fault);
            break;
        }
        let width = if flags & 2 == 0 { 1 } else { 8 };
        let Some((len, body)) = behind.split_at_checked(width) else { break };
        let len = len.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let too_early = !is_open && flags & 4 == 0;
        if len > 1 << 33 || (flags & 4 != 0 && len > 8192) || too_early {
            all.push(Said::Fault);
            break;
        }
        let len = len as usize;
        // Said as soon as an id would be there, if nothing else is wrong by then.
        let odd = frames.len() > 1 || frames.first().is_some_and(|first| !first.is_empty());
        if flags & 4 == 0 && len > MOST && !odd && !told {
            let Some(front) = body.get(..14) else { break };
            let id = if frames.len() == 1 { id(front).unwrap_or(0) } else { 0 };
            all.push(Said::Refused(Refusal::TooLarge, id));
            told = true;
        }
        let Some((body, after)) = body.split_at_checked(len) else { break };
        rest = after;
        if flags & 4 != 0 {
            match command(body, is_open) {
                Ok(said) => {
                    is_open = true;
                    all.extend(said);
                }
                Err(()) => {
                    all.push(Said::Fault);
                    break;
                }
            }
            continue;
        }
        frames.push(body);
        if flags & 1 == 0 {
            match frames[..] {
                _ if told => {}
                [[], body] => all.push(Said::Envelope(body.to_vec())),
                _ => {
                    let id = frames.get(1).and_then(|body| id(body)).unwrap_or(0);
                    all.push(Said::Refused(Refusal::Frames, id));
                }
            }
            (frames, told) = (Vec::new(), false);
        }
    }
    all
}

/// The id of an array of four.
pub fn id(mut body: &[u8]) -> Option<u32> {
    front(&mut body)
}

/// The same, taken off.
pub fn front(rest: &mut &[u8]) -> Option<u32> {
    *rest = match rest {
        [0x94, rest @ ..] | [0xdc, 0, 4, rest @ ..] | [0xdd, 0, 0, 0, 4, rest @ ..] => rest,
        _ => return None,
    };
    int(rest)?.try_into().ok()
}

/// A number, in any of the ways that msgpack has for it.
pub fn int(rest: &mut &[u8]) -> Option<i128> {
    let kind = *rest.split_off_first()?;
    match kind {
        0..=127 => Some(i128::from(kind)),
        0xcc..=0xcf => number(rest, 1 << (kind - 0xcc)),
        0xd0..=0xd3 => {
            let width = 1 << (kind - 0xd0);
            let value = number(rest, width)?;
            let is_negative = value >> (8 * width - 1) == 1;
            Some(value - if is_negative { 1 << (8 * width) } else { 0 })
        }
        0xe0..=0xff => Some(i128::from(kind.cast_signed())),
        _ => None,
    }
}

/// Of so many bytes.
pub fn number(rest: &mut &[u8], width: usize) -> Option<i128> {
    let bytes = rest.split_off(..width)?;
    Some(bytes.iter().fold(0, |sum, byte| sum << 8 | i128::from(*byte)))
}

fn command(body: &[u8], is_open: bool) -> Result<Option<Said>, ()> {
    fn short(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let (len, rest) = bytes.split_first()?;
        rest.split_at_checked(usize::from(*len))
    }
    let (name, mut rest) = short(body).ok_or(())?;
    if is_open {
        return match (name, rest) {
            (b"PING", [a, b, context @ ..]) if context.len() <= 16 => {
                Ok(Some(Said::Ping(u128::from(u16::from_be_bytes([*a, *b])) * 100)))
            }
            (b"PING", _) => Err(()),
            _ => Ok(None),
        };
    }
    let (mut fits, mut identity) = (false, Vec::new());
    while name == b"READY" && !rest.is_empty() {
        let (name, behind) = short(rest).ok_or(())?;
        let (len, behind) = behind.split_first_chunk::<4>().ok_or(())?;
        let len = u32::from_be_bytes(*len) as usize;
        let (value, behind) = behind.split_at_checked(len).ok_or(())?;
        match name.to_ascii_lowercase().as_slice() {
            b"socket-type" => fits = value == b"ROUTER",
            b"identity" if len > 255 => return Err(()),
            b"identity" => identity = value.to_vec(),
            _ => {}
        }
        rest = behind;
    }
    if name == b"READY" && fits { Ok(Some(Said::Ready(identity))) } else { Err(()) }
}

/// Cuts in pieces of at most so many bytes.
pub fn cut<'a>(random: &mut Random, mut bytes: &'a [u8], most: usize) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min(1 + random.below(most)));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}
