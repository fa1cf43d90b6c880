//! Operators that keep items: batch, window, group-by, reduce, take, skip.

use crate::{
    Batch, BuildError, Failure, Item, Make, Message, Meta, Node, Operator, Outputs, Parameters,
    Place,
    function::{boxed, stateless},
    operators::simple::{BYTES, number},
};
use aqueduct::{Slice, Str};
use std::{collections::BTreeMap, mem, sync::Arc};

/// The type of ports that take or give several payloads as one.
const LIST: &str = "a list";

pub(crate) const ALL: &[(&str, Make)] = &[
    ("batch", batch),
    ("unbatch", unbatch),
    ("window", window),
    ("group-by", group_by),
    ("reduce", reduce),
    ("take", take),
    ("skip", skip),
];

/// What a node keeps for long is its own: a few bytes do not hold a block that they were received into.
fn kept(bytes: Slice) -> Slice {
    if bytes.pinned_bytes() > 4 * bytes.len().max(1024) { bytes.detach() } else { bytes }
}

/// A node that needs its items in their order, all of them.
fn ordered<O: Operator + 'static>(
    parameters: &Parameters,
    gives: &'static str,
    make: impl Fn() -> O + Send + Sync + 'static,
) -> Node {
    let make = Arc::new(move || -> Result<Box<dyn Operator>, Failure> { Ok(Box::new(make())) });
    let node = Node::operator(parameters.name(), BYTES, gives, make);
    Node { place: Place::On(0), in_order: true, ..node }
}

/// Items until there are enough, or until one belongs to another window.
struct Gather {
    ends: fn(&Self, &Message) -> bool,
    size: u64,
    items: Vec<Slice>,
    first: Message,
    given: u64,
}

impl Gather {
    fn new(size: u64, ends: fn(&Self, &Message) -> bool) -> Self {
        Self { ends, size, items: Vec::new(), first: Message::default(), given: 0 }
    }

    fn give(&mut self, out: &mut Outputs<'_>) -> Result<(), Failure> {
        if self.items.is_empty() {
            return Ok(());
        }
        let payload = Batch(Arc::new(mem::take(&mut self.items))).into_payload();
        let first = mem::take(&mut self.first);
        self.given += 1;
        out.emit(0, Message { payload, sequence: self.given - 1, ..first })
    }
}

impl Operator for Gather {
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure> {
        let Message { payload, sequence, timestamp, meta } = message;
        let (bytes, payload) = (Slice::from_payload(payload)?, Slice::new().into());
        let message = Message { payload, sequence, timestamp, meta };
        if !self.items.is_empty() && (self.ends)(self, &message) {
            self.give(out)?;
        }
        if self.items.is_empty() {
            self.first = message;
        }
        self.items.push(kept(bytes));
        Ok(())
    }

    fn on_end(&mut self, out: &mut Outputs<'_>) -> Result<(), Failure> {
        self.give(out)
    }
}

fn full(gather: &Gather, _: &Message) -> bool {
    gather.items.len() as u64 >= gather.size
}

fn batch(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let size = parameters.count("size")? as u64;
    Ok(ordered(parameters, LIST, move || Gather::new(size, full)))
}

/// The items of batches, windows and groups, one by one.
fn unbatch(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let work = |mut message: Message, out: &mut Outputs<'_>| {
        for item in Batch::from_payload(mem::take(&mut message.payload))?.0.iter() {
            out.emit(0, Message { payload: item.clone().into(), ..message.clone() })?;
        }
        Ok(())
    };
    Ok(Node::operator(parameters.name(), LIST, BYTES, stateless(work)))
}

/// By count, or by the messages' own time in milliseconds. Windows follow one another.
fn window(parameters: &mut Parameters) -> Result<Node, BuildError> {
    parameters.either("count", "millis")?;
    if parameters.number("count")?.is_some() {
        let size = parameters.count("count")? as u64;
        return Ok(ordered(parameters, LIST, move || Gather::new(size, full)));
    }
    let size = parameters.count("millis")? as u64;
    let later = |gather: &Gather, message: &Message| {
        message.timestamp / gather.size != gather.first.timestamp / gather.size
    };
    Ok(ordered(parameters, LIST, move || Gather::new(size, later)))
}

/// What is kept of each key until the end.
struct ByKey<T> {
    keys: BTreeMap<Str, (Meta, T)>,
    add: fn(&mut T, Slice) -> Result<(), Failure>,
    give: fn(T) -> Message,
}

impl<T: Default + Send> Operator for ByKey<T> {
    fn on_item(&mut self, _: usize, message: Message, _: &mut Outputs<'_>) -> Result<(), Failure> {
        let bytes = Slice::from_payload(message.payload)?;
        match self.keys.get_mut(message.meta.key()) {
            Some((_, kept)) => (self.add)(kept, bytes),
            None => {
                let mut new = T::default();
                (self.add)(&mut new, bytes)?;
                self.keys.insert(message.meta.key().into(), (message.meta, new));
                Ok(())
            }
        }
    }

    fn on_end(&mut self, out: &mut Outputs<'_>) -> Result<(), Failure> {
        for (sequence, (meta, value)) in (0..).zip(mem::take(&mut self.keys).into_values()) {
            out.emit(0, Message { meta, sequence, ..(self.give)(value) })?;
        }
        Ok(())
    }
}

fn by_key<T: Default + Send + 'static>(
    parameters: &Parameters,
    gives: &'static str,
    add: fn(&mut T, Slice) -> Result<(), Failure>,
    give: fn(T) -> Message,
) -> Node {
    let make = move || ByKey { keys: BTreeMap::new(), add, give };
    Node { place: Place::ByKey, in_order: false, ..ordered(parameters, gives, make) }
}

fn group_by(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let add = |list: &mut Vec<Slice>, bytes| {
        list.push(kept(bytes));
        Ok(())
    };
    let give = |list| Message::of(Batch(Arc::new(list)));
    Ok(Node { in_order: true, ..by_key::<Vec<Slice>>(parameters, LIST, add, give) })
}

fn reduce(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let give = |total: i64| Message::new(Slice::from(total.to_string()));
    let add = match parameters.needed_text("to")?.as_str() {
        "count" => |total: &mut i64, _| {
            *total += 1;
            Ok(())
        },
        "sum" => |total: &mut i64, bytes: Slice| {
            let sum = total.checked_add(number(&bytes)?);
            *total = sum.ok_or_else(|| Failure::new("the sum is too large"))?;
            Ok(())
        },
        _ => return Err(parameters.bad("\"to\" is \"count\" or \"sum\"")),
    };
    Ok(by_key(parameters, BYTES, add, give))
}

/// Hands on the messages for which `wanted` says so, given how many came before.
fn counted(parameters: &mut Parameters, wanted: fn(u64, u64) -> bool) -> Result<Node, BuildError> {
    let limit =
        parameters.number("count")?.ok_or_else(|| parameters.bad("\"count\" is missing"))?;
    let make = Arc::new(move || -> Result<Box<dyn Operator>, Failure> {
        let mut seen = 0;
        Ok(boxed(move |message: Message, out: &mut Outputs<'_>| {
            seen += 1;
            if wanted(seen - 1, limit) { out.emit(0, message) } else { Ok(()) }
        }))
    });
    let node = Node::operator(parameters.name(), crate::ANY, crate::ANY, make);
    Ok(Node { place: Place::On(0), in_order: true, ..node })
}

fn take(parameters: &mut Parameters) -> Result<Node, BuildError> {
    counted(parameters, |seen, limit| seen < limit)
}

fn skip(parameters: &mut Parameters) -> Result<Node, BuildError> {
    counted(parameters, |seen, limit| seen >= limit)
}
