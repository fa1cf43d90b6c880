//! What counts as the same answer.

use std::fmt::Write as _;

use serde_json::Value;

use crate::recorded::{Answer, Request};

/// How the port's answer differs from the twin's, if it does.
///
/// What may differ stands in the README: where JSON does not parse, the place and the parser's own
/// words; where the twin fails with 500 itself, since it cannot write what it was sent, the port may
/// say what is wrong; and the port does not parse lone surrogates and numbers out of range.
pub(crate) fn difference(twin: &Answer, port: &Answer) -> Option<String> {
    if twin.status == 500 && matches!(port.status, 400 | 422) {
        let listed = details(&port.body).is_some_and(|details| !details.is_empty());
        let said = port.status == 400 && port.body.starts_with(br#"{"detail":""#);
        let fine = is_json(port) && (listed || said);
        return (!fine).then(|| format!("{} without details", port.status));
    }
    if port.status == 422 && is_json(port) && is_beyond(&port.body) {
        return None;
    }
    let mut what = String::new();
    if twin.status != port.status {
        let _ = write!(what, "status {} for {}; ", port.status, twin.status);
    }
    let (theirs, ours) = (media_type(twin), media_type(port));
    if theirs != ours {
        let _ = write!(what, "content type {ours:?} for {theirs:?}; ");
    }
    if twin.body != port.body && !same_json_invalid(&twin.body, &port.body) {
        let at = twin.body.iter().zip(&port.body).take_while(|(a, b)| a == b).count();
        let _ = write!(what, "body differs at byte {at}; ");
    }
    (!what.is_empty()).then_some(what)
}

/// Whether JSON was refused that Python's parser takes, and serde_json's does not.
fn is_beyond(port: &[u8]) -> bool {
    const WORDS: [&str; 3] = [
        "number out of range",
        "unexpected end of hex escape",
        "lone leading surrogate in hex escape",
    ];
    let Some([detail]) = details(port).and_then(|details| <[Value; 1]>::try_from(details).ok())
    else {
        return false;
    };
    let error = detail["ctx"]["error"].as_str().unwrap_or_default();
    detail["type"] == "json_invalid" && WORDS.contains(&error)
}

/// Requests whose answers are known to differ: e-mail addresses that are not in normal form C, or whose
/// domain UTS 46 lets pass and IDNA 2008 does not.
const KNOWN: [&str; 2] = ["users/email/decomposed", "users/email/emoji_domain"];

/// Every differing request, readable, and a panic with them if there are any.
pub(crate) fn assert_same(all: &[(Request, Answer, Answer)]) {
    let mut report = String::new();
    let mut bad = 0;
    for (request, twin, port) in all {
        let known = KNOWN.contains(&request.id.as_str());
        let Some(what) = difference(twin, port).filter(|_| !known) else { continue };
        bad += 1;
        let Request { id, method, target, headers, body } = request;
        let _ = writeln!(report, "{id}: {what}\n  {method} {target} {headers:?}");
        for (name, body) in [("sent", body), ("twin", &twin.body), ("port", &port.body)] {
            let _ = writeln!(report, "  {name}: {}", shown(body));
        }
    }
    assert!(bad == 0, "{bad} of {} answers differ\n{report}", all.len());
}

/// Text as far as it goes on a few lines, escaped.
fn shown(body: &[u8]) -> String {
    const MOST: usize = 700;
    let text = body[..body.len().min(MOST)].utf8_chunks().fold(String::new(), |mut out, chunk| {
        out.extend(chunk.valid().chars().flat_map(|c| {
            let plain = !c.is_control();
            plain
                .then_some(c)
                .into_iter()
                .chain((!plain).then(|| c.escape_default()).into_iter().flatten())
        }));
        out.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
        out
    });
    if body.len() > MOST { format!("{text} ... {} bytes", body.len()) } else { text }
}

/// Media type and parameters in small letters, without spaces.
fn media_type(answer: &Answer) -> Option<String> {
    let text = answer.content_type.as_ref()?.to_ascii_lowercase();
    Some(text.split(';').map(str::trim).collect::<Vec<_>>().join(";"))
}

fn is_json(answer: &Answer) -> bool {
    media_type(answer).is_some_and(|text| text == "application/json")
}

fn details(body: &[u8]) -> Option<Vec<Value>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    value.get("detail")?.as_array().cloned()
}

/// Both are the one error of JSON that does not parse, each at its place and in its words.
fn same_json_invalid(twin: &[u8], port: &[u8]) -> bool {
    let (Some(twin), Some(port)) = (details(twin), details(port)) else { return false };
    let ([twin], [port]) = (twin.as_slice(), port.as_slice()) else { return false };
    let worded = port["loc"][1].is_u64() && port["ctx"]["error"].is_string();
    let mut port = port.clone();
    if worded {
        port["loc"][1] = twin["loc"][1].clone();
        port["ctx"]["error"] = twin["ctx"]["error"].clone();
    }
    twin["type"] == "json_invalid" && *twin == port
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(status: u16, body: &str) -> Answer {
        let content_type = Some("application/json".to_owned());
        Answer { status, content_type, body: body.as_bytes().to_vec() }
    }

    fn same(twin: &Answer, port: &Answer) -> bool {
        difference(twin, port).is_none()
    }

    const INVALID: &str = r#"{"detail":[{"type":"json_invalid","loc":["body",3],"msg":"JSON decode error","input":{},"ctx":{"error":"Extra data"}}]}"#;

    #[test]
    fn every_part_counts() {
        let twin = json(200, r#"{"a":1}"#);
        assert!(same(&twin, &twin));
        assert!(!same(&twin, &json(201, r#"{"a":1}"#)));
        assert!(!same(&twin, &json(200, r#"{"a": 1}"#)));
        assert!(!same(&twin, &Answer { content_type: None, ..twin.clone() }));
        let text = |text: &str| Answer { content_type: Some(text.into()), ..twin.clone() };
        assert!(same(&text("text/plain; charset=utf-8"), &text("text/plain;charset=UTF-8")));
        assert!(!same(&text("text/plain; charset=utf-8"), &text("text/plain")));
    }

    #[test]
    fn the_parser_has_its_own_words() {
        let twin = json(422, INVALID);
        let reworded = INVALID.replace('3', "7").replace("Extra data", "end expected");
        assert!(same(&twin, &json(422, &reworded)));
        assert!(!same(&twin, &json(400, &reworded)));
        assert!(!same(&twin, &json(422, &INVALID.replace("JSON decode", "other"))));
        assert!(!same(&twin, &json(422, &INVALID.replace("json_invalid", "missing"))));
        assert!(!same(&twin, &json(422, &INVALID.replace("\"body\",3", "\"body\""))));
        assert!(!same(&twin, &json(422, &INVALID.replace("\"body\",3", "\"query\",3"))));
        let missing = INVALID.replace("json_invalid", "missing");
        let other = missing.replace('3', "4");
        assert!(!same(&json(422, &missing), &json(422, &other)));
    }

    #[test]
    fn where_the_twin_fails_the_port_may_refuse() {
        let twin = Answer { content_type: Some("text/plain".into()), ..json(500, "Error") };
        assert!(same(&twin, &twin));
        assert!(same(&twin, &json(422, INVALID)));
        assert!(!same(&twin, &json(422, "{}")));
        assert!(!same(&twin, &json(422, r#"{"detail":[]}"#)));
        assert!(!same(&twin, &json(200, "{}")));
        assert!(!same(&json(422, INVALID), &twin));
    }
}
