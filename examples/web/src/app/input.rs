//! [`Input`]: what a handler asks for, made of a request where it lies.

use super::{Doc, Params};
use crate::{
    Headers, Request,
    model::{
        At, Check, Checker, Family, Fault, Fields, Model, Schema, Tape, Value, latin1, params,
    },
};
use std::borrow::Cow;

/// A request that was routed, and what it is read with.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) params: &'a Params<'a, 'a>,
    pub(super) query: &'a mut Tape,
    pub(super) body: &'a mut Tape,
}

/// A request whose parts were read.
#[derive(Clone, Copy, Debug)]
pub struct Ready<'a> {
    request: &'a Request<'a>,
    params: &'a Params<'a, 'a>,
    query: Option<Fields<'a>>,
    /// None without one.
    body: Option<Value<'a>>,
    bytes: &'a [u8],
    latin: &'a [(&'a str, String)],
}

/// A body that is not what its type says.
pub(super) enum NotJson {
    Text,
    Syntax { at: usize, error: String },
}

impl<'a> Ready<'a> {
    /// The request.
    #[must_use]
    pub fn request(&self) -> &'a Request<'a> {
        self.request
    }

    /// A parameter of the path, its percent signs decoded.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&'a str> {
        self.params.get(name)
    }

    /// The query, if the input [says](Input::QUERY) that it is read.
    #[must_use]
    pub fn query(&self) -> Option<Fields<'a>> {
        self.query
    }

    /// The first header of this name, as Latin-1: if the input [says](Input::HEADER) that they are read.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let first = self.request.headers.get(name)?;
        if let (true, Ok(text)) = (first.is_ascii(), str::from_utf8(first)) {
            return Some(text);
        }
        let named = self.latin.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, text)| &**text)
    }

    /// The body as its type says, JSON or text: if there is one, and the input [says](Input::BODY) that it
    /// is read.
    #[must_use]
    pub fn body(&self) -> Option<Value<'a>> {
        self.body
    }

    /// The body's bytes.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> Call<'a> {
    /// Reads what `I` asks for. `bytes` are the body's, `latin` what [`latin`] found.
    pub(super) fn ready<I: Input>(
        self,
        bytes: &'a [u8],
        latin: &'a [(&'a str, String)],
    ) -> Result<Ready<'a>, NotJson> {
        let Self { request, params, query, body } = self;
        let query = I::QUERY.then(|| query.query(request.query));
        let body = match I::BODY && !bytes.is_empty() {
            true => Some(document(body, request.headers, bytes)?),
            false => None,
        };
        Ok(Ready { request, params, query, body, bytes, latin })
    }
}

/// The headers that are not ASCII, as Latin-1, which is what Starlette takes them for.
pub(super) fn latin(headers: Headers<'_>) -> Vec<(&str, String)> {
    let texts = headers.iter().map(|(name, value)| (name, latin1(value)));
    let owned = |(name, text)| match text {
        Cow::Owned(text) => Some((name, text)),
        Cow::Borrowed(_) => None,
    };
    texts.filter_map(owned).collect()
}

/// A body as its type says: JSON, or text which no model is made of.
fn document<'a>(
    tape: &'a mut Tape,
    headers: Headers<'a>,
    bytes: &'a [u8],
) -> Result<Value<'a>, NotJson> {
    if headers.get("content-type").is_some_and(is_json) {
        return tape.json(bytes).map_err(|fault| match fault {
            Fault::NotText => NotJson::Text,
            Fault::Syntax { at, error } => NotJson::Syntax { at, error: error.to_string() },
        });
    }
    std::str::from_utf8(bytes).map(Value::Text).map_err(|_| NotJson::Text)
}

/// Whether a type is `application/json`, or some other that ends in `+json`.
fn is_json(kind: &[u8]) -> bool {
    let essence = kind.split(|byte| *byte == b';').next().unwrap_or(kind).trim_ascii();
    let Some((application, json)) = essence.split_at_checked(b"application/".len()) else {
        return false;
    };
    let ends = json.len().checked_sub(b"+json".len()).map(|at| &json[at..]);
    application.eq_ignore_ascii_case(b"application/")
        && !json.contains(&b'/')
        && (json.eq_ignore_ascii_case(b"json")
            || ends.is_some_and(|end| end.eq_ignore_ascii_case(b"+json")))
}

/// What a handler asks for: parts of the request, which are read, checked and borrowed from where they
/// were received. Several as a tuple.
pub trait Input {
    /// It, borrowed from a request.
    type At<'a>;
    /// Whether the query is read.
    const QUERY: bool = false;
    /// Whether headers are.
    const HEADER: bool = false;
    /// Whether the body is, as JSON.
    const BODY: bool = false;

    /// Makes it. What is wrong goes to the checker: at least one error for none.
    fn take<'a>(request: &Ready<'a>, checker: &mut Checker) -> Option<Self::At<'a>>;

    /// Describes it.
    fn describe(doc: &mut Doc);
}

/// Nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Input for Nothing {
    type At<'a> = Nothing;

    fn take<'a>(_: &Ready<'a>, _: &mut Checker) -> Option<Nothing> {
        Some(Nothing)
    }

    fn describe(_: &mut Doc) {}
}

/// The parameters of the path, as a model.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: Family> Input for Path<T> {
    type At<'a> = Path<T::At<'a>>;

    fn take<'a>(request: &Ready<'a>, checker: &mut Checker) -> Option<Self::At<'a>> {
        // The router binds all of them but the rest of a path that is empty.
        let find = |name, _| Some(Value::Text(request.param(name).unwrap_or("")));
        params("path", find, checker).map(Path)
    }

    fn describe(doc: &mut Doc) {
        doc.parameters("path", schema::<T>());
    }
}

/// The query, as a model. What it does not name is ignored.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Family> Input for Query<T> {
    type At<'a> = Query<T::At<'a>>;
    const QUERY: bool = true;

    fn take<'a>(request: &Ready<'a>, checker: &mut Checker) -> Option<Self::At<'a>> {
        let find = |name, list| request.query?.param(name, list);
        params("query", find, checker).map(Query)
    }

    fn describe(doc: &mut Doc) {
        doc.parameters("query", schema::<T>());
    }
}

/// Some headers, as a model whose fields have their names.
#[derive(Debug)]
pub struct Header<T>(pub T);

impl<T: Family> Input for Header<T> {
    type At<'a> = Header<T::At<'a>>;
    const HEADER: bool = true;

    fn take<'a>(request: &Ready<'a>, checker: &mut Checker) -> Option<Self::At<'a>> {
        let find = |name, _| request.header(name).map(Value::Text);
        params("header", find, checker).map(Header)
    }

    fn describe(doc: &mut Doc) {
        doc.parameters("header", schema::<T>());
    }
}

/// The body, as a model.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Family> Input for Json<T>
where
    for<'a> T::At<'a>: Check<'a>,
{
    type At<'a> = Json<T::At<'a>>;
    const BODY: bool = true;

    fn take<'a>(request: &Ready<'a>, checker: &mut Checker) -> Option<Self::At<'a>> {
        let at = At::root("body");
        let Some(body) = request.body else {
            checker.missing(&at, Value::Null);
            return None;
        };
        T::At::check_at(body, &at, checker).map(Json)
    }

    fn describe(doc: &mut Doc) {
        doc.body(schema::<T>());
    }
}

/// The body as it came, and the request, to have [handles](crate::Body::slice) on parts of it.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a> {
    /// All bytes of the body.
    pub bytes: &'a [u8],
    /// The request.
    pub request: &'a Request<'a>,
}

impl Input for Raw<'static> {
    type At<'a> = Raw<'a>;

    fn take<'a>(request: &Ready<'a>, _: &mut Checker) -> Option<Raw<'a>> {
        Some(Raw { bytes: request.bytes, request: request.request })
    }

    fn describe(_: &mut Doc) {}
}

fn schema<T: Family>() -> &'static Schema {
    <T::At<'static> as Model<'static>>::SCHEMA
}

macro_rules! tuple {
    ($($part:ident),*) => {
        impl<$($part: Input),*> Input for ($($part,)*) {
            type At<'a> = ($($part::At<'a>,)*);
            const QUERY: bool = $($part::QUERY)||*;
            const HEADER: bool = $($part::HEADER)||*;
            const BODY: bool = $($part::BODY)||*;

            #[allow(non_snake_case, reason = "the types' names are the values'")]
            fn take<'a>(request: &Ready<'a>, checker: &mut Checker) -> Option<Self::At<'a>> {
                // All of them, before one that is wrong ends it.
                $(let $part = $part::take(request, checker);)*
                Some(($($part?,)*))
            }

            fn describe(doc: &mut Doc) {
                $($part::describe(doc);)*
            }
        }
    };
}
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
