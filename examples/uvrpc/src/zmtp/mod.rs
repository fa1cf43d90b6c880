//! ZMTP 3.1 with the NULL mechanism: what is on the wire.
//!
//! A connection begins with a [greeting](GREETING) and a READY command from each side; then there are
//! messages, which are frames of which all but the last say that there are more, and commands in between.

mod command;
mod fault;
mod session;

pub(crate) use command::{DEALER, LONGEST_IDENTITY, ROUTER};
pub use command::{Own, Peer, Ping};
pub use fault::Fault;
pub use session::{Body, Event, Refusal, Session};

use aqueduct::{PipeError, SequenceRef, Writer};

/// What each side says first: the signature, version 3.1, the mechanism, and that it is no server in the
/// sense of mechanisms that know one.
pub const GREETING: [u8; 64] = {
    let mut greeting = [0; 64];
    (greeting[0], greeting[9], greeting[10], greeting[11]) = (0xff, 0x7f, 3, 1);
    let mut i = 0;
    while i < 4 {
        greeting[12 + i] = b"NULL"[i];
        i += 1;
    }
    greeting
};

/// Bytes of the head of a long frame, the largest head.
pub const LONGEST_HEAD: usize = 9;

const MORE: u8 = 1;
const LONG: u8 = 2;
const COMMAND: u8 = 4;

/// What stands before a frame's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whether the message goes on in another frame.
    pub more: bool,
    /// Whether the frame is a command, and no part of a message.
    pub command: bool,
    /// Bytes of the body.
    pub len: u64,
}

impl Head {
    /// The head of a message's last frame.
    #[must_use]
    pub fn last(len: usize) -> Self {
        Self { more: false, command: false, len: len as u64 }
    }

    /// The head at the front of `bytes`, and how many of them it has; none while there are too few to say.
    ///
    /// # Errors
    ///
    /// [`Fault::Flags`] and [`Fault::Length`]: this is no ZMTP.
    pub fn read(bytes: SequenceRef<'_>) -> Result<Option<(Self, usize)>, Fault> {
        let mut reader = bytes.reader();
        let Ok(flags) = reader.read_u8() else { return Ok(None) };
        let (more, command) = (flags & MORE != 0, flags & COMMAND != 0);
        if flags & !(MORE | LONG | COMMAND) != 0 || (more && command) {
            return Err(Fault::Flags(flags));
        }
        let len = match flags & LONG {
            0 => reader.read_u8().map(u64::from),
            _ => reader.read_u64_be(),
        };
        let Ok(len) = len else { return Ok(None) };
        if len > i64::MAX.cast_unsigned() {
            return Err(Fault::Length(len));
        }
        Ok(Some((Self { more, command, len }, reader.position())))
    }

    /// Bytes of the head itself.
    #[must_use]
    pub const fn size(self) -> usize {
        if self.len <= u8::MAX as u64 { 2 } else { LONGEST_HEAD }
    }

    /// Writes the head to the front of `to`, and gives the room behind it.
    ///
    /// # Panics
    ///
    /// When there is less than its [`size`](Self::size).
    pub fn write(self, to: &mut [u8]) -> &mut [u8] {
        let kind = if self.more { MORE } else { 0 } | if self.command { COMMAND } else { 0 };
        let (head, rest) = to.split_at_mut(self.size());
        match head {
            [flags, len] => (*flags, *len) = (kind, self.len.to_le_bytes()[0]),
            [flags, len @ ..] => {
                *flags = kind | LONG;
                len.iter_mut().zip(self.len.to_be_bytes()).for_each(|(to, byte)| *to = byte);
            }
            [] => unreachable!("no head is empty"),
        }
        rest
    }
}

/// Writes a message as calls and replies are: an empty frame, and one of `head` bytes that `fill` writes and
/// `data` bytes that are to follow. All of that stands in one piece of the pipe's memory.
///
/// # Errors
///
/// As [`Writer::reserve`]; nothing was written.
pub fn write_envelope(
    writer: &mut Writer,
    head: usize,
    data: usize,
    fill: impl FnOnce(&mut [u8]),
) -> Result<(), PipeError> {
    let delimiter = Head { more: true, command: false, len: 0 };
    let frame = Head::last(head + data);
    let total = delimiter.size() + frame.size() + head;
    let mut slot = writer.reserve(total)?;
    let room = frame.write(delimiter.write(slot.room()));
    fill(&mut room[..head]);
    slot.commit(total);
    Ok(())
}
