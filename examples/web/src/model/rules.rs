//! [`Rules`]: what a field's value must keep to.

use std::cmp::Ordering;
use std::sync::OnceLock;

use regex::Regex;

use super::number::Number;

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
    pub ge: Option<f64>,
    pub gt: Option<f64>,
    pub le: Option<f64>,
    pub lt: Option<f64>,
    pub multiple_of: Option<f64>,
    pub min_items: Option<usize>,
    pub max_items: Option<usize>,
    /// For lists of strings.
    pub unique_items: bool,
    /// For each item of a list.
    pub each: Option<&'static Rules>,
}

/// A bound that a number does not keep.
pub(super) struct Broken {
    pub(super) rule: &'static str,
    pub(super) kind: &'static str,
    pub(super) words: &'static str,
    pub(super) bound: f64,
}

impl Rules {
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

    /// The first bound, in pydantic's order, that `number` does not keep.
    pub(super) fn broken(&self, number: &impl Number) -> Option<Broken> {
        use Ordering::{Equal, Greater, Less};
        if let Some(bound) = self.multiple_of.filter(|bound| !number.is_multiple_of(*bound)) {
            let words = "a multiple of";
            return Some(Broken { rule: "multiple_of", kind: "multiple_of", words, bound });
        }
        let bounds: [(_, _, _, _, &[Ordering]); 4] = [
            (self.le, "le", "less_than_equal", "less than or equal to", &[Less, Equal]),
            (self.lt, "lt", "less_than", "less than", &[Less]),
            (self.ge, "ge", "greater_than_equal", "greater than or equal to", &[Greater, Equal]),
            (self.gt, "gt", "greater_than", "greater than", &[Greater]),
        ];
        bounds.into_iter().find_map(|(bound, rule, kind, words, kept)| {
            // What is no number keeps no bound.
            let keeps = |order: Option<Ordering>| order.is_some_and(|order| kept.contains(&order));
            let bound = bound.filter(|bound| !keeps(number.order(*bound)))?;
            Some(Broken { rule, kind, words, bound })
        })
    }
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
