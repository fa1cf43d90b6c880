//! Searching: memchr inside segments, and by hand across their ends.

use crate::SequenceRef;
use core::iter::FusedIterator;
use memchr::{memchr, memchr_iter, memchr2, memchr3, memmem, memrchr};

impl<'a> SequenceRef<'a> {
    /// Where `byte` is for the first time. Linear.
    #[must_use]
    pub fn find(self, byte: u8) -> Option<usize> {
        self.find_with(|piece| memchr(byte, piece))
    }

    /// Where any of `bytes` is for the first time. Linear; up to three of them are searched as
    /// quickly as one.
    #[must_use]
    pub fn find_any(self, bytes: &[u8]) -> Option<usize> {
        match *bytes {
            [] => None,
            [one] => self.find(one),
            [one, two] => self.find_with(|piece| memchr2(one, two, piece)),
            [one, two, three] => self.find_with(|piece| memchr3(one, two, three, piece)),
            _ => {
                let wanted = table(bytes);
                self.find_with(|piece| piece.iter().position(|&byte| wanted[usize::from(byte)]))
            }
        }
    }

    /// Where `pattern` begins for the first time, within segments or across their ends. An empty one
    /// is found at once, as std does.
    ///
    /// Linear within segments. Across the end of one, each place where the pattern may begin is
    /// compared.
    #[must_use]
    pub fn find_slice(self, pattern: &[u8]) -> Option<usize> {
        let (&first, most) = match pattern {
            [] => return Some(0),
            [only] => return self.find(*only),
            [first, others @ ..] => (first, others.len()),
        };
        let finder = memmem::Finder::new(pattern);
        let mut rest = self;
        while rest.len() >= pattern.len() {
            let before = self.len() - rest.len();
            if let Some(at) = finder.find(rest.head) {
                return Some(before + at);
            }
            // What begins in the last bytes of this segment and ends in a later one.
            let tail = rest.head.len().saturating_sub(most);
            for at in memchr_iter(first, &rest.head[tail..]) {
                let mut from = rest;
                from.head = &from.head[tail + at..];
                if from.has_prefix(pattern.into()) {
                    return Some(before + tail + at);
                }
            }
            rest.skip_head();
        }
        None
    }

    /// Where `byte` is for the last time. Linear.
    #[must_use]
    pub fn rfind(self, byte: u8) -> Option<usize> {
        let mut rest = self;
        while !rest.is_empty() {
            let last = rest.last();
            let before = rest.len() - last.len();
            if let Some(at) = memrchr(byte, last) {
                return Some(before + at);
            }
            rest = rest.window(0, before);
        }
        None
    }

    /// Where the first byte is for which `is_wanted` says yes. Linear.
    #[must_use]
    pub fn find_by(self, mut is_wanted: impl FnMut(u8) -> bool) -> Option<usize> {
        self.find_with(|piece| piece.iter().position(|&byte| is_wanted(byte)))
    }

    #[inline]
    pub(crate) fn find_with(
        self,
        mut find: impl FnMut(&'a [u8]) -> Option<usize>,
    ) -> Option<usize> {
        let mut before = 0;
        for piece in self.segments() {
            if let Some(at) = find(piece) {
                return Some(before + at);
            }
            before += piece.len();
        }
        None
    }

    /// The parts between the places where `byte` is: one more than those, and each may be empty.
    #[must_use]
    pub const fn split(self, byte: u8) -> Split<'a> {
        Split { rest: Some(self), byte }
    }

    /// Without ASCII white space at both ends.
    #[must_use]
    pub fn trim_ascii(self) -> Self {
        self.trim_ascii_start().trim_ascii_end()
    }

    /// Without ASCII white space at the start.
    #[must_use]
    pub fn trim_ascii_start(self) -> Self {
        let from = self.find_by(|byte| !byte.is_ascii_whitespace());
        self.window(from.unwrap_or(self.len()), self.len())
    }

    /// Without ASCII white space at the end.
    #[must_use]
    pub fn trim_ascii_end(self) -> Self {
        let mut rest = self;
        while !rest.is_empty() {
            let (last, kept) = (rest.last(), rest.last().trim_ascii_end());
            if kept.len() == last.len() {
                break;
            }
            rest = rest.window(0, rest.len() - (last.len() - kept.len()));
        }
        rest
    }
}

/// Which bytes are among `bytes`.
fn table(bytes: &[u8]) -> [bool; 256] {
    let mut wanted = [false; 256];
    bytes.iter().for_each(|&byte| wanted[usize::from(byte)] = true);
    wanted
}

/// The parts between delimiters; made by [`SequenceRef::split`].
#[derive(Clone, Debug)]
pub struct Split<'a> {
    rest: Option<SequenceRef<'a>>,
    byte: u8,
}

impl<'a> Iterator for Split<'a> {
    type Item = SequenceRef<'a>;

    fn next(&mut self) -> Option<SequenceRef<'a>> {
        let rest = self.rest.take()?;
        let Some(at) = rest.find(self.byte) else { return Some(rest) };
        self.rest = Some(rest.window(at + 1, rest.len()));
        Some(rest.window(0, at))
    }
}

impl FusedIterator for Split<'_> {}
