//! [`Value`]: one value of a document or of a request's parameters, borrowed.

use std::collections::HashMap;

use super::tape::{Node, Span, Tape};

static EMPTY: Tape = Tape::new();

/// One value. Numbers are as they are written, since Python's have no largest.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `null`, and what is not there.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent.
    Int(&'a str),
    /// Any other number.
    Float(&'a str),
    /// A string, without its escapes.
    Text(&'a str),
    /// A list.
    List(Items<'a>),
    /// An object.
    Map(Fields<'a>),
}

/// A node of a tape.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    tape: &'a Tape,
    body: &'a str,
    node: u32,
}

impl<'a> Place<'a> {
    fn node(&self) -> Node {
        self.tape.nodes.get(self.node as usize).copied().unwrap_or(Node::List(0, 0))
    }

    fn at(self, node: u32) -> Place<'a> {
        Place { node, ..self }
    }

    fn value(self) -> Value<'a> {
        let part = |text: &'a str, span: Span| &text[span.start as usize..span.end as usize];
        match self.node() {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(value),
            Node::Int(span) => Value::Int(part(self.body, span)),
            Node::Float(span) => Value::Float(part(self.body, span)),
            Node::Text(span) => Value::Text(part(self.body, span)),
            Node::Kept(span) => Value::Text(part(&self.tape.text, span)),
            Node::List(..) => Value::List(Items { place: self, name: None }),
            Node::Map(..) => Value::Map(Fields { place: self }),
        }
    }

    /// The first node behind this one and what it contains.
    fn next(self) -> u32 {
        match self.node() {
            Node::List(_, end) | Node::Map(_, end) => end,
            _ => self.node + 1,
        }
    }

    /// The nodes of a list's values.
    fn items(self) -> impl Iterator<Item = Place<'a>> {
        let len = if let Node::List(len, _) = self.node() { len } else { 0 };
        let mut node = self.node + 1;
        (0..len).map(move |_| {
            let place = self.at(node);
            node = place.next();
            place
        })
    }

    /// An object's names, each with its value's node.
    fn pairs(self) -> impl Iterator<Item = (&'a str, u32)> {
        let len = if let Node::Map(len, _) = self.node() { len } else { 0 };
        let mut node = self.node + 1;
        (0..len).map(move |_| {
            let name = if let Value::Text(name) = self.at(node).value() { name } else { "" };
            let value = node + 1;
            node = self.at(value).next();
            (name, value)
        })
    }
}

impl<'a> Value<'a> {
    pub(super) fn new(tape: &'a Tape, body: &'a str, node: u32) -> Value<'a> {
        Place { tape, body, node }.value()
    }

    /// Its kind's name in the place of an error about a union, if it is one of those that unions tell
    /// apart.
    pub(super) fn tag(&self) -> Option<&'static str> {
        match self {
            Value::Bool(_) => Some("bool"),
            Value::Int(_) => Some("int"),
            Value::Float(_) => Some("float"),
            Value::Text(_) => Some("str"),
            Value::Null | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// An object without fields.
    pub(super) fn empty_map() -> Value<'static> {
        Value::Map(Fields::new(&EMPTY, ""))
    }
}

/// The values of a list, or all those that one name has among parameters.
#[derive(Clone, Copy, Debug)]
pub struct Items<'a> {
    place: Place<'a>,
    name: Option<&'a str>,
}

impl<'a> Items<'a> {
    /// No values.
    #[must_use]
    pub fn none() -> Items<'a> {
        Items { place: Place { tape: &EMPTY, body: "", node: 0 }, name: None }
    }

    /// The values in their order.
    pub fn iter(self) -> impl Iterator<Item = Value<'a>> {
        let named = self.place.pairs().filter(move |(name, _)| Some(*name) == self.name);
        let named = named.map(move |(_, node)| self.place.at(node));
        self.place.items().chain(named).map(Place::value)
    }

    /// How many. Linear for parameters.
    #[must_use]
    pub fn len(self) -> usize {
        match self.place.node() {
            Node::List(len, _) => len as usize,
            _ => self.iter().count(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The fields of an object, or the parameters of a query.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    place: Place<'a>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(tape: &'a Tape, body: &'a str) -> Fields<'a> {
        Fields { place: Place { tape, body, node: 0 } }
    }

    /// The last value of this name. Linear.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        let last = self.nodes().filter(|(n, _)| *n == name).last();
        last.map(|(_, node)| self.node(node))
    }

    /// All values of this name, if there are any. Linear.
    #[must_use]
    pub fn all(self, name: &'a str) -> Option<Items<'a>> {
        let items = Items { place: self.place, name: Some(name) };
        (!items.is_empty()).then_some(items)
    }

    /// What [`params`](super::params) asks for.
    #[must_use]
    pub fn param(self, name: &'a str, list: bool) -> Option<Value<'a>> {
        if list { self.all(name).map(Value::List) } else { self.get(name) }
    }

    /// Names and values, in Python's way: a name that comes again keeps its place and takes the last
    /// value. Allocates.
    pub fn merged(self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        let mut last: HashMap<&str, u32> = self.nodes().collect();
        self.nodes().filter_map(move |(name, _)| Some((name, self.node(last.remove(name)?))))
    }

    /// Names, each with its value's node, as they come.
    pub(super) fn nodes(self) -> impl Iterator<Item = (&'a str, u32)> {
        self.place.pairs()
    }

    pub(super) fn node(self, node: u32) -> Value<'a> {
        self.place.at(node).value()
    }
}
