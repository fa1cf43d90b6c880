//! [`Rules`]: what a field's value must keep to.

use std::sync::OnceLock;

use regex::Regex;

use super::schema::Shape;

/// The rules of one field, by the names under which [`model!`](crate::model!) takes them. Those of
/// another kind of field have no effect.
#[allow(missing_docs, reason = "pydantic's own names, but for those of lists, which are satya's")]
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// In characters.
    pub min_length: Option<usize>,
    /// In characters.
    pub max_length: Option<usize>,
    /// What must be found in a string.
    pub pattern: Option<fn() -> &'static Pattern>,
    /// What a string may be; nothing means anything.
    pub one_of: &'static [&'static str],
    pub ge: Option<fn() -> Bound>,
    pub gt: Option<fn() -> Bound>,
    pub le: Option<fn() -> Bound>,
    pub lt: Option<fn() -> Bound>,
    pub multiple_of: Option<fn() -> Bound>,
    pub min_items: Option<usize>,
    pub max_items: Option<usize>,
    /// For lists of strings.
    pub unique_items: bool,
    /// For each item of a list.
    pub each: Option<&'static Rules>,
}

/// A bound of numbers, exact for fields of either kind.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub(super) int: i64,
    pub(super) float: f64,
}

impl From<i64> for Bound {
    fn from(int: i64) -> Self {
        Bound { int, float: int as f64 }
    }
}

/// For floats, and for integers if it is whole: an application takes no other.
impl From<f64> for Bound {
    #[allow(clippy::cast_possible_truncation, reason = "it is looked at")]
    fn from(float: f64) -> Self {
        Bound { int: float as i64, float }
    }
}

/// For descriptions, where FastAPI has a float for either.
impl From<Bound> for serde_json::Value {
    fn from(bound: Bound) -> Self {
        bound.float.into()
    }
}

impl Rules {
    /// Whether what has this shape can keep them: integers have whole bounds, and a multiple is one of
    /// more than zero.
    pub(crate) fn fit(&self, shape: &Shape) -> bool {
        let bounds =
            || [self.ge, self.gt, self.le, self.lt, self.multiple_of].into_iter().flatten();
        let whole = |bound: Bound| bound.float == bound.int as f64;
        let positive = || self.multiple_of.is_none_or(|of| of().float > 0.0);
        match shape {
            Shape::Int => bounds().all(|bound| whole(bound())) && positive(),
            Shape::Float => positive(),
            Shape::List(item) => self.each.is_none_or(|each| each.fit(item)),
            Shape::Nullable(inner) => self.fit(inner),
            Shape::Either(a, b) => self.fit(a) && self.fit(b),
            _ => true,
        }
    }

    /// No rules.
    pub const NONE: Rules = Rules {
        min_length: None,
        max_length: None,
        pattern: None,
        one_of: &[],
        ge: None,
        gt: None,
        le: None,
        lt: None,
        multiple_of: None,
        min_items: None,
        max_items: None,
        unique_items: false,
        each: None,
    };
}

/// A regular expression, compiled when it is first asked.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    regex: OnceLock<Regex>,
}

impl Pattern {
    /// The expression `text`, in the syntax of the `regex` crate, which is pydantic's.
    #[must_use]
    pub const fn new(text: &'static str) -> Pattern {
        Pattern { text, regex: OnceLock::new() }
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.text
    }

    /// Whether it is found in `text`.
    ///
    /// # Panics
    ///
    /// When the expression is none: a mistake in a model, which its first use shows.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let compile = || Regex::new(self.text).unwrap_or_else(|error| panic!("{error}"));
        self.regex.get_or_init(compile).is_match(text)
    }
}
