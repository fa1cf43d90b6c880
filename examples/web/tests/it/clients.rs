//! The port with other people's clients, and with bytes that arrive as no client sends them.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use aqueduct_testkit::skip;

use crate::client::{connect, encode, encode_head, read_head, read_response};
use crate::compare::assert_same;
use crate::port::start_port;
use crate::recorded::{Answer, Request, of_ids};

/// Requests of each method, good and bad, that go well together on one connection.
const MIXED: [&str; 12] = [
    "hello",
    "users/valid",
    "head/",
    "query/all",
    "echo/256",
    "stream/?count=100",
    "orders/all_wrong",
    "delete/path/minus_one",
    "echo/0",
    "absent/absent",
    "strict/malformed/second_line",
    "put/valid",
];

/// What a program prints when it ends well, or a skip with the reason.
fn output(command: &mut Command, input: &[u8]) -> Option<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut process) = command.spawn() else {
        skip(&format!("{name} is not installed"));
        return None;
    };
    let mut stdin = process.stdin.take().expect("piped above");
    // A program that ends early is seen by its status.
    let _ = stdin.write_all(input);
    drop(stdin);
    let output = process.wait_with_output().expect("it was started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ends with {}: {said}", output.status);
    Some(String::from_utf8(output.stdout).expect("it prints text"))
}

/// curl's output for these arguments, each URL being a target.
fn curl(address: SocketAddr, args: &[&str], targets: &[&str], input: &[u8]) -> Option<String> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20", "--noproxy", "*"]).args(args);
    command.args(targets.iter().map(|target| format!("http://{address}{target}")));
    output(&mut command, input)
}

#[test]
fn curl_gets_posts_and_asks_for_heads() {
    let address = start_port();
    let code = ["--write-out", "|%{http_code} %{content_type}"];
    let say = |args: &[&str], target, input: &[u8]| {
        curl(address, &[args, &code].concat(), &[target], input)
    };
    let Some(hello) = say(&[], "/", b"") else { return };
    assert_eq!(hello, r#"{"message":"Hello, World"}|200 application/json"#);
    let json = ["--header", "content-type: application/json", "--data-binary", "@-"];
    let strict = say(&json, "/strict", br#"{"label":"x","id":1}"#);
    assert_eq!(strict.as_deref(), Some(r#"{"id":1,"label":"x"}|200 application/json"#));
    let head = say(&["--head"], "/health", b"").expect("curl is there");
    assert!(head.to_ascii_lowercase().contains("\r\ncontent-length: 2\r\n"), "{head}");
    assert!(head.ends_with("\r\n\r\n|200 text/plain; charset=utf-8"), "{head}");
    let deleted = say(&["--request", "DELETE"], "/items/7", b"").expect("curl is there");
    assert!(deleted.starts_with("|204 "), "{deleted}");
    let old = say(&["--http1.0", "--include"], "/health", b"").expect("curl is there");
    assert!(old.starts_with("HTTP/1.1 200 OK\r\n"), "{old}");
    assert!(old.contains("\r\nconnection: close\r\n"), "{old}");
}

#[test]
fn curl_keeps_its_connection() {
    let address = start_port();
    let each = ["--write-out", "|%{num_connects}\n"];
    let targets = ["/health", "/stream?count=1", "/absent", "/health"];
    let Some(said) = curl(address, &each, &targets, b"") else { return };
    let connects: Vec<_> = said.lines().filter_map(|line| line.rsplit_once('|')).collect();
    assert_eq!(connects.iter().map(|(_, opened)| *opened).collect::<String>(), "1000", "{said}");
}

#[test]
fn curl_uploads_in_chunks_and_waits_for_continue() {
    let address = start_port();
    let body = "0123456789abcdef".repeat(10_000);
    let chunked = ["--header", "transfer-encoding: chunked", "--data-binary", "@-"];
    let Some(echoed) = curl(address, &chunked, &["/echo"], body.as_bytes()) else { return };
    assert!(echoed == body, "{} bytes came back", echoed.len());
    let expect = ["--header", "expect: 100-continue", "--data-binary", "@-", "--include"];
    let echoed = curl(address, &expect, &["/echo"], body.as_bytes()).expect("curl is there");
    assert!(echoed.starts_with("HTTP/1.1 100 "), "{}", &echoed[..echoed.len().min(200)]);
    assert!(echoed.ends_with(&body), "{} bytes came back", echoed.len());
}

const HTTP_CLIENT: &str = r#"
import http.client, json, sys
host, port = sys.argv[1].rsplit(":", 1)
connection = http.client.HTTPConnection(host, int(port), timeout=20)
def ask(method, target, body=None, headers={}, **options):
    connection.request(method, target, body, headers, **options)
    socket = connection.sock
    response = connection.getresponse()
    payload = response.read().decode()
    assert socket is first and (connection.sock is first or response.status == 400), "the connection was not kept"
    print(json.dumps([response.status, response.getheader("content-length"), payload]))
connection.connect()
first = connection.sock
ask("GET", "/users/7")
ask("HEAD", "/users/7")
ask("POST", "/strict", '{"id":0,"label":"x"}', {"content-type": "application/json"})
ask("POST", "/echo", iter([b"one ", b"two ", b"three"]), encode_chunked=True)
ask("GET", "/stream?count=2")
ask("DELETE", "/items/7")
ask("POST", "/echo", "y" * 70000)
ask("GET", "/health")
ask("POST", "/echo", None, {"content-length": "x"})
"#;

#[test]
fn pythons_http_client_keeps_one_connection_for_all() {
    let address = start_port().to_string();
    let mut python = Command::new("python3");
    let Some(said) = output(python.args(["-c", HTTP_CLIENT, &address]), b"") else { return };
    let wrong = r#"{"detail":[{"type":"greater_than","loc":["body","id"],"msg":"Input should be greater than 0","input":0,"ctx":{"gt":0}}]}"#;
    let expected = [
        (200, Some("29"), r#"{"user_id":7,"name":"User 7"}"#),
        (200, Some("29"), ""),
        (422, Some("120"), wrong),
        (200, Some("13"), "one two three"),
        (200, None, "line 0\nline 1\n"),
        (204, None, ""),
        (200, Some("70000"), &*"y".repeat(70_000)),
        (200, Some("2"), "ok"),
        (400, Some("24"), r#"{"detail":"Bad Request"}"#),
    ];
    assert_eq!(said.lines().count(), expected.len(), "{said}");
    for (line, expected) in said.lines().zip(expected) {
        let value: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        assert_eq!(value, serde_json::json!([expected.0, expected.1, expected.2]));
    }
}

#[test]
fn wrk_meets_no_error() {
    let url = format!("http://{}/users/7", start_port());
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", "1", "--connections", "32", "--duration", "1s", &url]);
    let Some(said) = output(&mut wrk, b"") else { return };
    assert!(!said.contains("Socket errors") && !said.contains("Non-2xx"), "{said}");
    let done = said.lines().find_map(|line| line.trim().split_once(" requests in "));
    assert!(done.is_some_and(|(count, _)| count.parse::<u32>().is_ok_and(|n| n > 32)), "{said}");
}

/// Writes with `send` on a connection of its own, and reads the answers to all of these.
fn exchange(
    recorded: Vec<(Request, Answer)>,
    send: impl Fn(&mut dyn Write) -> std::io::Result<()>,
) {
    let mut connection = connect(start_port()).expect("it listens");
    send(connection.get_mut()).expect("it takes what is sent");
    let mut all = Vec::new();
    for (request, twin) in recorded {
        let response = read_response(&mut connection, &request.method);
        let answer = response.unwrap_or_else(|error| panic!("{}: {error}", request.id)).answer;
        all.push((request, twin, answer));
    }
    assert!(connection.buffer().is_empty(), "more answers than requests");
    assert_same(&all);
}

fn bytes_of(recorded: &[(Request, Answer)]) -> Vec<u8> {
    recorded.iter().flat_map(|(request, _)| encode(request)).collect()
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let recorded = of_ids(&MIXED.repeat(5));
    let bytes = bytes_of(&recorded);
    exchange(recorded, |to| to.write_all(&bytes));
}

#[test]
fn bytes_may_come_one_by_one() {
    let recorded = of_ids(&MIXED);
    let bytes = bytes_of(&recorded);
    exchange(recorded, |to| bytes.iter().try_for_each(|byte| to.write_all(&[*byte])));
}

/// The same body in chunks of these sizes in turn, with what may stand in between.
fn chunked(request: &Request, sizes: &[usize]) -> Vec<u8> {
    let mut out = encode_head(request);
    out.extend(b"Transfer-Encoding: chunked\r\n\r\n");
    let mut rest = request.body.as_slice();
    for size in sizes.iter().cycle() {
        let (chunk, behind) = rest.split_at(rest.len().min(*size));
        if chunk.is_empty() {
            break;
        }
        out.extend(format!("{:X};name=value\r\n", chunk.len()).bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
        rest = behind;
    }
    out.extend(b"0\r\nx-trailer: last\r\n\r\n");
    out
}

#[test]
fn a_body_in_chunks_is_the_body() {
    let ids =
        ["users/valid", "echo/256", "orders/all_wrong", "strict/malformed/cut_utf8", "echo/0"];
    for sizes in [&[1][..], &[3, 17, 1], &[10_000]] {
        let recorded = of_ids(&ids);
        let each = recorded.iter().map(|(request, _)| chunked(request, sizes));
        let bytes = each.collect::<Vec<_>>().concat();
        exchange(recorded, |to| to.write_all(&bytes));
    }
}

#[test]
fn a_client_that_expects_is_told_to_continue() {
    let (mut request, twin) = of_ids(&["users/valid"]).remove(0);
    request.headers.push(("Expect".to_owned(), "100-continue".to_owned()));
    let bytes = encode(&request);
    let (head, body) = bytes.split_at(bytes.len() - request.body.len());
    let mut connection = connect(start_port()).expect("it listens");
    connection.get_mut().write_all(head).expect("it takes the head");
    let interim = read_head(&mut connection).expect("an answer before the body");
    assert_eq!((interim.status, interim.get("content-length")), (100, None));
    connection.get_mut().write_all(body).expect("it takes the body");
    let answer = read_response(&mut connection, "POST").expect("an answer").answer;
    assert_same(&[(request, twin, answer)]);
}
