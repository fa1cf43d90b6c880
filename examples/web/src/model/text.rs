//! Strings: from strings alone.

use std::borrow::Cow;

use super::checker::{Checker, Context, Spot};
use super::rules::Rules;
use super::schema::{Check, Shape};
use super::value::Value;

impl<'a> Check<'a> for Cow<'a, str> {
    const SHAPE: Shape = Shape::Str;
    const TAG: &'static str = "str";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        let rules = spot.rules;
        if !rules.one_of.is_empty() {
            return one_of(spot, checker);
        }
        let text = string(spot, checker)?;
        if let Some((kind, rule, words, bound)) = misfit(text, rules) {
            let s = if bound == 1 { "" } else { "s" };
            return checker.fail(
                spot,
                kind,
                format_args!("String should have at {words} {bound} character{s}"),
                &[(rule, Context::Count(bound))],
            );
        }
        if let Some(pattern) = rules.pattern.map(|p| p()).filter(|p| !p.is_match(text)) {
            let pattern = pattern.text();
            return checker.fail(
                spot,
                "string_pattern_mismatch",
                format_args!("String should match pattern '{pattern}'"),
                &[("pattern", Context::Text(pattern))],
            );
        }
        Some(checker.text(text))
    }
}

/// The string that is there.
pub(super) fn string<'a>(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<&'a str> {
    match spot.value {
        Value::Text(text) => Some(text),
        _ => checker.fail(spot, "string_type", "Input should be a valid string", &[]),
    }
}

/// The bound of its length that a text does not keep. Lengths count characters, which are no more than
/// bytes and no less than a quarter of them.
fn misfit(text: &str, rules: &Rules) -> Option<(&'static str, &'static str, &'static str, usize)> {
    let long = |most: &usize| text.len() > *most && text.chars().count() > *most;
    let short = |least: &usize| text.len() < 4 * least && text.chars().count() < *least;
    let most = rules.max_length.filter(long).map(|m| ("string_too_long", "max_length", "most", m));
    let least = || rules.min_length.filter(short);
    most.or_else(|| least().map(|l| ("string_too_short", "min_length", "least", l)))
}

/// A string that the rules list.
fn one_of<'a>(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Cow<'a, str>> {
    let choices = spot.rules.one_of;
    if let Value::Text(text) = spot.value
        && choices.contains(&text)
    {
        return Some(checker.text(text));
    }
    // As Python's repr quotes them.
    let quoted = |choice: &&str| match choice.contains('\'') {
        true => format!("\"{choice}\""),
        false => format!("'{choice}'"),
    };
    let mut choices: Vec<_> = choices.iter().map(quoted).collect();
    let last = choices.pop().unwrap_or_default();
    let expected = match choices.is_empty() {
        true => last,
        false => format!("{} or {last}", choices.join(", ")),
    };
    let context = [("expected", Context::Text(&expected))];
    checker.fail(spot, "literal_error", format_args!("Input should be {expected}"), &context)
}
