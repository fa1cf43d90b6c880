//! Parameters: a query read as Starlette reads it, onto a tape.

use std::borrow::Cow;

use super::tape::{Node, Span, Tape, span};
use super::value::Fields;

impl Tape {
    /// Reads a query: what stands between a target's `?` and its end. Names and values without
    /// escapes are borrowed. Linear.
    pub fn query<'a>(&'a mut self, query: &'a str) -> Fields<'a> {
        self.clear();
        self.nodes.push(Node::Null);
        // A target is far shorter than 4 GiB; what is not is no query.
        let query = if u32::try_from(query.len()).is_ok() { query } else { "" };
        let (mut len, mut at) = (0, 0);
        for pair in query.split('&') {
            if !pair.is_empty() {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                self.component(name, at);
                self.component(value, (at + name.len() + 1).min(query.len()));
                len += 1;
            }
            at += pair.len() + 1;
        }
        self.nodes[0] = Node::Map(len, 1 + 2 * len);
        Fields::new(self, query)
    }

    /// A path without its percent signs, as uvicorn decodes it; borrowed if it has none. Linear.
    pub fn path<'a>(&'a mut self, path: &'a str) -> &'a str {
        if !path.contains('%') {
            return path;
        }
        self.clear();
        self.decode(path, false);
        &self.text
    }

    fn component(&mut self, encoded: &str, at: usize) {
        if encoded.bytes().any(|b| matches!(b, b'%' | b'+' | 0x80..)) {
            let kept = self.decode(encoded, true);
            self.nodes.push(Node::Kept(kept));
        } else {
            self.nodes.push(Node::Text(span(at, at + encoded.len())));
        }
    }

    /// Appends the text of `encoded` to the tape's own. What is not UTF-8 is replaced.
    fn decode(&mut self, encoded: &str, form: bool) -> Span {
        self.scratch.clear();
        let mut rest = encoded.as_bytes();
        while let Some((first, behind)) = rest.split_first() {
            let escaped = (*first == b'%').then(|| Some((hex(behind, 0)? << 4) | hex(behind, 1)?));
            rest = behind;
            match (escaped.flatten(), *first) {
                (Some(byte), _) => {
                    self.scratch.push(byte);
                    rest = &behind[2..];
                }
                (None, b'+') if form => self.scratch.push(b' '),
                // Starlette takes a query for Latin-1.
                (None, b @ 0x80..) if form => {
                    let mut utf8 = [0; 2];
                    self.scratch.extend_from_slice(char::from(b).encode_utf8(&mut utf8).as_bytes());
                }
                (None, b) => self.scratch.push(b),
            }
        }
        let scratch = std::mem::take(&mut self.scratch);
        let kept = self.keep(&String::from_utf8_lossy(&scratch));
        self.scratch = scratch;
        kept
    }
}

fn hex(bytes: &[u8], at: usize) -> Option<u8> {
    let digit = char::from(*bytes.get(at)?).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// A header's value as text: Latin-1, as Starlette has it. Borrowed if it is ASCII.
#[must_use]
pub fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}
