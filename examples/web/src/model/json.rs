//! JSON onto a tape: lists and objects by a loop of our own, so that depth costs no stack; strings,
//! numbers and words by `serde_json`.

use aqueduct::meter;
use memchr::memchr2;
use serde::Deserialize;
use serde_json::Deserializer;

use super::tape::{Fault, Node, Tape, span};
use super::value::Value;

/// The most levels of lists and objects: `serde_json`'s own limit, for whoever reads our answers.
const DEEPEST: usize = 128;

/// The number of no node.
const NONE: u32 = u32::MAX;

impl Tape {
    /// Reads a JSON document, at most 128 levels deep, on a few hundred bytes of stack. Linear.
    ///
    /// # Errors
    ///
    /// [`Fault`] when it is not one.
    pub fn json<'a>(&'a mut self, body: &'a [u8]) -> Result<Value<'a>, Fault> {
        self.clear();
        let body = std::str::from_utf8(body).map_err(|_| Fault::NotText)?;
        u32::try_from(body.len()).map_err(|_| Fault::NotText)?;
        let body = body.strip_prefix('\u{feff}').unwrap_or(body);
        Reader { tape: self, body, at: 0, open: NONE, depth: 0 }.document()?;
        Ok(Value::new(self, body, 0))
    }
}

struct Reader<'t, 'a> {
    tape: &'t mut Tape,
    body: &'a str,
    /// How far it was read.
    at: usize,
    /// The innermost list or object that has not ended; until it does, its node has the number of the
    /// next outer one for its end.
    open: u32,
    /// How many have not ended.
    depth: usize,
}

impl<'a> Reader<'_, 'a> {
    fn document(&mut self) -> Result<(), Fault> {
        loop {
            let begun = match self.peek() {
                Some(b'[') => self.begin(Node::List)?,
                Some(b'{') => self.begin(Node::Map)?,
                byte => self.scalar(byte)?,
            };
            if !self.advance(begun)? {
                return Ok(());
            }
        }
    }

    /// Skips space, and gives the byte behind it.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.body.as_bytes()[self.at..];
        let space = rest.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\t' | b'\r')).count();
        self.at += space;
        rest.get(space).copied()
    }

    /// Steps over `byte`, if it is the next.
    fn expect(&mut self, byte: u8, words: &str) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault(self.at, words));
        }
        self.at += 1;
        Ok(())
    }

    /// Steps into a list or an object.
    fn begin(&mut self, node: fn(u32, u32) -> Node) -> Result<bool, Fault> {
        if self.depth == DEEPEST {
            return Err(self.fault(self.at, "recursion limit exceeded"));
        }
        self.depth += 1;
        self.at += 1;
        let slot = self.nodes();
        self.tape.nodes.push(node(0, self.open));
        self.open = slot;
        Ok(true)
    }

    /// Goes on to the next value, out of all that ends before it; whether there is one. `begun` says
    /// that a list or an object has just begun.
    fn advance(&mut self, mut begun: bool) -> Result<bool, Fault> {
        loop {
            let (byte, behind) = (self.peek(), self.nodes());
            let (map, len, end) = match self.tape.nodes.get_mut(self.open as usize) {
                Some(Node::List(len, end)) => (false, len, end),
                Some(Node::Map(len, end)) => (true, len, end),
                _ if byte.is_none() => return Ok(false),
                _ => return Err(self.fault(self.at, "trailing characters")),
            };
            if byte == Some(if map { b'}' } else { b']' }) {
                self.open = std::mem::replace(end, behind);
                self.depth -= 1;
                self.at += 1;
                begun = false;
                continue;
            }
            *len += 1;
            if !begun {
                self.expect(b',', if map { "expected `,` or `}`" } else { "expected `,` or `]`" })?;
            }
            if map {
                self.name()?;
            }
            return Ok(true);
        }
    }

    /// A name in an object, and the colon behind it.
    fn name(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.fault(self.at, "key must be a string"));
        }
        self.string()?;
        self.expect(b':', "expected `:`")
    }

    /// A value that begins with `byte` and contains no other.
    fn scalar(&mut self, byte: Option<u8>) -> Result<bool, Fault> {
        let node = match byte {
            Some(b'"') => return self.string().map(|()| false),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't' | b'f') => Node::Bool(self.take()?),
            _ => {
                let () = self.take()?;
                Node::Null
            }
        };
        self.tape.nodes.push(node);
        Ok(false)
    }

    fn number(&mut self) -> Result<Node, Fault> {
        let (start, rest) = (self.at, &self.body.as_bytes()[self.at..]);
        let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = !matches!(rest.get(len), Some(b'.' | b'e' | b'E'));
        // A float's range has more digits, and only zero begins with one.
        if whole && (1..=300).contains(&len) && (rest[0] != b'0' || len == 1) {
            self.at += len;
            return Ok(Node::Int(span(start, self.at)));
        }
        // Only to know that it is a number, and within a float's range.
        let _: f64 = self.take()?;
        let text = &self.body[start..self.at];
        let whole = !text.contains(['.', 'e', 'E']);
        let span = span(start, self.at);
        Ok(if whole { Node::Int(span) } else { Node::Float(span) })
    }

    fn string(&mut self) -> Result<(), Fault> {
        let (start, bytes) = (self.at + 1, self.body.as_bytes());
        let end = memchr2(b'"', b'\\', &bytes[start..]).map(|len| start + len);
        let plain =
            |end: &usize| bytes[*end] == b'"' && bytes[start..*end].iter().all(|b| *b >= b' ');
        let node = if let Some(end) = end.filter(plain) {
            self.at = end + 1;
            Node::Text(span(start, end))
        } else {
            // A copy of the parser's, and then ours.
            let text: String = self.take()?;
            meter::count_copy(text.len());
            Node::Kept(self.tape.keep(&text))
        };
        self.tape.nodes.push(node);
        Ok(())
    }

    /// What `serde_json` reads next.
    fn take<T: Deserialize<'a>>(&mut self) -> Result<T, Fault> {
        let mut values = Deserializer::from_str(&self.body[self.at..]).into_iter();
        match values.next() {
            Some(Ok(value)) => {
                self.at += values.byte_offset();
                Ok(value)
            }
            Some(Err(error)) => {
                let words = error.to_string();
                let words = words.split(" at line ").next().unwrap_or_default();
                // Its columns count bytes from one, and what it found is the last of them. No value
                // goes on in another line.
                let read = error.column().saturating_sub(usize::from(!error.is_eof()));
                Err(self.fault(self.at + read, words))
            }
            None => Err(self.fault(self.at, "unexpected end")),
        }
    }

    /// How many nodes there are: fewer than bytes, which fit `u32`.
    fn nodes(&self) -> u32 {
        span(0, self.tape.nodes.len()).end
    }

    /// An error behind `at` bytes; its place counts characters, as Python's does.
    fn fault(&self, at: usize, words: &str) -> Fault {
        let at = self.body.char_indices().take_while(|(place, _)| *place < at).count();
        Fault::Syntax { at, error: words.to_owned() }
    }
}
