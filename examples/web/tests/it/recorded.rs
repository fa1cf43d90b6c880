//! Requests and answers as `tests/twin/generate.py` writes them.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// What a client sends.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) target: String,
    /// Values are Latin-1: one byte for each letter.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// What of the response is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// The folder of the twin.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/twin")
}

/// Every recorded request with the twin's answer.
pub(crate) fn recorded() -> Vec<(Request, Answer)> {
    let text = std::fs::read_to_string(folder().join("golden.jsonl")).expect("the golden file");
    let both = |line: &str| {
        let value: Value = serde_json::from_str(line).expect("a line of JSON");
        (request(&value), answer(&value["answer"]))
    };
    text.lines().map(both).collect()
}

/// The recorded requests of these ids, in their order.
pub(crate) fn of_ids(ids: &[&str]) -> Vec<(Request, Answer)> {
    let all = recorded();
    let find = |id: &&str| {
        let found = all.iter().find(|(request, _)| request.id == *id);
        found.unwrap_or_else(|| panic!("no recorded request {id}")).clone()
    };
    ids.iter().map(find).collect()
}

/// Requests without answers, one per line.
pub(crate) fn requests(text: &str) -> Vec<Request> {
    let one = |line| request(&serde_json::from_str(line).expect("a line of JSON"));
    text.lines().map(one).collect()
}

fn request(value: &Value) -> Request {
    let headers = value["headers"].as_array().expect("a list of headers");
    let header = |pair: &Value| (string(&pair[0]), string(&pair[1]));
    Request {
        id: string(&value["id"]),
        method: string(&value["method"]),
        target: string(&value["target"]),
        headers: headers.iter().map(header).collect(),
        body: base64(&string(&value["body"])),
    }
}

fn answer(value: &Value) -> Answer {
    let status = value["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    Answer {
        status: status.expect("a status"),
        content_type: value["content_type"].as_str().map(str::to_owned),
        body: base64(&string(&value["body"])),
    }
}

fn string(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// The standard alphabet, padded.
fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("no base64: {text}"),
    };
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0, |bits, &byte| bits << 6 | u32::from(digit(byte)));
        let bits = bits << (6 * (4 - four.len()));
        out.extend(&bits.to_be_bytes()[1..four.len()]);
    }
    out
}

#[test]
fn base64_of_every_length() {
    assert_eq!(base64(""), b"");
    assert_eq!(base64("/w=="), [255]);
    assert_eq!(base64("AAE="), [0, 1]);
    assert_eq!(base64("+/8A"), [251, 255, 0]);
    assert_eq!(base64("aGVsbG8="), b"hello");
}
