//! [`Url`]: pydantic's `HttpUrl`, which is the `url` crate's reading.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Write};

use super::checker::{Checker, Context, Spot};
use super::schema::{Check, Shape};
use super::value::Value;
use super::write::{ToJson, write_str};

/// The longest that is read, in bytes.
const LONGEST: usize = 2083;

/// An HTTP URL in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    text: Cow<'a, str>,
    /// The path `/`, where the text has none.
    path: &'static str,
}

impl fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text, self.path)
    }
}

/// Whether `text` is a URL in its normal form beyond doubt, but for a path `/`; if so, what path it
/// lacks. It spares the parser, which allocates, where the URL is a plain one.
fn plain(text: &str) -> Option<&'static str> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let labels = || host.split('.');
    let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let named = labels().all(|l| !l.is_empty() && !l.starts_with("xn--") && l.bytes().all(lower));
    // A host that ends in a number would be an address.
    let last = labels().next_back()?.bytes().next()?;
    let dots = path.split('/').any(|segment| segment.starts_with('.'));
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~');
    let sound = named && last.is_ascii_lowercase() && !dots && path.bytes().all(safe);
    sound.then_some(if path.is_empty() { "/" } else { "" })
}

impl<'a> Check<'a> for Url<'a> {
    const SHAPE: Shape = Shape::Url;
    const TAG: &'static str = "url";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        let Value::Text(text) = spot.value else {
            return checker.fail(spot, "url_type", "URL input should be a string or URL", &[]);
        };
        if text.len() > LONGEST {
            return checker.fail(
                spot,
                "url_too_long",
                format_args!("URL should have at most {LONGEST} characters"),
                &[("max_length", Context::Count(LONGEST))],
            );
        }
        if let Some(path) = plain(text) {
            return Some(Url { text: checker.text(text), path });
        }
        let error = match ::url::Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => {
                return Some(Url { text: Cow::Owned(url.into()), path: "" });
            }
            Ok(_) => {
                let message = "URL scheme should be 'http' or 'https'";
                let context = [("expected_schemes", Context::Text("'http' or 'https'"))];
                return checker.fail(spot, "url_scheme", message, &context);
            }
            Err(_) if text.is_empty() => "input is empty".to_owned(),
            Err(error) => error.to_string(),
        };
        let message = "Input should be a valid URL";
        let context = [("error", Context::Text(&error))];
        checker.fail(spot, "url_parsing", format_args!("{message}, {error}"), &context)
    }
}

impl ToJson for Url<'_> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        if self.path.is_empty() {
            return write_str(out, &self.text);
        }
        // What is plain has nothing that JSON escapes.
        [b"\"", self.text.as_bytes(), self.path.as_bytes(), b"\""]
            .iter()
            .try_for_each(|part| out.write_all(part))
    }
}
