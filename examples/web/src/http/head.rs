//! [`Head`]: what a request says before its body, and how long that is.

use super::status::{BAD, EXPECTATION, Fault, HEAD_TOO_LARGE, VERSION};
use httparse::{Error, Header, Status};
use memchr::memchr;
use std::mem::MaybeUninit;

/// Headers of a request; one with more is refused.
pub(crate) const MOST_HEADERS: usize = 100;
/// Room for them, on the stack.
pub(crate) type Room<'b> = [MaybeUninit<Header<'b>>; MOST_HEADERS];
/// Nothing in it yet.
pub(crate) const ROOM: Room<'static> = [const { MaybeUninit::uninit() }; MOST_HEADERS];

/// A head, parsed where it lies.
#[derive(Debug)]
pub(crate) struct Head<'h, 'b> {
    pub(crate) method: &'b str,
    pub(crate) path: &'b str,
    pub(crate) query: &'b str,
    pub(crate) headers: &'h [Header<'b>],
    pub(crate) framing: Framing,
    /// Whether it is of HTTP/1.0.
    pub(crate) old: bool,
    /// Whether another request may follow.
    pub(crate) keep: bool,
    /// Whether the client waits for leave to send the body.
    pub(crate) expects: bool,
}

/// Where the body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After so many bytes.
    Sized(u64),
    Chunked,
}

impl<'h, 'b> Head<'h, 'b> {
    /// Parses a whole head, empty line and all.
    pub(crate) fn parse(bytes: &'b [u8], room: &'h mut Room<'b>) -> Result<Self, Fault> {
        let mut parsed = httparse::Request::new(&mut []);
        match parsed.parse_with_uninit_headers(bytes, room) {
            Ok(Status::Complete(all)) if all == bytes.len() => {}
            Ok(_) => return Err(BAD),
            Err(Error::TooManyHeaders) => return Err(HEAD_TOO_LARGE),
            Err(Error::Version) => return Err(version(bytes)),
            Err(_) => return Err(BAD),
        }
        let (method, target) = (parsed.method.ok_or(BAD)?, parsed.path.ok_or(BAD)?);
        let (path, query) = split(method, target)?;
        let headers: &'h [Header<'b>] = parsed.headers;
        let said = Said::by(headers)?;
        let old = parsed.version == Some(0);
        let framing = said.framing(old)?;
        let expects = said.expects && !old && framing != Framing::Sized(0);
        let keep = !said.close && (!old || said.keep);
        Ok(Self { method, path, query, headers, framing, old, keep, expects })
    }
}

/// What the headers say that concerns the connection.
#[derive(Default)]
struct Said<'b> {
    hosts: usize,
    length: Option<&'b [u8]>,
    encoding: Option<&'b [u8]>,
    close: bool,
    keep: bool,
    expects: bool,
}

impl<'b> Said<'b> {
    fn by(headers: &[Header<'b>]) -> Result<Self, Fault> {
        let mut said = Self::default();
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            // The length first: most headers are told from all of these by that alone.
            match header.name.len() {
                4 if is("host") => said.hosts += 1,
                6 if is("expect") => {
                    if !header.value.eq_ignore_ascii_case(b"100-continue") {
                        return Err(EXPECTATION);
                    }
                    said.expects = true;
                }
                10 if is("connection") => {
                    for token in header.value.split(|byte| *byte == b',') {
                        said.close |= token.trim_ascii().eq_ignore_ascii_case(b"close");
                        said.keep |= token.trim_ascii().eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                14 if is("content-length") => once(&mut said.length, header.value)?,
                17 if is("transfer-encoding") => once(&mut said.encoding, header.value)?,
                _ => {}
            }
        }
        Ok(said)
    }

    /// Where the body ends. What could be understood in two ways is refused.
    fn framing(&self, old: bool) -> Result<Framing, Fault> {
        if self.hosts != 1 && !(old && self.hosts == 0) {
            return Err(BAD);
        }
        match (self.length, self.encoding) {
            (None, None) => Ok(Framing::Sized(0)),
            (Some(length), None) => Ok(Framing::Sized(number(length)?)),
            (None, Some(encoding)) if !old && encoding.eq_ignore_ascii_case(b"chunked") => {
                Ok(Framing::Chunked)
            }
            _ => Err(BAD),
        }
    }
}

/// Keeps what may be said once.
fn once<'b>(place: &mut Option<&'b [u8]>, value: &'b [u8]) -> Result<(), Fault> {
    if place.replace(value).is_some() { Err(BAD) } else { Ok(()) }
}

/// Digits and nothing else.
fn number(digits: &[u8]) -> Result<u64, Fault> {
    let add = |sum: u64, digit: &u8| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    };
    if digits.is_empty() {
        return Err(BAD);
    }
    digits.iter().try_fold(0, add).ok_or(BAD)
}

/// Path and query of what is asked for.
fn split<'b>(method: &str, target: &'b str) -> Result<(&'b str, &'b str), Fault> {
    let path = match target.as_bytes().first() {
        Some(b'/') => target,
        Some(b'*') if target.len() == 1 && method == "OPTIONS" => return Ok((target, "")),
        _ => after_authority(target).ok_or(BAD)?,
    };
    match memchr(b'?', path.as_bytes()) {
        Some(0) => Ok(("/", &path[1..])),
        Some(at) => Ok((&path[..at], &path[at + 1..])),
        None if path.is_empty() => Ok(("/", "")),
        None => Ok((path, "")),
    }
}

/// What is behind scheme and host, as a proxy is asked.
fn after_authority(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let known = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    (known && end > 0).then(|| &rest[end..])
}

/// Whether the first line asks for a version of HTTP that is not spoken here, or for something else.
fn version(bytes: &[u8]) -> Fault {
    let line = memchr(b'\n', bytes).map_or(bytes, |end| &bytes[..end]);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|byte| *byte == b' ').skip(2);
    match (words.next(), words.next()) {
        (Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]), None)
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            VERSION
        }
        _ => BAD,
    }
}
