//! JSON as Python's `json.dumps(ensure_ascii=False, separators=(",", ":"))` writes it, into anything
//! that bytes can be written to, without allocating.

use std::borrow::Cow;
use std::io::{self, Write};

use super::value::Value;

/// What an answer is made of.
pub trait ToJson {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// Those of `out`, and one for a number that JSON does not have.
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()>;

    /// Whether it is written at all, as a field of a model.
    fn is_set(&self) -> bool {
        true
    }
}

/// Writes a string.
///
/// # Errors
///
/// Those of `out`.
pub fn write_str<W: Write + ?Sized>(out: &mut W, text: &str) -> io::Result<()> {
    Ok(serde_json::to_writer(out, text)?)
}

/// Writes a number as Python's `repr` does: the fewest digits that give it back, with an exponent
/// below 0.0001 and from 1e16 on.
///
/// # Errors
///
/// Those of `out`; `InvalidData` for what is not finite, as Python refuses it.
pub fn write_f64<W: Write + ?Sized>(out: &mut W, value: f64) -> io::Result<()> {
    if !value.is_finite() {
        let words = "out of range float values are not JSON compliant";
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        return write!(out, "{value}{}", if value.fract() == 0.0 { ".0" } else { "" });
    }
    // 17 digits, sign, point and exponent.
    let mut digits = [0; 32];
    let mut rest = &mut digits[..];
    write!(rest, "{value:e}")?;
    let free = rest.len();
    let text = std::str::from_utf8(&digits[..32 - free]).unwrap_or_default();
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
    write!(out, "{digits}e{sign}{exponent:0>2}")
}

/// `items` between brackets or braces, with commas.
pub(super) fn write_all<W: Write + ?Sized, T>(
    out: &mut W,
    (open, close): (&str, &str),
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut W, T) -> io::Result<()>,
) -> io::Result<()> {
    out.write_all(open.as_bytes())?;
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        write(out, item)?;
    }
    out.write_all(close.as_bytes())
}

/// What is left of a list or an object, each value with its name in an object.
type Members<'a> = Box<dyn Iterator<Item = (Option<&'a str>, Value<'a>)> + 'a>;

/// By a loop, so that depth costs no stack.
impl ToJson for Value<'_> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        let mut open: Vec<(Members<'_>, &[u8])> = Vec::new();
        let mut value = *self;
        loop {
            let mut comma = !matches!(value, Value::List(_) | Value::Map(_));
            match value {
                Value::Null => out.write_all(b"null")?,
                Value::Bool(value) => value.write_json(out)?,
                Value::Int("-0") => out.write_all(b"0")?,
                Value::Int(digits) => out.write_all(digits.as_bytes())?,
                Value::Float(text) => write_f64(out, text.parse().unwrap_or(f64::NAN))?,
                Value::Text(text) => write_str(out, text)?,
                Value::List(items) => {
                    out.write_all(b"[")?;
                    open.push((Box::new(items.iter().map(|item| (None, item))), b"]"));
                }
                Value::Map(fields) => {
                    out.write_all(b"{")?;
                    let merged = fields.merged().map(|(name, value)| (Some(name), value));
                    open.push((Box::new(merged), b"}"));
                }
            }
            let (name, next) = loop {
                let Some((members, end)) = open.last_mut() else { return Ok(()) };
                if let Some(member) = members.next() {
                    break member;
                }
                out.write_all(end)?;
                open.pop();
                comma = true;
            };
            out.write_all(if comma { b"," } else { b"" })?;
            if let Some(name) = name {
                write_str(out, name)?;
                out.write_all(b":")?;
            }
            value = next;
        }
    }
}

macro_rules! as_serde_json_does {
    ($($type:ty),*) => {
        $(impl ToJson for $type {
            fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
                Ok(serde_json::to_writer(out, self)?)
            }
        })*
    };
}
as_serde_json_does!(Cow<'_, str>, bool, i64);

impl ToJson for f64 {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        write_f64(out, *self)
    }
}

impl<T: ToJson> ToJson for Option<T> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        match self {
            Some(value) => value.write_json(out),
            None => out.write_all(b"null"),
        }
    }
}
