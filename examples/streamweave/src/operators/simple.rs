//! Operators that keep nothing: map, filter, flat-map, key.

use crate::{
    BuildError, Failure, Item, Make, Message, Meta, Node, Outputs, Parameters,
    function::{Work, boxed, cow, pass, stateless, updated},
};
use aqueduct::{Interner, Slice, Str};
use memchr::memmem::Finder;
use std::{borrow::Cow, collections::HashMap};

/// The type of ports that take or give bytes.
pub(crate) const BYTES: &str = "bytes";

pub(crate) const ALL: &[(&str, Make)] =
    &[("map", map), ("filter", filter), ("flat-map", flat_map), ("key", key), ("pass", passing)];

fn node(parameters: &Parameters, work: impl Work + Clone + Sync) -> Node {
    Node::operator(parameters.name(), BYTES, BYTES, stateless(work))
}

fn passing(parameters: &mut Parameters) -> Result<Node, BuildError> {
    Ok(node(parameters, pass))
}

/// A node of a function from bytes to bytes.
fn bytes(
    parameters: &Parameters,
    map: impl Fn(Slice) -> Result<Slice, Failure> + Clone + Send + Sync + 'static,
) -> Node {
    node(parameters, move |message: Message, out: &mut Outputs<'_>| {
        let payload = map(Slice::from_payload(message.payload)?)?.into();
        out.emit(0, Message { payload, ..message })
    })
}

fn map(parameters: &mut Parameters) -> Result<Node, BuildError> {
    parameters.either("suffix", "to")?;
    let suffix = parameters.text("suffix")?;
    if let Some(suffix) = suffix {
        return Ok(bytes(parameters, move |bytes| Ok(extended(&bytes, suffix.as_bytes()))));
    }
    Ok(match parameters.needed_text("to")?.as_str() {
        "upper" => bytes(parameters, |bytes| {
            let unchanged = !bytes.iter().any(u8::is_ascii_lowercase);
            Ok(if unchanged { bytes } else { updated(bytes, <[u8]>::make_ascii_uppercase) })
        }),
        "trimmed" => bytes(parameters, |bytes| {
            Ok(cow(bytes, |text| match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
                Cow::Owned(text) => Cow::Owned(text),
            }))
        }),
        "square" => bytes(parameters, |bytes| {
            let number = number(&bytes)?;
            let square = number.checked_mul(number);
            let square = square.ok_or_else(|| Failure::new("its square is too large"))?;
            Ok(Slice::from(square.to_string()))
        }),
        _ => return Err(parameters.bad("\"to\" is \"upper\", \"trimmed\" or \"square\"")),
    })
}

fn extended(bytes: &[u8], suffix: &[u8]) -> Slice {
    let mut block = aqueduct::Pool::global().get(bytes.len() + suffix.len());
    block.extend_from_slice(bytes);
    block.extend_from_slice(suffix);
    block.freeze()
}

/// The number that a text begins with, up to a space.
pub(crate) fn number(bytes: &[u8]) -> Result<i64, Failure> {
    let text = bytes.split(|&byte| byte == b' ').next().unwrap_or_default();
    Ok(std::str::from_utf8(text)?.parse()?)
}

fn filter(parameters: &mut Parameters) -> Result<Node, BuildError> {
    parameters.either("contains", "multiple_of")?;
    let negate = parameters.flag("negate")?;
    if let Some(part) = parameters.text("contains")? {
        let finder = Finder::new(&part).into_owned();
        return Ok(filtered(parameters, move |text| Ok(finder.find(text).is_some() != negate)));
    }
    let of = i64::try_from(parameters.count("multiple_of")?)
        .map_err(|_| parameters.bad("\"multiple_of\" is too large"))?;
    Ok(filtered(parameters, move |text| Ok((number(text)? % of == 0) != negate)))
}

fn filtered(
    parameters: &Parameters,
    passes: impl Fn(&[u8]) -> Result<bool, Failure> + Clone + Send + Sync + 'static,
) -> Node {
    node(parameters, move |mut message: Message, out: &mut Outputs<'_>| {
        let bytes = Slice::from_payload(message.payload)?;
        if passes(&bytes)? {
            message.payload = bytes.into();
            out.emit(0, message)?;
        }
        Ok(())
    })
}

fn flat_map(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let at = parameters.needed_text("split")?;
    if at.is_empty() {
        return Err(parameters.bad("\"split\" is empty"));
    }
    let finder = Finder::new(&at).into_owned();
    Ok(node(parameters, move |mut message: Message, out: &mut Outputs<'_>| {
        let mut rest = Slice::from_payload(std::mem::take(&mut message.payload))?;
        while let Some(found) = finder.find(&rest) {
            let part = rest.split_to(found);
            rest.advance(finder.needle().len());
            out.emit(0, Message { payload: part.into(), ..message.clone() })?;
        }
        message.payload = rest.into();
        out.emit(0, message)
    }))
}

/// Keys that a node remembers, with the metadata that has them.
const REMEMBERED: usize = 65_536;

/// Gives each message the field of its text as key. A key that was seen before allocates nothing while the
/// rest of the metadata stays the same.
fn key(parameters: &mut Parameters) -> Result<Node, BuildError> {
    let field = parameters.number("field")?.unwrap_or(0);
    let delimiter = parameters.text("delimiter")?.unwrap_or_else(|| " ".to_owned());
    if delimiter.is_empty() {
        return Err(parameters.bad("\"delimiter\" is empty"));
    }
    let field = usize::try_from(field).map_err(|_| parameters.bad("\"field\" is too large"))?;
    let make = move || -> Result<Box<dyn crate::Operator>, Failure> {
        let (delimiter, mut keys) = (delimiter.clone(), Keys::default());
        Ok(boxed(move |mut message: Message, out: &mut Outputs<'_>| {
            let bytes = Slice::from_payload(message.payload)?;
            let text = std::str::from_utf8(&bytes)?;
            let Some(key) = text.split(&*delimiter).nth(field) else {
                return Err(Failure::new(format!("there is no field {field}")));
            };
            message.meta = keys.meta(message.meta, key);
            message.payload = bytes.into();
            out.emit(0, message)
        }))
    };
    let node = Node::operator(parameters.name(), BYTES, BYTES, std::sync::Arc::new(make));
    Ok(Node { rekeys: true, ..node })
}

#[derive(Default)]
struct Keys {
    names: Interner,
    base: Meta,
    known: HashMap<Str, Meta>,
}

impl Keys {
    fn meta(&mut self, meta: Meta, key: &str) -> Meta {
        if !self.base.same(&meta) {
            self.known.clear();
            self.base = meta.clone();
        }
        if let Some(known) = self.known.get(key) {
            return known.clone();
        }
        let name = self.names.intern(key);
        let meta = meta.with_key(name.clone());
        if self.known.len() < REMEMBERED {
            self.known.insert(name, meta.clone());
        }
        meta
    }
}
