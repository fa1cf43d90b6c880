//! What bodies and parameters must be: models declared once, checked in place, with the errors of
//! FastAPI and pydantic 2.
//!
//! ```
//! use std::borrow::Cow;
//! use web::model::{At, Check, Checker, List, Tape, ToJson};
//!
//! web::model! {
//!     /// Something to sell.
//!     pub struct Item<'a> {
//!         name: Cow<'a, str> [min_length = 1, max_length = 100],
//!         price: f64 [gt = 0, lt = 1000000],
//!         tags: List<'a, Cow<'a, str>> [max_items = 5, each = [min_length = 1]] = [],
//!         kind: Cow<'a, str> [one_of = ["book", "toy"]] = "book",
//!     }
//! }
//!
//! let (mut tape, mut checker) = (Tape::default(), Checker::new(false)); // kept per connection
//! let body = tape.json(br#"{"name": "ball", "price": "2.50"}"#)?;
//! let item = Item::check_at(body, &At::root("body"), &mut checker).expect("valid");
//! assert!(matches!(item.name, Cow::Borrowed("ball")));
//! let mut answer = Vec::new();
//! item.write_json(&mut answer)?;
//! assert_eq!(answer, br#"{"name":"ball","price":2.5,"tags":[],"kind":"book"}"#);
//!
//! assert!(Item::check_at(tape.json(br#"{"name": ""}"#)?, &At::root("body"), &mut checker).is_none());
//! assert!(checker.errors().starts_with(br#"{"type":"string_too_short","loc":["body","name"],"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to read: [`Tape`] holds a document as a flat list of nodes that point into the body,
//! [`Value`] is one of them, [`Check`] makes a field of the one at a [`Spot`] by its [`Rules`],
//! [`Checker`] collects what is wrong as JSON, and [`model!`](crate::model!) puts fields together and describes them in a
//! [`Schema`]. What is checked allocates nothing: errors are written where they are found, in the
//! order of the declaration, so that one pass is enough.

mod checker;
mod email;
mod json;
mod kinds;
mod list;
mod macros;
mod number;
mod query;
mod rules;
mod schema;
mod tape;
mod text;
mod url;
mod value;
mod write;

pub use checker::{At, Checker, Spot};
pub use email::Email;
pub use kinds::{Either, Given};
pub use list::List;
pub use number::Int;
pub use query::latin1;
pub use rules::{Bound, Pattern, Rules};
pub use schema::{Check, Family, Field, MOST_FIELDS, Model, Schema, Shape, field, object, params};
pub use tape::{Fault, Tape};
pub use url::Url;
pub use value::{Fields, Items, Value};
pub use write::{ToJson, write_f64, write_str};
