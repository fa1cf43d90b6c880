//! [`List`]: a list that stays where it was received.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;

use super::checker::{At, Checker, Context};
use super::rules::Rules;
use super::schema::{Check, Shape};
use super::value::{Items, Value};
use super::write::{ToJson, write_all};

/// A list whose items were checked, and are made when they are asked for.
pub struct List<'a, T> {
    items: Items<'a>,
    rules: &'static Rules,
    copying: bool,
    item: PhantomData<T>,
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        List { items: Items::none(), rules: &Rules::NONE, copying: false, item: PhantomData }
    }
}

impl<'a, T: Check<'a>> List<'a, T> {
    /// The items in their order.
    pub fn iter(self) -> impl Iterator<Item = T> {
        let mut checker = Checker::new(self.copying);
        let at = At::root("");
        // Each was checked before, by the same rules.
        self.items.iter().filter_map(move |v| T::check_by(v, self.rules, &at, &mut checker))
    }

    /// How many.
    #[must_use]
    pub fn len(self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.items.is_empty()
    }
}

/// Up to so many items are compared each with each; for more a set is made.
const FEW: usize = 16;

/// Whether no string is there twice. What is no string is not compared.
fn unique(items: Items<'_>) -> bool {
    let texts =
        || items.iter().filter_map(|v| if let Value::Text(text) = v { Some(text) } else { None });
    if items.len() <= FEW {
        return texts().enumerate().all(|(i, text)| texts().skip(i + 1).all(|t| t != text));
    }
    let mut seen = HashSet::new();
    texts().all(|text| seen.insert(text))
}

fn too_many_or_few(
    items: Items<'_>,
    bound: usize,
    (kind, rule, words): (&str, &str, &str),
    at: &At<'_>,
    checker: &mut Checker,
) {
    let (len, s) = (items.len(), if bound == 1 { "" } else { "s" });
    let message =
        format_args!("List should have at {words} {bound} item{s} after validation, not {len}");
    let context = [
        ("field_type", Context::Text("List")),
        (rule, Context::Count(bound)),
        ("actual_length", Context::Count(len)),
    ];
    checker.fail(at, Value::List(items), kind, message, &context);
}

impl<'a, T: Check<'a>> Check<'a> for List<'a, T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
    const TAG: &'static str = "list";

    fn check_by(
        value: Value<'a>,
        rules: &'static Rules,
        at: &At<'_>,
        checker: &mut Checker,
    ) -> Option<Self> {
        let Value::List(items) = value else {
            checker.fail(at, value, "list_type", format_args!("Input should be a valid list"), &[]);
            return None;
        };
        if let Some(most) = rules.max_items.filter(|most| items.len() > *most) {
            too_many_or_few(items, most, ("too_long", "max_length", "most"), at, checker);
            return None;
        }
        let each = rules.each.unwrap_or(&Rules::NONE);
        let (sound, copying) = checker.borrowing(|checker| {
            let mark = checker.mark();
            for (i, item) in items.iter().enumerate() {
                // What is wrong with one is with the checker, and the rest is checked all the same.
                let _ = T::check_by(item, each, &at.index(i), checker);
            }
            checker.mark() == mark
        });
        if !sound {
            return None;
        }
        if let Some(least) = rules.min_items.filter(|least| items.len() < *least) {
            too_many_or_few(items, least, ("too_short", "min_length", "least"), at, checker);
            return None;
        }
        if rules.unique_items && !unique(items) {
            let message = format_args!("List items should be unique");
            checker.fail(at, value, "unique_items", message, &[]);
            return None;
        }
        Some(List { items, rules: each, copying, item: PhantomData })
    }
}

impl<'a, T: Check<'a> + ToJson> ToJson for List<'a, T> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        write_all(out, ("[", "]"), self.iter(), |out, item| item.write_json(out))
    }
}

impl<'a, T: Check<'a> + fmt::Debug> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
