//! Numbers in pydantic's lax mode: from numbers, strings and booleans.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::io::{self, Write};

use super::checker::{At, Checker, Context};
use super::rules::Rules;
use super::schema::{Check, Shape};
use super::value::Value;
use super::write::ToJson;

/// The most digits that Python makes an integer of.
const MOST_DIGITS: usize = 4300;

/// An integer, which may be as large as Python's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Int<'a> {
    /// One of 64 bits.
    Small(i64),
    /// A larger one.
    Large {
        /// Whether it is below zero.
        negative: bool,
        /// Its digits, which do not begin with a zero, with single underscores between them.
        digits: &'a str,
    },
}

/// Why text is no integer.
enum NoInt {
    Syntax,
    Size,
}

impl<'a> Int<'a> {
    /// The integer, if it has 64 bits.
    #[must_use]
    pub fn small(self) -> Option<i64> {
        if let Int::Small(value) = self { Some(value) } else { None }
    }

    /// The nearest float, as Python's `float` gives it.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        match self {
            Int::Small(value) => value as f64,
            Int::Large { negative, digits } => {
                let value = digits.replace('_', "").parse().unwrap_or(f64::INFINITY);
                if negative { -value } else { value }
            }
        }
    }

    /// `" +1_000.00 "` is 1000.
    fn parse(text: &'a str) -> Result<Int<'a>, NoInt> {
        let text = text.trim();
        if text.len() > MOST_DIGITS {
            return Err(NoInt::Size);
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let negative = text.starts_with('-');
        let whole = match unsigned.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
            Some(_) => return Err(NoInt::Syntax),
            None => unsigned,
        };
        let outer = |digit: Option<&u8>| digit.is_some_and(u8::is_ascii_digit);
        let sound = whole.bytes().all(|b| b.is_ascii_digit() || b == b'_');
        if !sound || !outer(whole.as_bytes().first()) || !outer(whole.as_bytes().last()) {
            return Err(NoInt::Syntax);
        }
        let digits = whole.trim_start_matches('0');
        // Behind leading zeros any number of underscores is overlooked.
        let digits =
            if digits.len() < whole.len() { digits.trim_start_matches(['0', '_']) } else { digits };
        if digits.contains("__") {
            return Err(NoInt::Syntax);
        }
        let sign = if negative { -1 } else { 1 };
        let small = digits.bytes().filter(|b| *b != b'_').try_fold(0_i64, |value, b| {
            value.checked_mul(10)?.checked_add(sign * i64::from(b - b'0'))
        });
        Ok(small.map_or(Int::Large { negative, digits }, Int::Small))
    }

    fn lax(value: Value<'a>) -> Result<Int<'a>, (&'static str, &'static str)> {
        match value {
            Value::Bool(value) => Ok(Int::Small(i64::from(value))),
            Value::Int(text) | Value::Text(text) => Int::parse(text).map_err(|no| match no {
                NoInt::Syntax => (
                    "int_parsing",
                    "Input should be a valid integer, unable to parse string as an integer",
                ),
                NoInt::Size => TOO_LARGE,
            }),
            Value::Float(text) => match text.parse::<f64>() {
                Ok(value) if value.fract() != 0.0 => Err((
                    "int_from_float",
                    "Input should be a valid integer, got a number with a fractional part",
                )),
                Ok(value) => whole(value).map(Int::Small).ok_or(TOO_LARGE),
                Err(_) => Err(TOO_LARGE),
            },
            _ => Err(("int_type", "Input should be a valid integer")),
        }
    }
}

const TOO_LARGE: (&str, &str) =
    ("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size");

/// A float without fraction as an integer of 64 bits; the limits themselves are refused, as the
/// nearest floats of the largest are larger.
#[allow(clippy::cast_possible_truncation, reason = "it is within the limits and has no fraction")]
fn whole(value: f64) -> Option<i64> {
    let within = value.abs() < i64::MAX as f64 && value.fract() == 0.0;
    within.then_some(value as i64)
}

/// What has bounds.
pub(super) trait Number {
    /// How it compares with a bound.
    fn order(&self, bound: f64) -> Option<Ordering>;
    fn is_multiple_of(&self, of: f64) -> bool;
    /// A bound as an error shows it.
    fn context(&self, bound: f64) -> Context<'static>;
}

#[allow(clippy::cast_possible_truncation, reason = "bounds of integers are integers")]
impl Number for Int<'_> {
    fn order(&self, bound: f64) -> Option<Ordering> {
        Some(match self {
            Int::Small(value) => i128::from(*value).cmp(&(bound as i128)),
            Int::Large { negative: true, .. } => Ordering::Less,
            Int::Large { negative: false, .. } => Ordering::Greater,
        })
    }

    fn is_multiple_of(&self, of: f64) -> bool {
        let of = of as i128;
        match self {
            Int::Small(value) => i128::from(*value) % of == 0,
            Int::Large { digits, .. } => {
                let digits = digits.bytes().filter(|b| *b != b'_');
                digits.fold(0, |rest, b| (rest * 10 + i128::from(b - b'0')) % of) == 0
            }
        }
    }

    fn context(&self, bound: f64) -> Context<'static> {
        Context::Int(bound)
    }
}

impl Number for f64 {
    fn order(&self, bound: f64) -> Option<Ordering> {
        self.partial_cmp(&bound)
    }

    fn is_multiple_of(&self, of: f64) -> bool {
        // What is no number, or has no end, is left to the other bounds.
        let off = (self - (self / of).round() * of).abs();
        off.is_nan() || off <= 1e-9
    }

    fn context(&self, bound: f64) -> Context<'static> {
        Context::Float(bound)
    }
}

impl<'a> Check<'a> for Int<'a> {
    const SHAPE: Shape = Shape::Int;
    const TAG: &'static str = "int";

    fn check_by(
        value: Value<'a>,
        rules: &'static Rules,
        at: &At<'_>,
        checker: &mut Checker,
    ) -> Option<Self> {
        match Int::lax(value) {
            Ok(int) => checker.bounds(at, value, rules, &int).map(|()| int),
            Err((kind, message)) => {
                checker.fail(at, value, kind, format_args!("{message}"), &[]);
                None
            }
        }
    }

    fn is_exact(value: &Value<'a>) -> bool {
        matches!(value, Value::Int(_))
    }
}

/// For fields whose bounds keep them within 64 bits; what is not is an error of its own.
impl<'a> Check<'a> for i64 {
    const SHAPE: Shape = Shape::Int;
    const TAG: &'static str = "int";

    fn check_by(
        value: Value<'a>,
        rules: &'static Rules,
        at: &At<'_>,
        checker: &mut Checker,
    ) -> Option<Self> {
        let int = Int::check_by(value, rules, at, checker)?;
        if int.small().is_none() {
            checker.fail(at, value, TOO_LARGE.0, format_args!("{}", TOO_LARGE.1), &[]);
        }
        int.small()
    }

    fn is_exact(value: &Value<'a>) -> bool {
        Int::is_exact(value)
    }
}

impl<'a> Check<'a> for f64 {
    const SHAPE: Shape = Shape::Float;
    const TAG: &'static str = "float";

    fn check_by(
        value: Value<'a>,
        rules: &'static Rules,
        at: &At<'_>,
        checker: &mut Checker,
    ) -> Option<Self> {
        let number = match value {
            Value::Bool(value) => Ok(f64::from(u8::from(value))),
            Value::Int("-0") => Ok(0.0),
            Value::Int(text) | Value::Float(text) | Value::Text(text) => parse_float(text).ok_or((
                "float_parsing",
                "Input should be a valid number, unable to parse string as a number",
            )),
            _ => Err(("float_type", "Input should be a valid number")),
        };
        match number {
            Ok(number) => checker.bounds(at, value, rules, &number).map(|()| number),
            Err((kind, message)) => {
                checker.fail(at, value, kind, format_args!("{message}"), &[]);
                None
            }
        }
    }

    fn is_exact(value: &Value<'a>) -> bool {
        matches!(value, Value::Float(_))
    }
}

/// As Rust reads it, and with single underscores inside.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    let outer = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    let plain = match text.contains('_') {
        true if outer => return None,
        true => Cow::Owned(text.replace('_', "")),
        false => Cow::Borrowed(text),
    };
    plain.parse().ok()
}

impl<'a> Check<'a> for bool {
    const SHAPE: Shape = Shape::Bool;
    const TAG: &'static str = "bool";

    fn check_by(
        value: Value<'a>,
        _: &'static Rules,
        at: &At<'_>,
        checker: &mut Checker,
    ) -> Option<Self> {
        let is = |words: &[&str], text: &str| words.iter().any(|w| w.eq_ignore_ascii_case(text));
        let number = match value {
            Value::Bool(value) => return Some(value),
            Value::Text(text) if is(&["0", "off", "f", "false", "n", "no"], text) => Some(0),
            Value::Text(text) if is(&["1", "on", "t", "true", "y", "yes"], text) => Some(1),
            Value::Text(_) => Some(2),
            Value::Int(text) => Int::parse(text).ok().and_then(Int::small),
            Value::Float(text) => text.parse().ok().and_then(whole),
            _ => None,
        };
        let (kind, message) = match number {
            Some(0) => return Some(false),
            Some(1) => return Some(true),
            Some(_) => {
                ("bool_parsing", "Input should be a valid boolean, unable to interpret input")
            }
            None => ("bool_type", "Input should be a valid boolean"),
        };
        checker.fail(at, value, kind, format_args!("{message}"), &[]);
        None
    }

    fn is_exact(value: &Value<'a>) -> bool {
        matches!(value, Value::Bool(_))
    }
}

impl From<i64> for Int<'_> {
    fn from(value: i64) -> Self {
        Int::Small(value)
    }
}

impl ToJson for Int<'_> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        match self {
            Int::Small(value) => value.write_json(out),
            Int::Large { negative, digits } => {
                out.write_all(if *negative { b"-" } else { b"" })?;
                digits.split('_').try_for_each(|part| out.write_all(part.as_bytes()))
            }
        }
    }
}
