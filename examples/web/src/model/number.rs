//! Numbers in pydantic's lax mode: from numbers, strings and booleans.

use std::cmp::Ordering;
use std::io::{self, Write};

use super::checker::{Checker, Context, Spot};
use super::rules::Bound;
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

/// Why a value is no number: the error's type and message.
type Wrong = (&'static str, &'static str);

const NO_INT: Wrong =
    ("int_parsing", "Input should be a valid integer, unable to parse string as an integer");
const TOO_LARGE: Wrong =
    ("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size");
const FRACTION: Wrong =
    ("int_from_float", "Input should be a valid integer, got a number with a fractional part");
const NO_FLOAT: Wrong =
    ("float_parsing", "Input should be a valid number, unable to parse string as a number");

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
    fn parse(text: &'a str) -> Result<Int<'a>, Wrong> {
        let text = text.trim();
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        // Behind leading zeros any number of underscores is overlooked.
        let significant = |digits: &'a str| match digits.strip_prefix('0') {
            Some(rest) => rest.trim_start_matches(['0', '_']),
            None => digits,
        };
        if significant(unsigned).bytes().take_while(u8::is_ascii_digit).count() > MOST_DIGITS {
            return Err(TOO_LARGE);
        }
        let whole = match unsigned.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
            _ => unsigned,
        };
        let digits = significant(whole);
        let sound = whole.bytes().all(|b| b.is_ascii_digit() || b == b'_')
            && whole.starts_with(|c: char| c.is_ascii_digit())
            && !whole.ends_with('_')
            && !digits.contains("__");
        if !sound || digits.bytes().filter(|b| *b != b'_').count() > MOST_DIGITS {
            return Err(NO_INT);
        }
        let sign = if negative { -1 } else { 1 };
        let small = digits.bytes().filter(|b| *b != b'_').try_fold(0_i64, |value, b| {
            value.checked_mul(10)?.checked_add(sign * i64::from(b - b'0'))
        });
        Ok(small.map_or(Int::Large { negative, digits }, Int::Small))
    }

    fn lax(value: Value<'a>) -> Result<Int<'a>, Wrong> {
        match value {
            Value::Bool(value) => Ok(Int::Small(i64::from(value))),
            Value::Int(text) | Value::Text(text) => Int::parse(text),
            Value::Float(text) => match text.parse::<f64>() {
                Ok(value) if value.fract() != 0.0 => Err(FRACTION),
                Ok(value) => whole(value).map(Int::Small).ok_or(TOO_LARGE),
                Err(_) => Err(TOO_LARGE),
            },
            _ => Err(("int_type", "Input should be a valid integer")),
        }
    }
}

/// A float without fraction as an integer of 64 bits; the limits themselves are refused, as the
/// nearest floats of the largest are larger.
#[allow(clippy::cast_possible_truncation, reason = "it is within the limits and has no fraction")]
fn whole(value: f64) -> Option<i64> {
    let within = value.abs() < i64::MAX as f64 && value.fract() == 0.0;
    within.then_some(value as i64)
}

/// What has bounds.
trait Number {
    /// How it compares with a bound; what is no number does not.
    fn order(&self, bound: Bound) -> Option<Ordering>;
    fn is_multiple_of(&self, bound: Bound) -> bool;
    /// A bound as an error shows it.
    fn context(bound: Bound) -> Context<'static>;
}

impl Number for Int<'_> {
    fn order(&self, bound: Bound) -> Option<Ordering> {
        Some(match self {
            Int::Small(value) => value.cmp(&bound.int),
            Int::Large { negative: true, .. } => Ordering::Less,
            Int::Large { negative: false, .. } => Ordering::Greater,
        })
    }

    fn is_multiple_of(&self, bound: Bound) -> bool {
        let of = i128::from(bound.int);
        match self {
            // No application has it, but who checks without one.
            _ if of == 0 => false,
            Int::Small(value) => i128::from(*value) % of == 0,
            Int::Large { digits, .. } => {
                let digits = digits.bytes().filter(|b| *b != b'_');
                digits.fold(0, |rest, b| (rest * 10 + i128::from(b - b'0')) % of) == 0
            }
        }
    }

    fn context(bound: Bound) -> Context<'static> {
        Context::Int(bound.int)
    }
}

impl Number for f64 {
    fn order(&self, bound: Bound) -> Option<Ordering> {
        self.partial_cmp(&bound.float)
    }

    fn is_multiple_of(&self, bound: Bound) -> bool {
        // What is no number, or has no end, is left to the other bounds.
        let off = (self - (self / bound.float).round() * bound.float).abs();
        off.is_nan() || off <= 1e-9
    }

    fn context(bound: Bound) -> Context<'static> {
        Context::Float(bound.float)
    }
}

/// What was read, if it is a number that keeps the bounds; they are checked in pydantic's order.
fn accept<N: Number>(
    read: Result<N, Wrong>,
    spot: &Spot<'_, '_>,
    checker: &mut Checker,
) -> Option<N> {
    let number = match read {
        Ok(number) => number,
        Err((kind, message)) => return checker.fail(spot, kind, message, &[]),
    };
    let rules = spot.rules;
    let multiple = rules.multiple_of.map(|of| of()).filter(|of| !number.is_multiple_of(*of));
    let multiple = multiple.map(|of| (of, "multiple_of", "multiple_of", "a multiple of"));
    type Test = fn(Ordering) -> bool;
    let bounds: [(_, Test, _, _, _); 4] = [
        (rules.le, Ordering::is_le, "le", "less_than_equal", "less than or equal to"),
        (rules.lt, Ordering::is_lt, "lt", "less_than", "less than"),
        (rules.ge, Ordering::is_ge, "ge", "greater_than_equal", "greater than or equal to"),
        (rules.gt, Ordering::is_gt, "gt", "greater_than", "greater than"),
    ];
    let outside = || {
        bounds.into_iter().find_map(|(bound, test, rule, kind, words)| {
            let bound = bound?();
            let keeps = number.order(bound).is_some_and(test);
            (!keeps).then_some((bound, rule, kind, words))
        })
    };
    let Some((bound, rule, kind, words)) = multiple.or_else(outside) else {
        return Some(number);
    };
    let bound = N::context(bound);
    checker.fail(spot, kind, format_args!("Input should be {words} {bound}"), &[(rule, bound)])
}

impl<'a> Check<'a> for Int<'a> {
    const SHAPE: Shape = Shape::Int;
    const TAG: &'static str = "int";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        accept(Int::lax(spot.value), spot, checker)
    }
}

/// For fields whose bounds keep them within 64 bits; what is not is an error of its own.
impl<'a> Check<'a> for i64 {
    const SHAPE: Shape = Shape::Int;
    const TAG: &'static str = "int";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        let small = Int::check(spot, checker)?.small();
        small.or_else(|| checker.fail(spot, TOO_LARGE.0, TOO_LARGE.1, &[]))
    }
}

impl<'a> Check<'a> for f64 {
    const SHAPE: Shape = Shape::Float;
    const TAG: &'static str = "float";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        let read = match spot.value {
            Value::Bool(value) => Ok(f64::from(u8::from(value))),
            Value::Int("-0") => Ok(0.0),
            Value::Int(text) | Value::Float(text) | Value::Text(text) => {
                parse_float(text).ok_or(NO_FLOAT)
            }
            _ => Err(("float_type", "Input should be a valid number")),
        };
        accept(read, spot, checker)
    }
}

/// As Rust reads it, and with single underscores inside.
fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim();
    if !text.contains('_') {
        return text.parse().ok();
    }
    let inside = !text.starts_with('_') && !text.ends_with('_') && !text.contains("__");
    inside.then(|| text.replace('_', "").parse().ok())?
}

impl<'a> Check<'a> for bool {
    const SHAPE: Shape = Shape::Bool;
    const TAG: &'static str = "bool";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        let is = |text, words: &str| words.split(' ').any(|w| w.eq_ignore_ascii_case(text));
        let number = match spot.value {
            Value::Bool(value) => return Some(value),
            Value::Text(text) if is(text, "0 off f false n no") => Some(0),
            Value::Text(text) if is(text, "1 on t true y yes") => Some(1),
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
        checker.fail(spot, kind, message, &[])
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
