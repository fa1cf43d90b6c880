//! [`Checker`]: what is wrong, written as JSON where it is found.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::io::{self, Write};

use aqueduct::meter;
use serde::Serializer;

use super::rules::Rules;
use super::value::Value;
use super::write::{ToJson, write_all, write_str};

/// Where a value stands: what an error's `loc` says. A chain on the stack.
#[derive(Clone, Copy, Debug)]
pub struct At<'s> {
    outer: Option<&'s At<'s>>,
    step: Step<'s>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'s> {
    Name(&'s str),
    Index(usize),
}

impl<'s> At<'s> {
    /// The outermost place: `body`, `query`, `path` or `header`.
    #[must_use]
    pub fn root(source: &'s str) -> At<'s> {
        At { outer: None, step: Step::Name(source) }
    }

    /// A field of what stands here.
    #[must_use]
    pub fn name(&'s self, name: &'s str) -> At<'s> {
        At { outer: Some(self), step: Step::Name(name) }
    }

    /// An item of what stands here.
    #[must_use]
    pub fn index(&'s self, index: usize) -> At<'s> {
        At { outer: Some(self), step: Step::Index(index) }
    }

    fn write(&self, out: &mut Vec<u8>) -> io::Result<()> {
        if let Some(outer) = self.outer {
            outer.write(out)?;
            out.write_all(b",")?;
        }
        match self.step {
            Step::Name(name) => write_str(out, name),
            Step::Index(index) => write!(out, "{index}"),
        }
    }
}

/// A value that is to be checked.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'a, 's> {
    /// What is there.
    pub value: Value<'a>,
    /// What it must keep to.
    pub rules: &'static Rules,
    /// Where it stands.
    pub at: &'s At<'s>,
}

/// A value in an error's `ctx`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Context<'s> {
    Count(usize),
    Int(i64),
    Float(f64),
    Text(&'s str),
}

/// As a message has it, where a float has no fraction if it is whole.
impl Display for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Context::Count(count) => count.fmt(f),
            Context::Int(bound) => bound.fmt(f),
            Context::Float(bound) => bound.fmt(f),
            Context::Text(text) => text.fmt(f),
        }
    }
}

impl ToJson for Context<'_> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        match self {
            Context::Float(bound) => bound.write_json(out),
            Context::Text(text) => write_str(out, text),
            whole => write!(out, "{whole}"),
        }
    }
}

/// Bytes of errors after which no more are collected: each may show all of its input, so that a
/// request's would be many times as long as itself.
const MOST: usize = 256 << 10;

/// Collects all that is wrong with a request, and decides whether text is borrowed or copied.
#[derive(Debug, Default)]
pub struct Checker {
    errors: Vec<u8>,
    copying: bool,
}

impl Checker {
    /// One that has found nothing yet. In the `copying` mode each text field is a string of its own,
    /// as the frameworks have it that deserialise into owned models.
    #[must_use]
    pub fn new(copying: bool) -> Checker {
        Checker { errors: Vec::new(), copying }
    }

    /// Forgets what was wrong, for the next request.
    pub fn begin(&mut self, copying: bool) {
        self.errors.clear();
        self.copying = copying;
    }

    /// Lets go of what only very many errors needed.
    pub fn trim(&mut self) {
        if self.errors.capacity() > MOST {
            self.errors.clear();
            self.errors.shrink_to(MOST);
        }
    }

    /// Whether nothing was wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    /// What was wrong: error objects with commas between them.
    #[must_use]
    pub fn errors(&self) -> &[u8] {
        &self.errors
    }

    /// Writes FastAPI's body of a 422.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_detail<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"{\"detail\":[")?;
        out.write_all(&self.errors)?;
        out.write_all(b"]}")
    }

    /// Adds an error about `value`, which stands at `at`: its type and its message. Always `None`.
    pub fn refuse<T>(
        &mut self,
        at: &At<'_>,
        value: Value<'_>,
        kind: &str,
        message: impl Display,
    ) -> Option<T> {
        self.fail(&Spot { value, rules: &Rules::NONE, at }, kind, message, &[])
    }

    /// Adds an error about what is there: its type, its message, and what pydantic shows beside it.
    /// Always `None`.
    pub(super) fn fail<T>(
        &mut self,
        spot: &Spot<'_, '_>,
        kind: &str,
        message: impl Display,
        context: &[(&str, Context<'_>)],
    ) -> Option<T> {
        let out = &mut self.errors;
        let full = out.len() > MOST;
        let mut write = || {
            let comma = if out.is_empty() { "" } else { "," };
            write!(out, "{comma}{{\"type\":\"{kind}\",\"loc\":[")?;
            spot.at.write(out)?;
            out.write_all(b"],\"msg\":")?;
            serde_json::Serializer::new(&mut *out).collect_str(&message)?;
            out.write_all(b",\"input\":")?;
            spot.value.write_json(out)?;
            if !context.is_empty() {
                out.write_all(b",\"ctx\":")?;
                write_all(out, ("{", "}"), context, |out, (name, value)| {
                    write!(out, "\"{name}\":")?;
                    value.write_json(out)
                })?;
            }
            out.write_all(b"}")
        };
        if !full {
            // A Vec takes all; numbers in an input were finite when the parser read them.
            let _: io::Result<()> = write();
        }
        None
    }

    /// An error for a required field, or a body, that is not there.
    pub fn missing(&mut self, at: &At<'_>, input: Value<'_>) {
        let spot = Spot { value: input, rules: &Rules::NONE, at };
        self.fail::<()>(&spot, "missing", "Field required", &[]);
    }

    /// An error for a body that is no JSON.
    pub fn invalid_json(&mut self, at: usize, error: &str) {
        let body = At::root("body");
        let at = &At { outer: Some(&body), step: Step::Index(at) };
        let spot = Spot { value: Value::empty_map(), rules: &Rules::NONE, at };
        let context = [("error", Context::Text(error))];
        self.fail::<()>(&spot, "json_invalid", "JSON decode error", &context);
    }

    /// A field's text: borrowed, or a copy that is counted.
    pub(super) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !self.copying {
            return Cow::Borrowed(text);
        }
        meter::count_copy(text.len());
        Cow::Owned(text.to_owned())
    }

    /// One for checking what will be checked again when it is used: it copies nothing.
    pub(super) fn borrowing<R>(&mut self, check: impl FnOnce(&mut Checker) -> R) -> (R, bool) {
        let copying = std::mem::take(&mut self.copying);
        let checked = check(self);
        self.copying = copying;
        (checked, copying)
    }

    pub(super) fn mark(&self) -> usize {
        self.errors.len()
    }

    /// Forgets the errors since `mark`.
    pub(super) fn rewind(&mut self, mark: usize) {
        self.errors.truncate(mark);
    }
}
