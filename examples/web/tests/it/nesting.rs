//! Bodies that nest, and bodies of any kind: errors that are JSON.

use crate::{app::ask, http::machine::converse};
use proptest::prelude::*;
use serde_json::Value;
use std::thread;
use web::{Mode, Options, Service, demo::demo};

/// What a demonstration application is told and asked.
fn post(target: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {target} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Neither reading a body nor showing it in an error recurses, whatever it is.
#[test]
fn t20_a_million_deep_on_a_small_stack_is_an_error() {
    let small = thread::Builder::new().stack_size(64 << 10);
    let service = demo(Mode::ZeroCopy).unwrap().finish();
    let asked = move || {
        let deep = |open: &str, close: &str, levels: usize| {
            [&open.repeat(levels), "1", &close.repeat(levels)].concat()
        };
        let answer = |body: String| {
            ask(&service, &String::from_utf8(post("/strict", body.as_bytes())).unwrap())
        };
        for (open, close, levels) in [
            ("[", "", 1_000_000),
            ("[", "]", 500_000),
            (r#"{"a":"#, "}", 150_000),
            (r#"{"id":[{"label":"#, "", 60_000),
        ] {
            let answer = answer(deep(open, close, levels));
            assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
            assert!(answer.contains(r#""type":"json_invalid","loc":["body","#), "{answer}");
        }
        // As deep as is read, and is written back as the input that was wrong.
        for (open, close, levels) in
            [("[", "]", 127), (r#"{"a":"#, "}", 127), (r#"[{"a":"#, "}]", 63)]
        {
            let input = deep(open, close, levels);
            let answer = answer(format!(r#"{{"id":{input}}}"#));
            assert!(answer.contains(&format!(r#""loc":["body","id"],"msg":"Input should be a valid integer","input":{input}}}"#)), "{answer}");
        }
    };
    small.spawn(asked).unwrap().join().expect("a stack that is large enough");
}

/// JSON, mostly with the names and the kinds of values that the models know.
fn document() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "null|true|false",
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,4})?([eE][+-]?[0-9]{1,3})?",
        any::<f64>().prop_map(|number| number.to_string()),
        ".{0,12}".prop_map(|text| Value::from(text).to_string()),
        r#""(\\[nt"\\/]|\\u00[0-9a-f]{2}|\\ud83d\\ude00|[ -!#-\[\]-~äß漢]){0,60}""#,
        r#""(a@b\.de|[a-z. ]{1,5}@[a-z0-9.-]{1,9}|https?://[a-z0-9./:@\[\]-]{0,9}|[A-Z]{3}-[0-9]{4}|new|book)""#,
    ];
    let name = "name|email|age|active|website|address|street|city|zip|tags|price|quantity|kind|\
        rating|step|customer|lines|sku|count|note|status|ref|id|label|ä|";
    leaf.prop_recursive(5, 80, 8, move |inner| {
        let list = prop::collection::vec(inner.clone(), 0..7);
        let fields = prop::collection::vec((name, inner), 0..9);
        prop_oneof![
            list.prop_map(|items| format!("[{}]", items.join(","))),
            fields.prop_map(|fields| {
                let fields = fields.iter().map(|(name, value)| format!("\"{name}\": {value}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }),
        ]
    })
}

/// A document, one with bytes that were changed, or any bytes.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let changed =
        (document(), prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4));
    prop_oneof![
        4 => document().prop_map(String::into_bytes),
        1 => changed.prop_map(|(document, changes)| {
            let mut bytes = document.into_bytes();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        }),
        1 => prop::collection::vec(any::<u8>(), 1..200),
    ]
}

/// Whether an answer is what it may be: JSON, whose errors each have all their parts.
fn is_sound(answer: &[u8]) -> Result<u16, TestCaseError> {
    let text =
        std::str::from_utf8(answer).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status: u16 = head["HTTP/1.1 ".len()..][..3].parse().expect("a status");
    let body: Value = serde_json::from_str(body)
        .map_err(|error| TestCaseError::fail(format!("{error} in {text}")))?;
    prop_assert!([200, 201, 400, 422].contains(&status), "{}", text);
    if status == 422 {
        let errors = body["detail"].as_array().expect("a list");
        prop_assert!(!errors.is_empty());
        for error in errors {
            let place = error["loc"].as_array().expect("a list");
            prop_assert!(place[0] == "body" && place.iter().all(|s| s.is_string() || s.is_u64()));
            prop_assert!(error["type"].is_string() && error["msg"].is_string(), "{}", error);
            prop_assert!(error.get("input").is_some(), "{}", error);
            prop_assert!(error.get("ctx").is_none_or(Value::is_object), "{}", error);
        }
    }
    Ok(status)
}

proptest! {
    #[test]
    fn errors_are_json_for_any_body(body in body()) {
        for mode in [Mode::ZeroCopy, Mode::Copying] {
            let service = demo(mode).unwrap().finish();
            for target in ["/users", "/items", "/orders", "/strict"] {
                is_sound(&answer(&service, &post(target, &body)))?;
            }
            let patch = post("/items/7", &body);
            is_sound(&answer(&service, &[b"PATCH", &patch["POST".len()..]].concat()))?;
        }
    }
}

fn answer(service: &impl Service, request: &[u8]) -> Vec<u8> {
    converse([request], service, &Options::default(), 4096).0
}
