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
                let context = [("reason", Context::Text(&reason))];
                let message = "value is not a valid email address";
                checker.fail(spot, "value_error", format_args!("{message}: {reason}"), &context)
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

/// An error if it is so.
fn refuse(wrong: bool, reason: &'static str) -> Result<(), Reason> {
    if wrong { fail(reason) } else { Ok(()) }
}

/// An error if there are too many characters.
fn limit(text: &str, most: usize, words: &str) -> Result<(), Reason> {
    let len = text.chars().count();
    if len <= most {
        return Ok(());
    }
    let s = if len - most > 1 { "s" } else { "" };
    fail(format!("{words} ({} character{s} too many).", len - most))
}

/// An error with all characters that are not allowed, sorted, as email-validator shows them.
fn only(text: &str, allowed: impl Fn(char) -> bool, words: &str) -> Result<(), Reason> {
    if text.chars().all(&allowed) {
        return Ok(());
    }
    let show = |c: char| match c {
        ' ' => "SPACE".to_owned(),
        '\'' => "\"'\"".to_owned(),
        '\\' => "\"\\\"".to_owned(),
        c if c.is_ascii_control() => format!("U+{:04X}", u32::from(c)),
        c => format!("'{c}'"),
    };
    let shown: BTreeSet<String> = text.chars().filter(|c| !allowed(*c)).map(show).collect();
    fail(format!("{words}: {}.", shown.into_iter().collect::<Vec<_>>().join(", ")))
}

/// `A Name <address>`, of which the address is taken.
static PRETTY: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[\w.!#$%&'*+\-/=?^_`{|}~]+";
    let text = format!(r#"^\s*(?:(?:{name}\s+)*{name}|"[^"]+")?\s*<(.+)>\s*$"#);
    Regex::new(&text).unwrap_or_else(|error| panic!("{error}")) // a constant, which a test uses
});

/// Mailboxes whose case does not matter (RFC 2142).
const MAILBOXES: &str = "info marketing sales support abuse noc security postmaster hostmaster usenet \
    news webmaster www uucp ftp";

/// Domains that no mail goes to.
const SPECIAL: [&str; 6] = ["arpa", "invalid", "local", "localhost", "onion", "test"];

fn parse(value: &str) -> Result<Cow<'_, str>, Reason> {
    let long = value.len() > 2048 && value.chars().count() > 2048;
    refuse(long, "Length must not exceed 2048 characters")?;
    let lines = value.contains(['\r', '\n']);
    refuse(lines, "Carriage return and line feed characters are not allowed")?;
    let pretty = value.contains('<').then(|| PRETTY.captures(value)).flatten();
    let address = pretty.and_then(|found| found.get(1)).map_or(value, |m| m.as_str()).trim();
    let (local, domain) = split(address)?;
    check_local(local)?;
    let quoted = local.starts_with('"');
    refuse(quoted, "Quoting the part before the @-sign is not allowed here.")?;
    let unicode = check_domain(domain)?;
    limit(address, 254, "The email address is too long")?;
    let mailbox = MAILBOXES.split(' ').any(|name| name.eq_ignore_ascii_case(local));
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
            '<' if !quoted => return bracketed(&address[..i], &address[i..]),
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
fn bracketed<T>(name: &str, address: &str) -> Result<T, Reason> {
    let name = name.trim_end();
    if !name.starts_with('"') {
        let words = "The display name contains invalid characters when not quoted";
        only(name, |c| (atom(c) && c != '.') || c == ' ', words)?;
    }
    fail(if !address.contains('>') {
        "An open angle bracket at the start of the email address has to be followed by a close angle bracket at the end."
    } else if !address.trim_end_matches(' ').ends_with('>') {
        "There can't be anything after the email address."
    } else {
        "A display name and angle brackets around the email address are not permitted here."
    })
}

fn atom(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._!#$%&'*+-/=?^`{|}~".contains(c)
}

fn check_local(local: &str) -> Result<(), Reason> {
    refuse(local.is_empty(), "There must be something before the @-sign.")?;
    if local.len() > 1 && local.starts_with('"') && local.ends_with('"') {
        return Ok(());
    }
    let words = "The email address contains invalid characters before the @-sign";
    only(local, |c| atom(c) || !c.is_ascii(), words)?;
    check_dots(local, ["start with a {}", "have a {} immediately before the @-sign"], false)
}

/// Where periods, and in the name of a host hyphens, must not be.
fn check_dots(part: &str, [start, end]: [&str; 2], host: bool) -> Result<(), Reason> {
    let beside = part.contains(".-") || part.contains("-.");
    let wrong = [
        (part.ends_with('.'), end, "period"),
        (part.starts_with('.'), start, "period"),
        (part.contains(".."), "have two periods in a row", ""),
        (host && part.ends_with('-'), end, "hyphen"),
        (host && part.starts_with('-'), start, "hyphen"),
        (host && beside, "have a period and a hyphen next to each other", ""),
    ];
    match wrong.iter().find(|(wrong, ..)| *wrong) {
        Some((_, words, sign)) => {
            fail(format!("An email address cannot {}.", words.replace("{}", sign)))
        }
        None => Ok(()),
    }
}

/// The domain in its normal form.
fn check_domain(domain: &str) -> Result<Cow<'_, str>, Reason> {
    const DOTS: [&str; 2] = ["have a {} immediately after the @-sign", "end with a {}"];
    refuse(domain.is_empty(), "There must be something after the @-sign.")?;
    let literal = domain.starts_with('[') && domain.ends_with(']');
    refuse(literal, "A bracketed IP address after the @-sign is not allowed here.")?;
    limit(domain, 253, "The email address is too long after the @-sign")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c) || !c.is_ascii();
    only(domain, allowed, "The part after the @-sign contains invalid characters")?;
    check_dots(domain, DOTS, true)?;
    let dashed = |l: &str| l.get(2..4) == Some("--") && !l[..2].eq_ignore_ascii_case("xn");
    refuse(
        domain.is_ascii() && domain.split('.').any(dashed),
        "An email address cannot have two letters followed by two dashes immediately after the @-sign or after a period, except Punycode.",
    )?;
    let plain = domain.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if plain && !domain.contains("xn--") {
        check_ascii_domain(domain)?;
        return Ok(Cow::Borrowed(domain));
    }
    let ascii = ::url::quirks::domain_to_ascii(domain);
    let reason = "The part after the @-sign is invalid (it is no name of a host).";
    refuse(ascii.is_empty(), reason)?;
    // What was mapped to nothing may have stood between two periods.
    check_dots(&ascii, DOTS, true)?;
    check_ascii_domain(&ascii)?;
    Ok(Cow::Owned(::url::quirks::domain_to_unicode(&ascii)))
}

fn check_ascii_domain(domain: &str) -> Result<(), Reason> {
    let words = "After the @-sign, periods cannot be separated by so many characters";
    domain.split('.').try_for_each(|label| limit(label, 63, words))?;
    let Some((_, last)) = domain.rsplit_once('.') else {
        return fail("The part after the @-sign is not valid. It should have a period.");
    };
    refuse(
        !domain.ends_with(|c: char| c.is_ascii_alphabetic()),
        "The part after the @-sign is not valid. It is not within a valid top-level domain.",
    )?;
    refuse(
        SPECIAL.contains(&last),
        "The part after the @-sign is a special-use or reserved name that cannot be used with email.",
    )
}
