//! Where the port does not say what FastAPI says. Each of these answers was given by `tests/twin` on
//! 21 November 2026.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::port::start_port;

fn ask(request: &[u8]) -> (String, String) {
    let mut socket = TcpStream::connect(start_port()).unwrap();
    socket.write_all(request).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let mut out = Vec::new();
    socket.read_to_end(&mut out).unwrap();
    let text = String::from_utf8_lossy(&out).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap()["HTTP/1.1 ".len()..][..3].to_owned(), body.to_owned())
}

fn post(path: &str, kind: &str, body: &str) -> (String, String) {
    let len = body.len();
    ask(format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: {kind}\r\ncontent-length: {len}\r\n\r\n{body}"
    )
    .as_bytes())
}

/// `Headers::get`: "the value of the first header of this name".
#[test]
fn of_two_headers_of_one_name_the_first_counts_whatever_its_letters() {
    let request = b"GET /headers HTTP/1.1\r\nhost: a\r\nx-token: abc\r\nx-token: d\xe4\xe4\r\n\r\n";
    assert_eq!(ask(request).1, r#"{"x_token":"abc","user_agent":null}"#);
}

#[test]
fn a_content_type_with_two_slashes_is_not_json() {
    let (status, _) = post("/items", "application/x/y+json", r#"{"name":"a","price":1}"#);
    assert_eq!(status, "422");
}

fn user(email: &str, website: &str) -> String {
    serde_json::json!({"name": "a", "email": email, "age": 1, "website": website}).to_string()
}

/// Hosts may have quotes, and fragments backslashes: "A URL has nothing that JSON escapes" is not so.
#[test]
fn a_url_is_escaped_as_json() {
    for url in [r#"http://"/"#, r#"http://x","y"#, r"http://a#\"] {
        let (status, body) = post("/users", "application/json", &user("a@x.com", url));
        let parsed = serde_json::from_str::<serde_json::Value>(&body);
        assert!(parsed.is_ok(), "{url}: {status} {body}");
    }
}

/// A domain that UTS 46 refuses is not an empty one.
#[test]
fn an_address_never_loses_its_domain() {
    let (status, body) = post(
        "/users",
        "application/json",
        &user("A.b@\u{200d}localhostx.com\u{fb01}.DE", "http://a"),
    );
    assert_eq!(status, "422", "{body}");
}

#[test]
fn an_address_has_no_soft_hyphen() {
    let (status, body) =
        post("/users", "application/json", &user("a@i\u{3002}-\u{ad}.DE", "http://a"));
    assert_eq!(status, "422", "{body}");
}

#[test]
fn the_description_cannot_be_posted_to() {
    assert_eq!(post("/openapi.json", "application/json", "{}").0, "405");
}
