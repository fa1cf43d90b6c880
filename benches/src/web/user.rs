//! The model `User` of the demonstration application as the peers have it: serde, and checks by hand.

use serde::{Deserialize, Serialize};

/// A user, of owned text or of text borrowed from the body.
#[derive(Debug, Deserialize, Serialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + From<&'static str>"))]
pub struct User<S> {
    name: S,
    email: S,
    age: i64,
    #[serde(default = "yes")]
    active: bool,
    website: Option<S>,
    address: Option<Address<S>>,
    #[serde(default = "Vec::new")]
    tags: Vec<S>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(bound(deserialize = "S: Deserialize<'de> + From<&'static str>"))]
struct Address<S> {
    street: S,
    city: S,
    zip: S,
    #[serde(default = "germany")]
    country: S,
}

fn yes() -> bool {
    true
}

fn germany<S: From<&'static str>>() -> S {
    "DE".into()
}

impl<S: AsRef<str>> User<S> {
    /// Whether every rule holds.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let tags = || self.tags.iter().map(AsRef::as_ref);
        chars(&self.name, 1, 50)
            && is_email(self.email.as_ref())
            && (0..=150).contains(&self.age)
            && self.website.as_ref().is_none_or(|url| is_url(url.as_ref()))
            && self.address.as_ref().is_none_or(Address::is_valid)
            && self.tags.len() <= 5
            && tags().all(|tag| !tag.is_empty())
            // Five at most: every other way costs more.
            && tags().enumerate().all(|(i, tag)| tags().take(i).all(|earlier| earlier != tag))
    }
}

impl<S: AsRef<str>> Address<S> {
    fn is_valid(&self) -> bool {
        let zip = self.zip.as_ref();
        chars(&self.street, 1, usize::MAX)
            && chars(&self.city, 1, 40)
            && zip.len() == 5
            && zip.bytes().all(|byte| byte.is_ascii_digit())
    }
}

fn chars(text: &impl AsRef<str>, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.as_ref().chars().count())
}

/// Simpler than the rule of the application: a peer may be quicker, never slower.
fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && domain.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !domain.contains('@')
    })
}

/// As simple.
fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn valid(change: impl FnOnce(&mut Value)) -> bool {
        let mut user = json!({
            "name": "Ada", "email": "ada@example.com", "age": 36, "website": "https://example.com/",
            "address": {"street": "1 Way", "city": "Ulm", "zip": "89073"}, "tags": ["a", "b"],
        });
        change(&mut user);
        serde_json::from_value::<User<String>>(user).is_ok_and(|user| user.is_valid())
    }

    #[test]
    fn every_rule_can_fail() {
        assert!(valid(|_| {}));
        assert!(!valid(|user| user["name"] = json!("")));
        assert!(!valid(|user| user["name"] = json!("x".repeat(51))));
        assert!(!valid(|user| user["age"] = json!(151)));
        assert!(!valid(|user| user["age"] = json!(-1)));
        for email in ["", "ada", "@example.com", "ada@example", "a da@example.com", "a@b@c.de"] {
            assert!(!valid(|user| user["email"] = json!(email)), "{email}");
        }
        assert!(!valid(|user| user["website"] = json!("ftp://example.com/")));
        assert!(!valid(|user| user["address"]["zip"] = json!("8907x")));
        assert!(!valid(|user| user["address"]["zip"] = json!("890733")));
        assert!(!valid(|user| user["address"]["street"] = json!("")));
        assert!(!valid(|user| user["address"]["city"] = json!("x".repeat(41))));
        assert!(!valid(|user| user["tags"] = json!(["a", "b", "a"])));
        assert!(!valid(|user| user["tags"] = json!(["a", ""])));
        assert!(!valid(|user| user["tags"] = json!(["a", "b", "c", "d", "e", "f"])));
    }

    #[test]
    fn lengths_are_in_characters() {
        assert!(valid(|user| user["name"] = json!("\u{e9}".repeat(50))));
    }

    #[test]
    fn what_is_missing_has_its_default() {
        let sent = r#"{"name":"Ada","email":"ada@example.com","age":36,"address":{"street":"1","city":"Ulm","zip":"89073"}}"#;
        let user: User<String> = serde_json::from_str(sent).expect("a user");
        assert_eq!(
            serde_json::to_string(&user).expect("plain data"),
            r#"{"name":"Ada","email":"ada@example.com","age":36,"active":true,"website":null,"address":{"street":"1","city":"Ulm","zip":"89073","country":"DE"},"tags":[]}"#
        );
    }
}
