//! [`Session`]: what the peer says on a connection, from its greeting on.

use super::{
    Fault, GREETING, Head, Own, Peer, Ping,
    command::{self, Said},
};
use crate::{Payload, envelope};
use aqueduct::{Reader, SequenceRef, View};
use std::mem;

/// What a frame claims that is no envelope: data has less than 4 GiB.
const ABSURD: u64 = 1 << 33;

/// Understands what a peer sends, however it is cut in pieces. Holds nothing of it: bytes stay in the pipe
/// that they were received into until they are taken or passed over.
#[derive(Debug)]
pub struct Session {
    own: Own,
    stage: Stage,
    /// Bytes of the largest frame that is not passed over.
    most: u64,
    /// Frames of the present message so far.
    frames: usize,
    /// Why the present message is none, and the id in it, if that is not said yet.
    refused: Option<(Refusal, u32)>,
    /// Bytes of a frame that is passed over, and whether the message ends with it.
    skip: Option<(u64, bool)>,
    /// Bytes that are lent and still in the pipe.
    lent: usize,
    /// Bytes without which there is no use in another look.
    missing: u64,
    /// Bytes of the present message that are gone from the pipe, and of the last one in all.
    passed: u64,
    last: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Ready { pings: bool },
    Open,
}

/// What the peer said.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// No more than before: more has to be received.
    Wait,
    /// The greeting: it is time for this side's READY.
    Greeted,
    /// READY: messages may be sent.
    Ready(Peer),
    /// A call or reply: an empty frame, and this one.
    Envelope(Body<'a>),
    /// A message that is neither, which is gone, or passed over as it comes. The id of what would be the
    /// envelope; 0 where there is none.
    Refused(Refusal, u32),
    /// A PING, to be answered.
    Ping(Ping),
}

/// Why a message is not listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It is not an empty frame and another one.
    Frames,
    /// A frame is larger than allowed.
    TooLarge,
}

impl Refusal {
    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Frames => "Not an empty frame and an envelope",
            Self::TooLarge => "Message too large",
        }
    }
}

impl Session {
    /// What a peer says to a socket like this, with frames of at most so many bytes.
    #[must_use]
    pub fn new(own: Own, most: usize) -> Self {
        Self {
            own,
            stage: Stage::Greeting,
            most: most as u64,
            frames: 0,
            refused: None,
            skip: None,
            lent: 0,
            missing: 0,
            passed: 0,
            last: 0,
        }
    }

    /// How many bytes of the present frame are still to be received, as far as that is known.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// How many bytes the last call or reply had with all its heads; 0 before the first.
    #[must_use]
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// How many bytes of the present message, from the front of the pipe on, there are if it is as large as
    /// the last one.
    #[must_use]
    pub(crate) fn likely(&self) -> u64 {
        self.last.saturating_sub(self.passed)
    }

    /// What is said next in what was received.
    ///
    /// # Errors
    ///
    /// [`Fault`]: the connection cannot go on.
    pub fn advance<'a>(&'a mut self, mut reader: &'a mut Reader) -> Result<Event<'a>, Fault> {
        loop {
            let Some(read) = reader.try_read()? else { return Ok(Event::Wait) };
            self.missing = 0;
            let view = read.into_view();
            if self.lent > 0 {
                reader = view.consume(mem::take(&mut self.lent));
            } else if let Some((left, last)) = self.skip.take() {
                let count = view.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - count as u64;
                reader = view.consume(count);
                if left > 0 {
                    self.skip = Some((left, last));
                    return Ok(Event::Wait);
                }
                if let Some(event) = self.end_frame(last) {
                    return Ok(event);
                }
            } else if self.stage == Stage::Greeting {
                let Some(minor) = command::read_greeting(view.seq())? else {
                    return Ok(wait(view));
                };
                view.consume(GREETING.len());
                self.stage = Stage::Ready { pings: minor >= 1 };
                return Ok(Event::Greeted);
            } else {
                let Some((head, size)) = Head::read(view.seq())? else { return Ok(wait(view)) };
                let front = if head.command { u64::MAX } else { self.front(head) };
                let (have, need) = (view.len() as u64, (size as u64 + head.len).min(front));
                if head.command && head.len > command::LARGEST {
                    return Err(Fault::Length(head.len));
                }
                if !head.command && self.stage != Stage::Open {
                    return Err(Fault::Early);
                }
                if !head.command && head.len > ABSURD {
                    return Err(Fault::Length(head.len));
                }
                if have < need {
                    self.missing = need - have;
                    return Ok(wait(view));
                }
                if head.command {
                    let (event, len) = self.command(view.seq(), size, head)?;
                    reader = view.consume(len);
                    if let Some(event) = event {
                        return Ok(event);
                    }
                    continue;
                }
                if self.is_envelope(head) {
                    return Ok(Event::Envelope(self.lend(view, size, head)));
                }
                if self.frames == 0 && head.more && head.len == 0 {
                    (self.frames, self.passed) = (1, size as u64);
                    reader = view.consume(size);
                    continue;
                }
                let refused = self.refuse(view.seq(), size, head);
                // The skip that this sets is what the next turn does.
                reader = view.consume(0);
                if let Some((why, id)) = refused {
                    return Ok(Event::Refused(why, id));
                }
            }
        }
    }

    /// How many bytes of a frame have to be there before it is looked at: all, or enough for the id in
    /// one that is too large.
    fn front(&self, head: Head) -> u64 {
        if head.len > self.most { (super::LONGEST_HEAD + envelope::FRONT) as u64 } else { u64::MAX }
    }

    fn command<'a>(
        &mut self,
        bytes: SequenceRef<'_>,
        size: usize,
        head: Head,
    ) -> Result<(Option<Event<'a>>, usize), Fault> {
        let end = size + usize::try_from(head.len).map_err(|_| Fault::Length(head.len))?;
        let own = matches!(self.stage, Stage::Ready { .. }).then_some(&self.own);
        let event = match command::read(bytes.slice(size..end), own)? {
            Said::Nothing => None,
            Said::Ping(ping) => Some(Event::Ping(ping)),
            Said::Ready(peer) => {
                let pings = matches!(self.stage, Stage::Ready { pings: true });
                self.stage = Stage::Open;
                Some(Event::Ready(Peer { pings, ..peer }))
            }
        };
        Ok((event, end))
    }

    /// Whether this frame makes a message that is what it should be.
    fn is_envelope(&self, head: Head) -> bool {
        let right = self.frames == 1 && self.refused.is_none() && !head.more;
        right && head.len <= self.most
    }

    fn lend<'a>(&mut self, view: View<'a>, from: usize, head: Head) -> Body<'a> {
        self.frames = 0;
        // It is there, so it is no longer than memory.
        let len = usize::try_from(head.len).unwrap_or(usize::MAX);
        self.lent = from + len;
        self.last = mem::take(&mut self.passed) + self.lent as u64;
        Body { view, from, len }
    }

    /// Passes a frame over which makes its message none. The first reason counts, and the id of the one
    /// frame that may have it. That it is too large is said at once.
    fn refuse(
        &mut self,
        bytes: SequenceRef<'_>,
        size: usize,
        head: Head,
    ) -> Option<(Refusal, u32)> {
        let end = usize::try_from(size as u64 + head.len).unwrap_or(usize::MAX).min(bytes.len());
        let id = if self.frames == 1 { envelope::id(bytes.slice(size..end)) } else { None };
        self.frames = self.frames.saturating_add(1);
        self.skip = Some((size as u64 + head.len, !head.more));
        if self.refused.is_none() && head.len > self.most {
            self.refused = Some((Refusal::TooLarge, 0));
            return Some((Refusal::TooLarge, id.unwrap_or(0)));
        }
        let (_, known) = self.refused.get_or_insert((Refusal::Frames, 0));
        *known = id.unwrap_or(*known);
        None
    }

    fn end_frame(&mut self, last: bool) -> Option<Event<'static>> {
        if !last {
            return None;
        }
        (self.frames, self.passed) = (0, 0);
        let (why, id) = self.refused.take()?;
        // The other reason was given at the frame's head.
        (why == Refusal::Frames).then_some(Event::Refused(why, id))
    }
}

fn wait(view: View<'_>) -> Event<'_> {
    view.need_more(0);
    Event::Wait
}

/// The frame of an envelope, lent where it was received until the next event.
#[derive(Debug)]
pub struct Body<'a> {
    view: View<'a>,
    from: usize,
    len: usize,
}

impl Body<'_> {
    /// All of it.
    #[must_use]
    pub fn bytes(&self) -> SequenceRef<'_> {
        self.view.seq().slice(self.from..self.from + self.len)
    }

    /// Its last `count` bytes, as handles on where they are.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[must_use]
    pub fn last(&self, count: usize) -> Payload {
        let mut rest = self.bytes().slice(self.len - count..);
        let mut payload = Payload::default();
        while !rest.is_empty() {
            let (piece, all) = (rest.first().len(), rest.len());
            // Of one segment, so it is one more handle.
            payload.push(rest.slice(..piece).to_sequence().into_slice());
            rest = rest.slice(piece..all);
        }
        payload
    }
}
