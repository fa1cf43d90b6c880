//! What is made of other kinds: optional values, unions, and fields that know whether they were
//! given.

use std::io::{self, Write};
use std::ops::Deref;

use super::checker::{Checker, Spot};
use super::schema::{Check, Shape};
use super::value::Value;
use super::write::ToJson;

impl<'a, T: Check<'a>> Check<'a> for Option<T> {
    const SHAPE: Shape = Shape::Nullable(&T::SHAPE);
    const TAG: &'static str = T::TAG;

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        match spot.value {
            Value::Null => Some(None),
            _ => T::check(spot, checker).map(Some),
        }
    }

    fn is_exact(value: &Value<'a>) -> bool {
        matches!(value, Value::Null) || T::is_exact(value)
    }
}

/// One of two kinds: the one that the value is, else the first that it can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first.
    A(A),
    /// The second.
    B(B),
}

impl<'a, A: Check<'a>, B: Check<'a>> Check<'a> for Either<A, B> {
    const SHAPE: Shape = Shape::Either(&A::SHAPE, &B::SHAPE);
    const TAG: &'static str = A::TAG;

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        let mark = checker.mark();
        let (first, second) = (spot.at.name(A::TAG), spot.at.name(B::TAG));
        let (first, second) = (Spot { at: &first, ..*spot }, Spot { at: &second, ..*spot });
        // What is the second already need not be refused by the first.
        if B::is_exact(&spot.value) && !A::is_exact(&spot.value) {
            if let Some(b) = B::check(&second, checker) {
                return Some(Either::B(b));
            }
            checker.rewind(mark);
        }
        let a = A::check(&first, checker).map(Either::A);
        let found = a.or_else(|| B::check(&second, checker).map(Either::B))?;
        checker.rewind(mark);
        Some(found)
    }

    fn is_exact(value: &Value<'a>) -> bool {
        A::is_exact(value) || B::is_exact(value)
    }
}

impl<A: ToJson, B: ToJson> ToJson for Either<A, B> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        match self {
            Either::A(a) => a.write_json(out),
            Either::B(b) => b.write_json(out),
        }
    }
}

/// A field that knows whether it was given: one that was not is left out when its model is written,
/// as by `exclude_unset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given<T> {
    value: T,
    given: bool,
}

impl<T> Deref for Given<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'a, T: Check<'a>> Check<'a> for Given<T> {
    const SHAPE: Shape = T::SHAPE;
    const TAG: &'static str = T::TAG;

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        T::check(spot, checker).map(|value| Given { value, given: true })
    }

    fn is_exact(value: &Value<'a>) -> bool {
        T::is_exact(value)
    }
}

impl<T: ToJson> ToJson for Given<T> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        self.value.write_json(out)
    }

    fn is_set(&self) -> bool {
        self.given
    }
}
