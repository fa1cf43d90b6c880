//! Commands: READY, ERROR, PING and PONG.

use super::{Fault, GREETING, Head};
use aqueduct::{PipeError, SequenceReader, SequenceRef, Slice, Writer};
use std::time::Duration;

/// Bytes of the largest command that is listened to: READY with more properties than anybody has.
pub(super) const LARGEST: u64 = 8 << 10;
/// Bytes of the longest routing id, as ZeroMQ has it.
pub(crate) const LONGEST_IDENTITY: usize = 255;
/// Bytes of the longest context of a PING.
const LONGEST_CONTEXT: usize = 16;

/// What this side says of itself.
#[derive(Clone, Debug)]
pub struct Own {
    /// The type of its socket.
    pub socket: &'static str,
    /// The types that it talks to.
    pub talks_to: &'static [&'static str],
    /// Its routing id; empty for whatever the other side chooses.
    pub identity: Slice,
}

/// A server's socket, which answers who asked.
pub(crate) const ROUTER: Own =
    Own { socket: "ROUTER", talks_to: &["REQ", "DEALER", "ROUTER"], identity: Slice::new() };
/// A client's.
pub(crate) const DEALER: Own =
    Own { socket: "DEALER", talks_to: &["REP", "DEALER", "ROUTER"], identity: Slice::new() };

/// What the other side says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Peer {
    /// Its routing id; empty if it leaves that to this side.
    pub identity: Slice,
    /// Whether it knows PING: since ZMTP 3.1.
    pub pings: bool,
}

/// A PING, to be answered with its context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ping {
    /// How long the peer wants to be waited for when it is silent; zero for no wish.
    pub patience: Duration,
    context: [u8; LONGEST_CONTEXT],
    len: usize,
}

/// What a command says, if it matters.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Ready(Peer),
    Ping(Ping),
    Nothing,
}

/// The minor version of a greeting, once all of it is there. What is wrong is found at once.
pub(super) fn read_greeting(bytes: SequenceRef<'_>) -> Result<Option<u8>, Fault> {
    let at = |i: usize| bytes.get(i);
    let wrong = |i: usize, right: fn(u8) -> bool| at(i).is_some_and(|byte| !right(byte));
    if wrong(0, |byte| byte == 0xff)
        || wrong(9, |byte| byte & 1 == 1)
        || wrong(10, |byte| byte >= 3)
    {
        return Err(Fault::Greeting);
    }
    if (12..32).any(|i| at(i).is_some_and(|byte| byte != GREETING[i])) {
        return Err(Fault::Mechanism);
    }
    Ok((bytes.len() >= GREETING.len()).then(|| at(11).unwrap_or(0)))
}

/// Reads the body of a command. Before READY only that and ERROR make sense.
pub(super) fn read(body: SequenceRef<'_>, own: Option<&Own>) -> Result<Said, Fault> {
    let mut reader = body.reader();
    let name = short(&mut reader)?;
    match own {
        Some(own) if name == SequenceRef::from(b"READY") => ready(reader, own).map(Said::Ready),
        Some(_) if name == SequenceRef::from(b"ERROR") => Err(Fault::Refused),
        Some(_) => Err(Fault::Command),
        None if name == SequenceRef::from(b"PING") => ping(reader).map(Said::Ping),
        None => Ok(Said::Nothing),
    }
}

/// Bytes behind their length, which is one byte.
fn short<'a>(reader: &mut SequenceReader<'a>) -> Result<SequenceRef<'a>, Fault> {
    let len = reader.read_u8().map_err(|_| Fault::Command)?;
    reader.read_slice(usize::from(len)).map_err(|_| Fault::Command)
}

fn ready(mut reader: SequenceReader<'_>, own: &Own) -> Result<Peer, Fault> {
    let (mut peer, mut fits) = (Peer::default(), false);
    while reader.remaining() > 0 {
        let name = short(&mut reader)?;
        let len = reader.read_u32_be().map_err(|_| Fault::Command)?;
        let len = usize::try_from(len).map_err(|_| Fault::Command)?;
        let value = reader.read_slice(len).map_err(|_| Fault::Command)?;
        let is = |wanted: &str| {
            name.len() == wanted.len()
                && name
                    .segments()
                    .flatten()
                    .zip(wanted.bytes())
                    .all(|(a, b)| a.eq_ignore_ascii_case(&b))
        };
        if is("Socket-Type") {
            fits = own.talks_to.iter().any(|known| value == SequenceRef::from(known.as_bytes()));
        } else if is("Identity") {
            if len > LONGEST_IDENTITY {
                return Err(Fault::Command);
            }
            peer.identity = value.to_slice();
        }
    }
    if fits { Ok(peer) } else { Err(Fault::Socket) }
}

fn ping(mut reader: SequenceReader<'_>) -> Result<Ping, Fault> {
    let tenths = reader.read_u16_be().map_err(|_| Fault::Command)?;
    let (mut context, len) = ([0; LONGEST_CONTEXT], reader.remaining());
    let Some(to) = context.get_mut(..len) else { return Err(Fault::Command) };
    reader.read_into(to).map_err(|_| Fault::Command)?;
    Ok(Ping { patience: Duration::from_millis(u64::from(tenths) * 100), context, len })
}

/// Writes the parts of a command one behind the other.
fn write(writer: &mut Writer, parts: &[&[u8]]) -> Result<(), PipeError> {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    let head = Head { more: false, command: true, len: len as u64 };
    let mut slot = writer.reserve(head.size() + len)?;
    let bytes = parts.iter().flat_map(|part| part.iter());
    head.write(slot.room()).iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
    slot.commit(head.size() + len);
    Ok(())
}

impl Own {
    /// Writes READY.
    pub(crate) fn write_ready(&self, writer: &mut Writer) -> Result<(), PipeError> {
        // At most 255 bytes: see `Options::identity`.
        let lengths =
            [self.socket.len(), self.identity.len()].map(|len| (len as u64).to_be_bytes());
        let [socket, identity] = &lengths;
        let (socket, identity) = (&socket[4..], &identity[4..]);
        let (name, id) = (self.socket.as_bytes(), &self.identity[..]);
        let front = b"\x05READY\x0bSocket-Type".as_slice();
        write(writer, &[front, socket, name, b"\x08Identity", identity, id])
    }
}

impl Ping {
    /// Writes a PING that asks to be waited for as long as `patience` says when there is no other.
    pub(crate) fn write(writer: &mut Writer, patience: Duration) -> Result<(), PipeError> {
        let tenths = u16::try_from(patience.as_millis() / 100).unwrap_or(u16::MAX);
        write(writer, &[b"\x04PING", &tenths.to_be_bytes()])
    }

    /// Writes the PONG.
    pub(crate) fn answer(&self, writer: &mut Writer) -> Result<(), PipeError> {
        write(writer, &[b"\x04PONG", &self.context[..self.len]])
    }
}
