//! [`Conversation`]: requests in, answers out.

use super::{
    LARGEST_HEAD, Service,
    chunked::Chunked,
    copies::Copies,
    handover::HandedOver,
    head::{Framing, Head, ROOM},
    lines::Lines,
    reply::{Reply, Rest, Terms},
    request::{Body, Request},
    status::{BODY_TOO_LARGE, Fault, HEAD_TOO_LARGE, TIMEOUT},
    stream::Stream,
};
use crate::{Mode, Options};
use aqueduct::{Reader, SequenceRef, View, Writer};
use std::{
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Bytes of answers that wait to be sent, at which no further request is looked at.
const MOST_WAITING: u64 = 64 << 10;

/// What one client says and is told: requests out of one pipe, answers into another. It knows no socket
/// and no clock.
///
/// Requests are answered one after the other, as they come; however they are cut into pieces, the
/// answers are the same.
pub struct Conversation {
    mode: Mode,
    largest_body: usize,
    stage: Stage,
    /// Requests whose head was whole.
    heads: u64,
    closing: bool,
    /// What is being answered asks for a head alone.
    bodiless: bool,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The first byte of a request.
    Request,
    /// The rest of a head.
    Head,
    /// The rest of a body.
    Body,
}

/// What is to be done next; the answers that are there are sent in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Receive more.
    Read(Wait),
    /// Send first: so much waits that nothing else is done.
    Write,
    /// Send, then send [what was handed over](Conversation::handed_over) until none of it is left.
    HandOver,
    /// Send, and close.
    Close,
}

enum Stage {
    /// Of how many bytes the request is, if its head was understood: it is read again when all of them
    /// are there. Else 0.
    Head(Lines, usize),
    Chunked(Box<Chunked>),
    /// And whether another request may follow.
    Streaming(Stream, bool),
    HandingOver(HandedOver, bool),
    Over,
}

impl Stage {
    const BEGIN: Self = Self::Head(Lines::HEAD, 0);

    /// Behind an answer.
    fn behind(keep: bool) -> Self {
        if keep { Self::BEGIN } else { Self::Over }
    }
}

/// After a step, and what it waits for if it is not to be done again.
type Step = (Stage, Option<Wait>);

impl Conversation {
    /// From its beginning.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let Options { mode, largest_body, .. } = *options;
        Self { mode, largest_body, stage: Stage::BEGIN, heads: 0, closing: false, bodiless: false }
    }

    /// Makes the next answer the last.
    pub fn close_soon(&mut self) {
        self.closing = true;
    }

    /// How many requests were begun, as far as that their heads were whole.
    #[must_use]
    pub fn heads(&self) -> u64 {
        self.heads
    }

    /// Answers what can be answered, and says what is to be done next. Linear in the bytes that are new
    /// and in those of the requests that are answered.
    pub fn advance(
        &mut self,
        service: &impl Service,
        input: &mut Reader,
        output: &mut Writer,
    ) -> Next {
        loop {
            if output.stats().buffered >= MOST_WAITING {
                return Next::Write;
            }
            let step = match mem::replace(&mut self.stage, Stage::Over) {
                Stage::Head(lines, total) => self.head((lines, total), service, input, output),
                Stage::Chunked(request) => self.chunked(request, service, input, output),
                Stage::Streaming(stream, keep) => Ok(stream_on(stream, keep, output)),
                Stage::HandingOver(body, keep) if body.left() > 0 => {
                    self.stage = Stage::HandingOver(body, keep);
                    return Next::HandOver;
                }
                Stage::HandingOver(_, keep) => Ok((Stage::behind(keep), None)),
                Stage::Over => return Next::Close,
            };
            let wait = match step {
                Ok((stage, wait)) => {
                    self.stage = stage;
                    wait
                }
                Err(fault) => {
                    refuse(fault, self.bodiless, output);
                    None
                }
            };
            // Whole answers only, so that one that fails is taken back alone.
            if output.try_flush().is_err() {
                self.stage = Stage::Over;
            } else if let Some(wait) = wait {
                return Next::Read(wait);
            }
        }
    }

    /// The client took too long. It is told so, unless it has not begun to say anything.
    pub fn time_out(&mut self, output: &mut Writer) {
        let stage = mem::replace(&mut self.stage, Stage::Over);
        if !matches!(stage, Stage::Head(lines, _) if lines.searched == 0) {
            refuse(TIMEOUT, self.bodiless, output);
            let _ = output.try_flush();
        }
    }

    /// The body that is sent past the pipe, when it is its turn.
    pub fn handed_over(&mut self) -> Option<&mut HandedOver> {
        match &mut self.stage {
            Stage::HandingOver(body, _) => Some(body),
            _ => None,
        }
    }

    /// A request up to the end of its head; with a body of known length all of it.
    fn head(
        &mut self,
        (mut lines, known): (Lines, usize),
        service: &impl Service,
        input: &mut Reader,
        output: &mut Writer,
    ) -> Result<Step, Fault> {
        let Some(mut view) = look(input) else {
            let wait = match (lines.searched, known) {
                (0, _) => Wait::Request,
                (_, 0) => Wait::Head,
                _ => Wait::Body,
            };
            return Ok((Stage::Head(lines, known), Some(wait)));
        };
        let (seq, len) = (view.seq(), view.len());
        if len < known {
            view.need_more(0);
            return Ok((Stage::Head(lines, known), Some(Wait::Body)));
        }
        if known > 0 {
            lines = Lines::HEAD;
        }
        self.bodiless = false;
        let Some(end) = lines.end(seq.slice(..len.min(LARGEST_HEAD)))? else {
            if len >= LARGEST_HEAD {
                return Err(HEAD_TOO_LARGE);
            }
            view.need_more(0);
            return Ok((Stage::Head(lines, 0), Some(Wait::Head)));
        };
        let bytes = seq.slice(lines.blank..end).to_contiguous();
        let mut room = ROOM;
        let head = Head::parse(&bytes, &mut room)?;
        self.bodiless = head.method == "HEAD";
        let total = match head.framing {
            Framing::Sized(body) => {
                let body = usize::try_from(body).ok().filter(|body| *body <= self.largest_body);
                Some(body.and_then(|body| end.checked_add(body)).ok_or(BODY_TOO_LARGE)?)
            }
            Framing::Chunked => None,
        };
        if known == 0 {
            self.heads += 1;
            go_on(&head, output);
        }
        let Some(total) = total else {
            let request = Chunked::new(view.take(end), lines.blank);
            return Ok((Stage::Chunked(Box::new(request)), None));
        };
        if len < total {
            view.need_more(0);
            return Ok((Stage::Head(lines, total), Some(Wait::Body)));
        }
        let parts = [seq.slice(..end), seq.slice(end..total)];
        let stage = self.answer(&head, parts, service, output);
        view.consume(total);
        Ok((stage, None))
    }

    fn chunked(
        &mut self,
        mut request: Box<Chunked>,
        service: &impl Service,
        input: &mut Reader,
        output: &mut Writer,
    ) -> Result<Step, Fault> {
        let whole = match look(input) {
            Some(view) => request.take_in(view, self.largest_body)?,
            None => false,
        };
        if !whole {
            return Ok((Stage::Chunked(request), Some(Wait::Body)));
        }
        let body = aqueduct::Sequence::from(mem::take(&mut request.body));
        let parts = [request.head.as_ref(), body.as_ref()];
        let bytes = parts[0].slice(request.blank..).to_contiguous();
        let mut room = ROOM;
        let head = Head::parse(&bytes, &mut room)?;
        Ok((self.answer(&head, parts, service, output), None))
    }

    /// Has the service answer a request of which these are the head's bytes and the body's.
    fn answer(
        &self,
        head: &Head<'_, '_>,
        [bytes, body]: [SequenceRef<'_>; 2],
        service: &impl Service,
        output: &mut Writer,
    ) -> Stage {
        let copying = self.mode == Mode::Copying;
        let keep = head.keep && !self.closing;
        let terms = Terms { bodiless: head.method == "HEAD", old: head.old, keep, copying };
        let mut reply = Reply::new(output, terms);
        let copies = copying.then(|| Copies::new(head.path, bytes, body));
        let request = match &copies {
            Some(copies) => copies.request(head),
            None => Request::new(head, Body::new(body, bytes)),
        };
        // A service that panics has not changed anything of ours: its answer is taken back.
        let called = catch_unwind(AssertUnwindSafe(|| service.call(&request, &mut reply)));
        reply.settle(called.is_ok());
        match reply.end() {
            Some((keep, None)) => Stage::behind(keep),
            Some((keep, Some(Rest::Stream(stream)))) => Stage::Streaming(stream, keep),
            Some((keep, Some(Rest::HandedOver(body)))) => Stage::HandingOver(body, keep),
            None => Stage::Over,
        }
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation").field("heads", &self.heads).finish_non_exhaustive()
    }
}

/// What was received and not answered, if any of it is new.
fn look(input: &mut Reader) -> Option<View<'_>> {
    let view = input.try_read().ok()??.into_view();
    (!view.is_empty()).then_some(view)
}

/// Gives the leave that a client waits for. It is also given when the body is there already, so that
/// answers do not depend on when bytes come.
fn go_on(head: &Head<'_, '_>, output: &mut Writer) {
    if head.expects {
        // Who cannot even write this fails with the answer.
        let _ = output.write(b"HTTP/1.1 100 Continue\r\n\r\n");
        let _ = output.try_flush();
    }
}

/// Answers with an error in place of what is not flushed. What the client sent behind is not looked at:
/// nobody knows what it is.
fn refuse(fault: Fault, bodiless: bool, output: &mut Writer) {
    output.rollback();
    let terms = Terms { bodiless, old: false, keep: false, copying: false };
    Reply::new(output, terms).refuse(fault);
}

fn stream_on(mut stream: Stream, keep: bool, output: &mut Writer) -> Step {
    let stage = match stream.write(output, MOST_WAITING) {
        Ok(false) => Stage::Streaming(stream, keep),
        Ok(true) => Stage::behind(keep),
        // To a client that counts on an end that does not come, a broken stream is one.
        Err(_) => Stage::Over,
    };
    (stage, None)
}
