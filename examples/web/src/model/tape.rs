//! [`Tape`]: a document as a flat list of nodes, each of which points into the document's text.

use std::fmt;

use aqueduct::meter;

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
/// strings with escapes in JSON, for which the parser wants a buffer).
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

    /// Appends to the tape's own text: a copy, and counted as one.
    pub(super) fn keep(&mut self, text: &str) -> Span {
        meter::count_copy(text.len());
        let start = self.text.len();
        self.text.push_str(text);
        span(start, self.text.len())
    }
}

/// The span of places in a text whose length fits `u32`; what is kept of a document is no longer
/// than it.
pub(super) fn span(start: usize, end: usize) -> Span {
    let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: place(start), end: place(end) }
}
