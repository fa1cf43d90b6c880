//! [`Reply`]: how a service answers.

use super::{
    date,
    handover::{HandedOver, Handover},
    status::{Fault, INTERNAL, reason},
    stream::Stream,
};
use aqueduct::{Slice, Writer, meter};
use std::{fmt, io, io::Write, mem};

/// An answer, written into the blocks in which it goes out: [`status`](Self::status) and
/// [`header`](Self::header) as needed, then one of the others, which end it. What makes no sense (a
/// header with a line end in it, a second body) makes it a 500, and so does a panic.
///
/// To `HEAD` the same head is sent, and no body.
pub struct Reply<'w> {
    out: &'w mut Writer,
    terms: Terms,
    status: u16,
    stage: Stage,
    rest: Option<Rest>,
    /// Lines of the head, whatever it becomes.
    always: Vec<u8>,
}

/// What the request settles about its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// It was `HEAD`.
    pub(crate) bodiless: bool,
    /// It was of HTTP/1.0.
    pub(crate) old: bool,
    /// Another may follow.
    pub(crate) keep: bool,
    pub(crate) copying: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing is written.
    Begun,
    /// The first line and some headers are.
    Head,
    Done,
    /// What the service asked for cannot be sent, or the pipe took no more.
    Failed,
}

/// What of an answer is not in the pipe yet.
pub(crate) enum Rest {
    Stream(Stream),
    HandedOver(HandedOver),
}

/// Bytes that the copying mode sets aside for JSON: most of it needs no more.
const USUAL: usize = 512;
/// Digits of a length that is filled in later: ten gigabytes.
const DIGITS: usize = 10;

impl<'w> Reply<'w> {
    pub(crate) fn new(out: &'w mut Writer, terms: Terms) -> Self {
        Self { out, terms, status: 200, stage: Stage::Begun, rest: None, always: Vec::new() }
    }

    /// The status: 200 unless set. Before any header.
    pub fn status(&mut self, status: u16) -> &mut Self {
        if self.stage != Stage::Begun || !(200..=999).contains(&status) {
            self.stage = Stage::Failed;
        }
        self.status = status;
        self
    }

    /// The status so far.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.status
    }

    /// Adds a header. The length, the date and what concerns the connection are added without being
    /// asked for, and cannot be given: two of them would be two answers.
    pub fn header(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let value = value.as_ref();
        if !is_header(name, value) {
            self.stage = Stage::Failed;
        }
        self.begin();
        self.put(&[name.as_bytes(), b": ", value, b"\r\n"]);
        self
    }

    /// Adds a header to whatever is answered in the end, be it a 500 in the place of this: what hooks
    /// do. Before the status and any other header. Allocates.
    pub fn always(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        let value = value.as_ref();
        if self.stage != Stage::Begun || !is_header(name, value) {
            self.stage = Stage::Failed;
            return self;
        }
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.always.extend_from_slice(part);
        }
        self
    }

    /// These bytes: copied, and counted. What is long and there already is better handed over as a
    /// [`slice`](Self::slice).
    pub fn body(&mut self, bytes: &[u8]) {
        if !self.end_head(bytes.len() as u64) {
            return;
        }
        let done = self.out.write(bytes);
        self.must(done);
    }

    /// These bytes, handed over without being copied.
    pub fn slice(&mut self, slice: impl Into<Slice>) {
        let slice = slice.into();
        if self.terms.copying {
            self.body(&slice);
        } else if self.end_head(slice.len() as u64) {
            let done = self.out.push(slice).map_err(|refused| refused.error);
            self.must(done);
        }
    }

    /// What `write` writes, as `application/json`: it is made where it goes out from, and its length is
    /// filled in afterwards. An error makes the answer a 500.
    pub fn json(&mut self, write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()>) {
        self.header("content-type", "application/json");
        if self.terms.copying {
            let mut bytes = Vec::with_capacity(USUAL);
            match write(&mut BodyWriter(Target::Vec(&mut bytes))) {
                Ok(()) => self.body(&bytes),
                Err(_) => self.stage = Stage::Failed,
            }
        } else if self.terms.bodiless || self.has_no_body() {
            let mut count = 0;
            match write(&mut BodyWriter(Target::Count(&mut count))) {
                Ok(()) => _ = self.end_head(count as u64),
                Err(_) => self.stage = Stage::Failed,
            }
        } else {
            let done = self.write_patched(write);
            self.must(done);
        }
    }

    fn write_patched(
        &mut self,
        write: impl FnOnce(&mut BodyWriter<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.stage != Stage::Head {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.put(&[b"content-length: "]);
        let length = self.out.reserve_prefix(DIGITS)?;
        self.put(&[b"\r\n\r\n"]);
        let start = self.out.unflushed();
        write(&mut BodyWriter(Target::Pipe(self.out)))?;
        let mut digits = [b' '; DIGITS];
        write!(&mut digits[..], "{:>DIGITS$}", self.out.unflushed() - start)?;
        self.stage = Stage::Done;
        self.out.patch(&length, &digits).map_err(io::Error::other)
    }

    /// These slices, handed over one by one as the client takes them: in chunks, or to a client of
    /// HTTP/1.0 up to the end of the connection.
    pub fn stream<I>(&mut self, slices: I)
    where
        I: IntoIterator<Item = Slice>,
        I::IntoIter: Send + 'static,
    {
        let Terms { bodiless, old, copying, .. } = self.terms;
        if self.has_no_body() {
            return self.empty();
        }
        self.terms.keep &= !old;
        self.begin();
        if !old {
            self.put(&[b"transfer-encoding: chunked\r\n"]);
        }
        self.put(&[b"\r\n"]);
        self.finish();
        if !bodiless {
            let slices = Box::new(slices.into_iter());
            self.rest = Some(Rest::Stream(Stream { slices, chunked: !old, copying }));
        }
    }

    /// So many bytes, which `body` sends past the pipe, when all that was answered before is sent. It is
    /// dropped at once where there is no body to be sent, as to `HEAD`.
    pub fn hand_over(&mut self, len: u64, body: impl Handover) {
        if self.end_head(len) {
            self.rest = Some(Rest::HandedOver(HandedOver::new(body, len)));
        }
    }

    /// No bytes.
    pub fn empty(&mut self) {
        self.end_head(0);
    }

    /// Whether answers of this status never have a body.
    fn has_no_body(&self) -> bool {
        matches!(self.status, 204 | 304)
    }

    /// Says how long the body is. Whether it is to follow.
    fn end_head(&mut self, len: u64) -> bool {
        self.begin();
        if self.has_no_body() {
            self.put(&[b"\r\n"]);
            self.finish();
            return false;
        }
        let mut digits = [0; 20];
        self.put(&[b"content-length: ", decimal(len, &mut digits), b"\r\n\r\n"]);
        self.finish() && !self.terms.bodiless && len > 0
    }

    fn finish(&mut self) -> bool {
        let whole = self.stage == Stage::Head;
        self.stage = if whole { Stage::Done } else { Stage::Failed };
        whole
    }

    /// Writes what each answer begins with, if it is not there.
    fn begin(&mut self) {
        if self.stage != Stage::Begun {
            if self.stage == Stage::Done {
                self.stage = Stage::Failed;
            }
            return;
        }
        self.stage = Stage::Head;
        let (mut digits, date) = ([0; 20], date::now());
        let connection: &[u8] = match self.terms {
            Terms { keep: false, .. } => b"\r\nconnection: close\r\n",
            Terms { old: true, .. } => b"\r\nconnection: keep-alive\r\n",
            _ => b"\r\n",
        };
        let status = u64::from(self.status);
        self.put(&[
            b"HTTP/1.1 ",
            decimal(status, &mut digits),
            b" ",
            reason(self.status).as_bytes(),
            b"\r\ndate: ",
            &date,
            connection,
        ]);
        let always = mem::take(&mut self.always);
        self.put(&[&always]);
        self.always = always;
    }

    /// Makes a piece of the head where it goes out from. It is no payload, so it counts as no copy.
    fn put(&mut self, parts: &[&[u8]]) {
        if self.stage == Stage::Failed {
            return;
        }
        let len = parts.iter().map(|part| part.len()).sum();
        match self.out.reserve(len) {
            Ok(mut slot) => {
                let mut room = slot.room();
                // There is as much room as was asked for.
                parts.iter().for_each(|part| _ = room.write(part));
                slot.commit(len);
            }
            Err(_) => self.stage = Stage::Failed,
        }
    }

    fn must<E>(&mut self, done: Result<(), E>) {
        if done.is_err() {
            self.stage = Stage::Failed;
        }
    }

    /// When whoever answers has returned, or panicked: what cannot be sent is taken back, and a 500 is
    /// sent in its place.
    pub(crate) fn settle(&mut self, returned: bool) {
        if !returned || self.stage != Stage::Done {
            self.out.rollback();
            (self.stage, self.rest, self.terms.keep) = (Stage::Begun, None, false);
            self.refuse(INTERNAL);
        }
    }

    /// Whether another may follow, and what of it is not in the pipe; nothing if it could not be sent.
    pub(crate) fn end(self) -> Option<(bool, Option<Rest>)> {
        (self.stage == Stage::Done).then_some((self.terms.keep, self.rest))
    }

    /// Answers with what FastAPI says of a fault.
    pub(crate) fn refuse(&mut self, fault: Fault) {
        let Fault(status) = fault;
        if fault == INTERNAL {
            // Starlette's, which has no JSON.
            self.status(status).header("content-type", "text/plain; charset=utf-8");
            return self.body(reason(status).as_bytes());
        }
        self.status(status).json(|body| write!(body, "{{\"detail\":\"{}\"}}", reason(status)));
    }
}

impl fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (status, stage) = (&self.status, &self.stage);
        f.debug_struct("Reply")
            .field("status", status)
            .field("stage", stage)
            .finish_non_exhaustive()
    }
}

/// Where a body is written to; the meter counts what is.
pub struct BodyWriter<'w>(Target<'w>);

enum Target<'w> {
    Pipe(&'w mut Writer),
    Vec(&'w mut Vec<u8>),
    /// Only its length matters.
    Count(&'w mut usize),
}

impl Write for BodyWriter<'_> {
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Target::Pipe(out) => out.write(bytes)?,
            Target::Vec(vec) => {
                meter::count_copy(bytes.len());
                vec.write_all(bytes)?;
            }
            Target::Count(count) => **count += bytes.len(),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for BodyWriter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyWriter").finish_non_exhaustive()
    }
}

/// Whether a head may say this, and who answers may.
fn is_header(name: &str, value: &[u8]) -> bool {
    let breaks = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    let odd = |byte: u8| !byte.is_ascii_graphic() || byte == b':';
    let ours = ["content-length", "transfer-encoding", "connection", "date"];
    let ours = ours.iter().any(|ours| name.eq_ignore_ascii_case(ours));
    !(ours || name.is_empty() || name.bytes().any(odd) || value.iter().any(breaks))
}

/// The digits of a number.
fn decimal(mut number: u64, room: &mut [u8; 20]) -> &[u8] {
    let mut at = room.len();
    loop {
        at -= 1;
        room[at] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            return &room[at..];
        }
    }
}
