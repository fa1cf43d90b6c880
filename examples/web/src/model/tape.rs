//! [`Tape`]: a document as a flat list of nodes, each of which points into the document's text.

use std::fmt;

use aqueduct::meter;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::value::Value;

/// A part of a text, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// One value, or a name in an object. What is inside a list or an object follows its node.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// A number without fraction and exponent, as it is written.
    Int(Span),
    /// Any other number, as it is written.
    Float(Span),
    /// A string that stands in the body as it is.
    Text(Span),
    /// A string that stands in the tape's own text, without its escapes.
    Kept(Span),
    /// How many values follow, and which node is the first behind them.
    List(u32, u32),
    /// How many names, each with its value, follow, and which node is the first behind them.
    Map(u32, u32),
}

/// The nodes of one document, and the strings that do not stand in it as they are.
///
/// Kept for the next document, so that no document allocates once the tape is long enough (but for
/// a JSON document with escapes, for which the parser wants a buffer).
#[derive(Debug, Default)]
pub struct Tape {
    pub(super) nodes: Vec<Node>,
    pub(super) text: String,
    pub(super) scratch: Vec<u8>,
}

/// Why bytes are no document.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// They are not UTF-8, or 4 GiB and more.
    NotText,
    /// They are not JSON.
    Syntax {
        /// Characters before the fault.
        at: usize,
        /// What was expected.
        error: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NotText => f.write_str("the body is not text"),
            Fault::Syntax { at, error } => write!(f, "{error} at character {at}"),
        }
    }
}

impl std::error::Error for Fault {}

impl Tape {
    pub(super) const fn new() -> Tape {
        Tape { nodes: Vec::new(), text: String::new(), scratch: Vec::new() }
    }

    /// Reads a JSON document, at most 128 levels deep. Linear.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it is not one.
    pub fn json<'a>(&'a mut self, body: &'a [u8]) -> Result<Value<'a>, Fault> {
        self.clear();
        let body = std::str::from_utf8(body).map_err(|_| Fault::NotText)?;
        u32::try_from(body.len()).map_err(|_| Fault::NotText)?;
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        let mut parser = serde_json::Deserializer::from_str(body);
        let mut filler = Filler { tape: self, body, at: 0 };
        filler
            .deserialize(&mut parser)
            .and_then(|()| parser.end())
            .map_err(|error| syntax(body, &error))?;
        Ok(Value::new(self, body, 0))
    }

    /// Lets go of what only a very large document needed.
    pub fn trim(&mut self) {
        const MOST: usize = 64 << 10;
        if self.nodes.capacity() * size_of::<Node>() + self.text.capacity() > MOST {
            *self = Tape::new();
        }
    }

    pub(super) fn clear(&mut self) {
        self.nodes.clear();
        self.text.clear();
    }

    /// Keeps `text` in the tape's own: a copy, and counted as one.
    pub(super) fn keep(&mut self, text: &str) {
        meter::count_copy(text.len());
        let start = self.text.len();
        self.text.push_str(text);
        self.nodes.push(Node::Kept(span(start, self.text.len())));
    }
}

/// The span of places in a text whose length fits `u32`; what is kept of a document is no longer
/// than it.
pub(super) fn span(start: usize, end: usize) -> Span {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: place(start), end: place(end) }
}

/// The parser's error, with its place in characters as Python counts them.
fn syntax(body: &str, error: &serde_json::Error) -> Fault {
    let lines = body.split_inclusive('\n').take(error.line().saturating_sub(1));
    let line: usize = lines.map(str::len).sum();
    let byte = line + error.column() - usize::from(!error.is_eof() && error.column() > 0);
    let at = body.char_indices().take_while(|(place, _)| *place < byte).count();
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    Fault::Syntax { at, error: words.to_owned() }
}

/// What the parser drives: it appends a node for each value.
struct Filler<'t, 'de> {
    tape: &'t mut Tape,
    body: &'de str,
    /// Where in the body to look for the next number: behind the last string or number.
    at: usize,
}

impl Filler<'_, '_> {
    /// The number that the parser has just read, as it is written. All that can stand before it are
    /// signs of structure, space, and words without digits.
    fn number<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let bytes = self.body.as_bytes();
        let skipped = bytes[self.at..].iter().position(|b| b.is_ascii_digit() || *b == b'-');
        let start = self.at + skipped.ok_or_else(|| E::custom("a number was lost"))?;
        let inside = |b: &u8| !matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let end = bytes[start..].iter().position(inside).map_or(bytes.len(), |len| start + len);
        let whole = !bytes[start..end].iter().any(|b| matches!(b, b'.' | b'e' | b'E'));
        let span = span(start, end);
        self.tape.nodes.push(if whole { Node::Int(span) } else { Node::Float(span) });
        self.at = end;
        Ok(())
    }

    /// Steps over the string with escapes that the parser has just read.
    fn pass_string(&mut self) {
        let mut rest = self.body.as_bytes()[self.at..].iter();
        let _ = rest.by_ref().find(|b| **b == b'"');
        while let Some(b) = rest.next().filter(|b| **b != b'"') {
            if *b == b'\\' {
                rest.next();
            }
        }
        self.at = self.body.len() - rest.len();
    }

    /// Fills the node of a list or an object in, whose content was appended behind it.
    fn close(&mut self, slot: usize, node: impl FnOnce(u32, u32) -> Node, len: u32) {
        let end = span(0, self.tape.nodes.len()).end;
        self.tape.nodes[slot] = node(len, end);
    }
}

impl<'de> DeserializeSeed<'de> for &mut Filler<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<(), D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Filler<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.tape.nodes.push(Node::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.tape.nodes.push(Node::Bool(value));
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.number()
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.number()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.number()
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        let start = text.as_ptr().addr() - self.body.as_ptr().addr();
        self.at = start + text.len() + 1;
        self.tape.nodes.push(Node::Text(span(start, start + text.len())));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.pass_string();
        self.tape.keep(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (slot, mut len) = (self.tape.nodes.len(), 0_u32);
        self.tape.nodes.push(Node::Null);
        while list.next_element_seed(&mut *self)?.is_some() {
            len += 1;
        }
        self.close(slot, Node::List, len);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (slot, mut len) = (self.tape.nodes.len(), 0_u32);
        self.tape.nodes.push(Node::Null);
        while map.next_key_seed(&mut *self)?.is_some() {
            map.next_value_seed(&mut *self)?;
            len += 1;
        }
        self.close(slot, Node::Map, len);
        Ok(())
    }
}
