//! Strings: from strings alone.

use std::borrow::Cow;

use super::checker::{At, Checker, Context};
use super::rules::Rules;
use super::schema::{Check, Shape};
use super::value::Value;

impl<'a> Check<'a> for Cow<'a, str> {
    const SHAPE: Shape = Shape::Str;
    const TAG: &'static str = "str";

    fn check_by(
        value: Value<'a>,
        rules: &'static Rules,
        at: &At<'_>,
        checker: &mut Checker,
    ) -> Option<Self> {
        if !rules.one_of.is_empty() {
            return one_of(value, rules.one_of, at, checker);
        }
        let text = string(value, at, checker)?;
        lengths(value, text, rules, at, checker)?;
        if let Some(pattern) = rules.pattern.map(|p| p()).filter(|p| !p.is_match(text)) {
            let pattern = pattern.text();
            let message = format_args!("String should match pattern '{pattern}'");
            let context = [("pattern", Context::Text(pattern))];
            checker.fail(at, value, "string_pattern_mismatch", message, &context);
            return None;
        }
        Some(checker.text(text))
    }

    fn is_exact(value: &Value<'a>) -> bool {
        matches!(value, Value::Text(_))
    }
}

/// The string that `value` is.
pub(super) fn string<'a>(value: Value<'a>, at: &At<'_>, checker: &mut Checker) -> Option<&'a str> {
    if let Value::Text(text) = value {
        return Some(text);
    }
    checker.fail(at, value, "string_type", format_args!("Input should be a valid string"), &[]);
    None
}

/// Lengths count characters, which are no more than bytes and no less than a quarter of them.
fn lengths(
    value: Value<'_>,
    text: &str,
    rules: &Rules,
    at: &At<'_>,
    checker: &mut Checker,
) -> Option<()> {
    let s = |count: usize| if count == 1 { "" } else { "s" };
    if let Some(most) = rules.max_length.filter(|m| text.len() > *m && text.chars().count() > *m) {
        let message = format_args!("String should have at most {most} character{}", s(most));
        let context = [("max_length", Context::Count(most))];
        checker.fail(at, value, "string_too_long", message, &context);
        return None;
    }
    let short = |least: &usize| text.len() < 4 * least && text.chars().count() < *least;
    if let Some(least) = rules.min_length.filter(short) {
        let message = format_args!("String should have at least {least} character{}", s(least));
        let context = [("min_length", Context::Count(least))];
        checker.fail(at, value, "string_too_short", message, &context);
        return None;
    }
    Some(())
}

fn one_of<'a>(
    value: Value<'a>,
    choices: &[&str],
    at: &At<'_>,
    checker: &mut Checker,
) -> Option<Cow<'a, str>> {
    if let Value::Text(text) = value
        && choices.contains(&text)
    {
        return Some(checker.text(text));
    }
    let mut expected = String::new();
    for (i, choice) in choices.iter().enumerate() {
        expected += match i {
            0 => "",
            _ if i + 1 == choices.len() => " or ",
            _ => ", ",
        };
        // As Python's repr quotes it.
        let quote = if choice.contains('\'') { '"' } else { '\'' };
        expected.extend([quote]);
        expected += choice;
        expected.extend([quote]);
    }
    let message = format_args!("Input should be {expected}");
    let context = [("expected", Context::Text(&expected))];
    checker.fail(at, value, "literal_error", message, &context);
    None
}
