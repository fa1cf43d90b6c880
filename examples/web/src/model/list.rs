//! [`List`]: a list that stays where it was received.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;

use super::checker::{At, Checker, Context, Spot};
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

impl<T> Default for List<'_, T> {
    fn default() -> Self {
        List { items: Items::none(), rules: &Rules::NONE, copying: false, item: PhantomData }
    }
}

impl<'a, T: Check<'a>> List<'a, T> {
    /// The items in their order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let (rules, mut checker) = (self.rules, Checker::new(self.copying));
        let at = At::root("");
        // Each was checked before, by the same rules.
        self.items
            .iter()
            .filter_map(move |value| T::check(&Spot { value, rules, at: &at }, &mut checker))
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
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

/// An error about how many there are, for the bound that `rule` sets.
fn miscounted<T>(
    (spot, len): (&Spot<'_, '_>, usize),
    (kind, rule, words): (&str, &str, &str),
    bound: usize,
    checker: &mut Checker,
) -> Option<T> {
    let s = if bound == 1 { "" } else { "s" };
    let context = [
        ("field_type", Context::Text("List")),
        (rule, Context::Count(bound)),
        ("actual_length", Context::Count(len)),
    ];
    checker.fail(
        spot,
        kind,
        format_args!("List should have at {words} {bound} item{s} after validation, not {len}"),
        &context,
    )
}

impl<'a, T: Check<'a>> Check<'a> for List<'a, T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
    const TAG: &'static str = "list";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        let Value::List(items) = spot.value else {
            return checker.fail(spot, "list_type", "Input should be a valid list", &[]);
        };
        let (rules, len) = (spot.rules, items.len());
        if let Some(most) = rules.max_items.filter(|most| len > *most) {
            return miscounted((spot, len), ("too_long", "max_length", "most"), most, checker);
        }
        let each = rules.each.unwrap_or(&Rules::NONE);
        let (sound, copying) = checker.borrowing(|checker| {
            let mut sound = true;
            for (i, value) in items.iter().enumerate() {
                // What is wrong with one is with the checker, and the rest is checked all the same.
                let at = &spot.at.index(i);
                sound &= T::check(&Spot { value, rules: each, at }, checker).is_some();
            }
            sound
        });
        if !sound {
            return None;
        }
        if let Some(least) = rules.min_items.filter(|least| len < *least) {
            return miscounted((spot, len), ("too_short", "min_length", "least"), least, checker);
        }
        if rules.unique_items && !unique(items) {
            return checker.fail(spot, "unique_items", "List items should be unique", &[]);
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
