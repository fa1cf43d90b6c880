//! [`Request`]: what a service sees of one.

use super::head::Head;
use aqueduct::{SequenceRef, Slice};
use httparse::Header;
use std::{borrow::Cow, fmt, slice};

/// A request, borrowed from the blocks that it was received into.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// As it was sent: `GET`.
    pub method: &'a str,
    /// As it was sent, percent signs and all, up to the question mark.
    pub path: &'a str,
    /// What is behind the question mark; empty without one.
    pub query: &'a str,
    /// The headers.
    pub headers: Headers<'a>,
    /// The body, without what marked its chunks.
    pub body: Body<'a>,
}

impl<'a> Request<'a> {
    pub(crate) fn new(head: &'a Head<'a, 'a>, body: Body<'a>) -> Self {
        let Head { method, path, query, .. } = *head;
        Self { method, path, query, headers: Headers(head.headers), body }
    }
}

/// The headers of a request, in the order in which they came.
#[derive(Clone, Copy)]
pub struct Headers<'a>(&'a [Header<'a>]);

impl<'a> Headers<'a> {
    /// None.
    pub const EMPTY: Self = Self(&[]);

    /// The value of the first header of this name, whatever the case of either. Linear in the number of
    /// headers; nothing is hashed.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.0.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| header.value)
    }

    /// Names and values, as they came.
    #[must_use]
    pub fn iter(&self) -> Fields<'a> {
        Fields(self.0.iter())
    }
}

impl<'a> IntoIterator for &Headers<'a> {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = Fields<'a>;

    fn into_iter(self) -> Fields<'a> {
        self.iter()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.escape_ascii())))
            .finish()
    }
}

/// Names and values of headers: see [`Headers::iter`].
#[derive(Clone, Debug)]
pub struct Fields<'a>(slice::Iter<'a, Header<'a>>);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|header| (header.name, header.value))
    }
}

/// The body of a request, where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    bytes: SequenceRef<'a>,
    /// What else there is to have handles on.
    head: SequenceRef<'a>,
}

impl<'a> Body<'a> {
    pub(crate) fn new(bytes: SequenceRef<'a>, head: SequenceRef<'a>) -> Self {
        Self { bytes, head }
    }

    /// Its bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes in one piece: borrowed when they lie in one block, as they mostly do, else copied by each
    /// call, and counted.
    #[must_use]
    pub fn as_bytes(&self) -> Cow<'a, [u8]> {
        self.bytes.to_contiguous()
    }

    /// The bytes in the pieces in which they lie.
    #[must_use]
    pub fn seq(&self) -> SequenceRef<'a> {
        self.bytes
    }

    /// A handle on `part` of the request, of its head as well, that outlives it: without copying if it
    /// was borrowed from the request's blocks, else copied, and counted.
    #[must_use]
    pub fn slice(&self, part: &[u8]) -> Slice {
        let found = handle(self.bytes, part).or_else(|| handle(self.head, part));
        found.unwrap_or_else(|| Slice::copy_from_slice(part))
    }
}

impl<'a> From<&'a [u8]> for Body<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::new(SequenceRef::from(bytes), SequenceRef::EMPTY)
    }
}

/// A handle on `part`, if it lies in one of the segments.
fn handle(within: SequenceRef<'_>, part: &[u8]) -> Option<Slice> {
    let mut before = 0;
    for piece in within.segments() {
        let from = part.as_ptr().addr().checked_sub(piece.as_ptr().addr());
        if let Some(from) =
            from.filter(|from| piece.get(*from..).is_some_and(|rest| rest.len() >= part.len()))
        {
            let start = before + from;
            return Some(within.slice(start..start + part.len()).to_slice());
        }
        before += piece.len();
    }
    None
}
