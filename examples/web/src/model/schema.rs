//! What a model is made of, and how its fields are found and checked.

use super::checker::{At, Checker, Spot};
use super::rules::Rules;
use super::value::Value;

/// The most fields that a model may have.
pub const MOST_FIELDS: usize = 32;

/// The kind of a field, for descriptions.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A string.
    Str,
    /// An e-mail address.
    Email,
    /// An HTTP URL.
    Url,
    /// An integer.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// A list of one kind.
    List(&'static Shape),
    /// A kind, or null.
    Nullable(&'static Shape),
    /// One of two kinds.
    Either(&'static Shape, &'static Shape),
    /// A model.
    Model(&'static Schema),
}

impl Shape {
    fn is_list(&self) -> bool {
        match self {
            Shape::List(_) => true,
            Shape::Nullable(inner) => inner.is_list(),
            _ => false,
        }
    }
}

/// One field of a model.
#[derive(Debug)]
pub struct Field {
    /// Its name in a document.
    pub name: &'static str,
    /// What it is.
    pub shape: Shape,
    /// What it must keep to.
    pub rules: Rules,
    /// What it is when it is not there, as JSON; without one it must be.
    pub default: Option<&'static str>,
}

/// A model, described.
#[derive(Debug)]
pub struct Schema {
    /// Its name.
    pub name: &'static str,
    /// Whether fields that it does not have are errors.
    pub closed: bool,
    /// Its fields, as they are declared.
    pub fields: &'static [Field],
}

/// What can be made of a value.
pub trait Check<'a>: Sized {
    /// Its kind.
    const SHAPE: Shape;
    /// Its name in the place of an error about a union.
    const TAG: &'static str;

    /// Checks what is there. What is wrong goes to the checker: one error at least for `None`.
    /// Allocates nothing for what is sound, but for URLs and e-mail addresses that are not in their
    /// normal form, and in the copying mode.
    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self>;

    /// As [`check`](Self::check), without rules: for whole bodies.
    fn check_at(value: Value<'a>, at: &At<'_>, checker: &mut Checker) -> Option<Self> {
        Self::check(&Spot { value, rules: &Rules::NONE, at }, checker)
    }

    /// Whether `value` is of this kind already: what a union prefers.
    #[must_use]
    fn is_exact(value: &Value<'a>) -> bool {
        value.tag() == Some(Self::TAG)
    }
}

/// What [`model!`](crate::model!) declares.
pub trait Model<'a>: Sized {
    /// Its description.
    const SCHEMA: &'static Schema;

    /// Checks the fields of `whole`, each of which `find` gives by its number.
    fn build(
        find: &mut dyn FnMut(usize) -> Option<Value<'a>>,
        whole: &Spot<'a, '_>,
        checker: &mut Checker,
    ) -> Option<Self>;
}

/// A model for every lifetime: what a route names, whose requests come later.
pub trait Family: 'static {
    /// It, borrowed for so long.
    type At<'a>: Model<'a>;
}

/// Checks an object. Linear in its size times the number of the model's fields.
pub fn object<'a, T: Model<'a>>(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<T> {
    let Value::Map(fields) = spot.value else {
        let message = "Input should be a valid dictionary or object to extract fields from";
        return checker.fail(spot, "model_attributes_type", message, &[]);
    };
    const { assert!(T::SCHEMA.fields.len() <= MOST_FIELDS, "a model of more than 32 fields") };
    let schema = T::SCHEMA;
    let position = |name: &str| schema.fields.iter().position(|field| field.name == name);
    // Node 0 is the document, which is no field of itself.
    let mut found = [0; MOST_FIELDS];
    let mut strangers = false;
    for (name, node) in fields.nodes() {
        match position(name) {
            Some(i) => found[i] = node,
            None => strangers = true,
        }
    }
    let mut find = |i: usize| (found[i] != 0).then(|| fields.node(found[i]));
    let built = T::build(&mut find, spot, checker);
    if !(strangers && schema.closed) {
        return built;
    }
    for (name, value) in fields.merged().filter(|(name, _)| position(name).is_none()) {
        let stranger = Spot { value, at: &spot.at.name(name), ..*spot };
        checker.fail::<T>(&stranger, "extra_forbidden", "Extra inputs are not permitted", &[]);
    }
    None
}

/// Checks parameters, which `find` gives by the name of their field: all values for a field that is
/// a list, as `find`'s second argument says, else the last.
pub fn params<'a, T: Model<'a>>(
    source: &str,
    mut find: impl FnMut(&'static str, bool) -> Option<Value<'a>>,
    checker: &mut Checker,
) -> Option<T> {
    let fields = T::SCHEMA.fields;
    let mut find = |i: usize| find(fields[i].name, fields[i].shape.is_list());
    let whole = Spot { value: Value::Null, rules: &Rules::NONE, at: &At::root(source) };
    T::build(&mut find, &whole, checker)
}

/// Checks the value of one field of `whole`, or does without.
pub fn field<'a, T: Check<'a>>(
    field: &'static Field,
    value: Option<Value<'a>>,
    default: Option<fn() -> T>,
    whole: &Spot<'a, '_>,
    checker: &mut Checker,
) -> Option<T> {
    let at = &whole.at.name(field.name);
    match (value, default) {
        (Some(value), _) => T::check(&Spot { value, rules: &field.rules, at }, checker),
        (None, Some(default)) => Some(default()),
        (None, None) => {
            checker.missing(at, whole.value);
            None
        }
    }
}
