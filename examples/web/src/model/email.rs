//! [`Email`]: pydantic's `EmailStr`, which is email-validator's reading without asking the network.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::ops::Deref;
use std::sync::LazyLock;

use regex::Regex;

use super::checker::{Checker, Context, Spot};
use super::schema::{Check, Shape};
use super::text::string;
use super::write::{ToJson, write_str};

/// An e-mail address in its normal form: a domain in lower case, and in Unicode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email<'a>(Cow<'a, str>);

impl Deref for Email<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> Check<'a> for Email<'a> {
    const SHAPE: Shape = Shape::Email;
    const TAG: &'static str = "function-after[_validate(), str]";

    fn check(spot: &Spot<'a, '_>, checker: &mut Checker) -> Option<Self> {
        match parse(string(spot, checker)?) {
            Ok(Cow::Borrowed(text)) => Some(Email(checker.text(text))),
            Ok(owned) => Some(Email(owned)),
            Err(reason) => {
                let message = format_args!("value is not a valid email address: {reason}");
                checker.fail(spot, "value_error", message, &[("reason", Context::Text(&reason))])
            }
        }
    }
}

impl ToJson for Email<'_> {
    fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        write_str(out, self)
    }
}

type Reason = Cow<'static, str>;

fn fail<T>(reason: impl Into<Reason>) -> Result<T, Reason> {
    Err(reason.into())
}

/// `A Name <address>`, of which the address is taken.
static PRETTY: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[\w.!#$%&'*+\-/=?^_`{|}~]+";
    let text = format!(r#"^\s*(?:(?:{name}\s+)*{name}|"[^"]+")?\s*<(.+)>\s*$"#);
    Regex::new(&text).unwrap_or_else(|error| panic!("{error}")) // a constant, which a test uses
});

/// Mailboxes whose case does not matter (RFC 2142).
const MAILBOXES: [&str; 15] = [
    "info",
    "marketing",
    "sales",
    "support",
    "abuse",
    "noc",
    "security",
    "postmaster",
    "hostmaster",
    "usenet",
    "news",
    "webmaster",
    "www",
    "uucp",
    "ftp",
];

/// Domains that no mail goes to.
const SPECIAL: [&str; 6] = ["arpa", "invalid", "local", "localhost", "onion", "test"];

fn parse(value: &str) -> Result<Cow<'_, str>, Reason> {
    if value.len() > 2048 && value.chars().count() > 2048 {
        return fail("Length must not exceed 2048 characters");
    }
    if value.contains(['\r', '\n']) {
        return fail("Carriage return and line feed characters are not allowed");
    }
    let pretty = value.contains('<').then(|| PRETTY.captures(value)).flatten();
    let address = pretty.and_then(|found| found.get(1)).map_or(value, |m| m.as_str()).trim();
    let (local, domain) = split(address)?;
    check_local(local)?;
    if local.starts_with('"') {
        return fail("Quoting the part before the @-sign is not allowed here.");
    }
    let unicode = check_domain(domain)?;
    let len = address.chars().count();
    if len > 254 {
        return fail(format!("The email address is too long {}.", excess(len, 254)));
    }
    let mailbox = MAILBOXES.iter().any(|name| name.eq_ignore_ascii_case(local));
    if unicode == domain && !(mailbox && local.bytes().any(|b| b.is_ascii_uppercase())) {
        return Ok(Cow::Borrowed(address));
    }
    let local = if mailbox { Cow::Owned(local.to_lowercase()) } else { Cow::Borrowed(local) };
    Ok(Cow::Owned(format!("{local}@{unicode}")))
}

/// The parts before and behind the first `@` that is not quoted.
fn split(address: &str) -> Result<(&str, &str), Reason> {
    let (mut quoted, mut escaped) = (false, false);
    for (i, c) in address.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            '@' if !quoted => return Ok((&address[..i], &address[i + 1..])),
            '<' if !quoted => return fail(bracketed(&address[..i], &address[i..])),
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    fail(if address.contains('＠') {
        "The email address has the \"full-width\" at-sign (@) character instead of a regular at-sign."
    } else {
        "An email address must have an @-sign."
    })
}

/// What is wrong with an address in angle brackets that no [`PRETTY`] one is.
fn bracketed(name: &str, address: &str) -> Reason {
    let name = name.trim_end();
    let strangers = strangers(name, |c| (atom(c) && c != '.') || c == ' ');
    if let Some(shown) = strangers.filter(|_| !name.starts_with('"')) {
        let words = "The display name contains invalid characters when not quoted";
        return format!("{words}: {shown}.").into();
    }
    if !address.contains('>') {
        return "An open angle bracket at the start of the email address has to be followed by a close angle bracket at the end.".into();
    }
    if !address.trim_end_matches(' ').ends_with('>') {
        return "There can't be anything after the email address.".into();
    }
    "A display name and angle brackets around the email address are not permitted here.".into()
}

fn atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._!#$%&'*+-/=?^`{|}~".contains(c)
}

/// What is not allowed in `text`, sorted, as email-validator shows it; nothing if all is.
fn strangers(text: &str, allowed: impl Fn(char) -> bool) -> Option<String> {
    let show = |c: char| match c {
        ' ' => "SPACE".to_owned(),
        '\'' => "\"'\"".to_owned(),
        '\\' => "\"\\\"".to_owned(),
        c if c.is_ascii_control() => format!("U+{:04X}", u32::from(c)),
        c => format!("'{c}'"),
    };
    if text.chars().all(&allowed) {
        return None;
    }
    let set: BTreeSet<String> = text.chars().filter(|c| !allowed(*c)).map(show).collect();
    Some(set.into_iter().collect::<Vec<_>>().join(", "))
}

fn check_local(local: &str) -> Result<(), Reason> {
    if local.is_empty() {
        return fail("There must be something before the @-sign.");
    }
    if local.len() > 1 && local.starts_with('"') && local.ends_with('"') {
        return Ok(());
    }
    if let Some(shown) = strangers(local, |c| atom(c) || !c.is_ascii()) {
        return fail(format!(
            "The email address contains invalid characters before the @-sign: {shown}."
        ));
    }
    check_dots(local, "before")
}

fn check_dots(part: &str, side: &str) -> Result<(), Reason> {
    let (start, end) = match side {
        "before" => ("start with a {}.", "have a {} immediately before the @-sign."),
        _ => ("have a {} immediately after the @-sign.", "end with a {}."),
    };
    let cannot =
        |words: &str, sign| fail(format!("An email address cannot {}", words.replace("{}", sign)));
    for (sign, name) in [('.', "period"), ('-', "hyphen")] {
        if sign == '-' && side == "before" {
            break;
        }
        if part.ends_with(sign) {
            return cannot(end, name);
        }
        if part.starts_with(sign) {
            return cannot(start, name);
        }
        if sign == '.' && part.contains("..") {
            return fail("An email address cannot have two periods in a row.");
        }
    }
    if side != "before" && (part.contains(".-") || part.contains("-.")) {
        return fail("An email address cannot have a period and a hyphen next to each other.");
    }
    Ok(())
}

fn excess(len: usize, most: usize) -> String {
    let s = if len - most > 1 { "s" } else { "" };
    format!("({} character{s} too many)", len - most)
}

/// The domain in its normal form.
fn check_domain(domain: &str) -> Result<Cow<'_, str>, Reason> {
    if domain.is_empty() {
        return fail("There must be something after the @-sign.");
    }
    if domain.starts_with('[') && domain.ends_with(']') {
        return fail("A bracketed IP address after the @-sign is not allowed here.");
    }
    let len = domain.chars().count();
    if len > 253 {
        return fail(format!(
            "The email address is too long after the @-sign {}.",
            excess(len, 253)
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c) || !c.is_ascii();
    if let Some(shown) = strangers(domain, allowed) {
        return fail(format!("The part after the @-sign contains invalid characters: {shown}."));
    }
    check_dots(domain, "after")?;
    let dashed = |l: &str| {
        let mut chars = l.chars().skip(2);
        chars.next() == Some('-') && chars.next() == Some('-') && !l[..2].eq_ignore_ascii_case("xn")
    };
    if domain.is_ascii() && domain.split('.').any(dashed) {
        return fail(
            "An email address cannot have two letters followed by two dashes immediately after the @-sign or after a period, except Punycode.",
        );
    }
    let plain = domain.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if plain && !domain.contains("xn--") {
        check_ascii_domain(domain)?;
        return Ok(Cow::Borrowed(domain));
    }
    let ascii = ::url::quirks::domain_to_ascii(domain);
    if ascii.is_empty() {
        return fail("The part after the @-sign is invalid (it is no name of a host).");
    }
    // What was mapped to nothing may have stood between two periods.
    check_dots(&ascii, "after")?;
    check_ascii_domain(&ascii)?;
    Ok(Cow::Owned(::url::quirks::domain_to_unicode(&ascii)))
}

fn check_ascii_domain(domain: &str) -> Result<(), Reason> {
    if let Some(label) = domain.split('.').find(|label| label.len() > 63) {
        return fail(format!(
            "After the @-sign, periods cannot be separated by so many characters {}.",
            excess(label.len(), 63)
        ));
    }
    let Some((_, last)) = domain.rsplit_once('.') else {
        return fail("The part after the @-sign is not valid. It should have a period.");
    };
    if !domain.ends_with(|c: char| c.is_ascii_alphabetic()) {
        return fail(
            "The part after the @-sign is not valid. It is not within a valid top-level domain.",
        );
    }
    if SPECIAL.contains(&last) {
        return fail(
            "The part after the @-sign is a special-use or reserved name that cannot be used with email.",
        );
    }
    Ok(())
}
