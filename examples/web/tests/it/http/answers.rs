//! What services answer.

use super::machine::converse;
use aqueduct::Slice;
use std::io::Write;
use web::{Mode, Options, Reply, Request};

/// The answers to one request after the other, in either mode the same but for what `modes` says.
fn ask(service: fn(&Request<'_>, &mut Reply<'_>), requests: &str) -> (String, bool) {
    let [zero, copying] = [Mode::ZeroCopy, Mode::Copying].map(|mode| {
        let options = Options { mode, ..Options::default() };
        converse([requests.as_bytes()], &service, &options, 4096)
    });
    let text = |out: Vec<u8>| String::from_utf8(out).unwrap();
    let squeezed =
        |out: &[u8]| text(out.to_vec()).replace("length:  ", "length: ").replace("  ", "");
    assert_eq!(squeezed(&zero.0), squeezed(&copying.0));
    (text(zero.0), zero.1)
}

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\n\r\n";

#[test]
fn json_has_its_length_filled_in() {
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| {
        reply.status(201).json(|body| write!(body, "{{\"n\":{}}}", 17));
    };
    let head = "HTTP/1.1 201 Created\r\ndate: D\r\ncontent-type: application/json\r\n";
    let want = format!("{head}content-length:          8\r\n\r\n{{\"n\":17}}");
    assert_eq!(ask(service, &GET.repeat(2)), (want.repeat(2), false));
    let want = format!("{head}content-length: 8\r\n\r\n");
    assert_eq!(ask(service, HEAD).0, want);
}

#[test]
fn slices_are_handed_over() {
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| {
        reply
            .header("content-type", "text/plain")
            .slice(Slice::from_static(b"a text that is not short"));
    };
    let head =
        "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-type: text/plain\r\ncontent-length: 24\r\n\r\n";
    let want = format!("{head}a text that is not short");
    assert_eq!(ask(service, &format!("{GET}{HEAD}{GET}")), (format!("{want}{head}{want}"), false));
}

#[test]
fn streams_go_out_in_chunks_or_up_to_the_end() {
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| {
        let long = Slice::from(vec![b'y'; 30]);
        reply.stream([Slice::from_static(b"short"), Slice::new(), long]);
    };
    let head = "HTTP/1.1 200 OK\r\ndate: D\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let long = "y".repeat(30);
    let body = format!("5\r\nshort\r\n1e\r\n{long}\r\n0\r\n\r\n");
    let (got, over) = ask(service, &format!("{GET}{HEAD}{GET}"));
    assert_eq!((got, over), (format!("{chunked}{body}{chunked}{chunked}{body}"), false));
    let keep = "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
    let want = format!("{head}connection: close\r\n\r\nshort{long}");
    assert_eq!(ask(service, &format!("{keep}{GET}")), (want, true));
}

/// A stream without end is made as far as it is taken.
#[test]
fn an_endless_stream_waits_for_the_client() {
    let (mut input, mut received) = aqueduct::pipe(aqueduct::Options::default());
    let (mut output, mut sent) =
        aqueduct::pipe(aqueduct::Options::builder().pause(0).build().unwrap());
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| {
        reply.stream(std::iter::repeat_with(|| Slice::from(vec![7; 1000])));
    };
    let mut conversation = web::Conversation::new(&Options::default());
    input.write(GET.as_bytes()).unwrap();
    input.try_flush().unwrap();
    for _ in 0..50 {
        assert_eq!(conversation.advance(&service, &mut received, &mut output), web::Next::Write);
        let buffered = output.stats().buffered;
        assert!((64 << 10..80 << 10).contains(&buffered), "{buffered}");
        sent.try_read().unwrap().unwrap().into_view().consume(usize::try_from(buffered).unwrap());
    }
}

#[test]
fn some_statuses_have_no_body() {
    for (status, reason) in [(204, "No Content"), (304, "Not Modified")] {
        let want = format!("HTTP/1.1 {status} {reason}\r\ndate: D\r\n\r\n");
        let service = |request: &Request<'_>, reply: &mut Reply<'_>| {
            reply.status(if request.query == "204" { 204 } else { 304 });
            match request.path {
                "/body" => reply.body(b"nothing of this is sent"),
                "/slice" => reply.slice(Slice::from(vec![1; 50])),
                "/stream" => reply.stream([Slice::from(vec![1; 50])]),
                _ => reply.empty(),
            }
        };
        for path in ["/body", "/slice", "/stream", "/"] {
            let request = format!("GET {path}?{status} HTTP/1.1\r\nhost: a\r\n\r\n");
            assert_eq!(ask(service, &request), (want.clone(), false), "{path}");
        }
    }
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| reply.status(404).empty();
    let want = "HTTP/1.1 404 Not Found\r\ndate: D\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(ask(service, GET), (want.to_owned(), false));
}

#[test]
fn the_connection_is_kept_as_both_versions_say() {
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| reply.body(b"x");
    let end = "content-length: 1\r\n\r\nx";
    let head = "HTTP/1.1 200 OK\r\ndate: D\r\n";
    let close = format!("{head}connection: close\r\n{end}");
    assert_eq!(ask(service, &format!("{OLD}{GET}")), (close.clone(), true));
    let closing = "GET / HTTP/1.1\r\nhost: a\r\nConnection: x, CLOSE\r\n\r\n";
    assert_eq!(ask(service, &format!("{closing}{GET}")), (close.clone(), true));
    let old = "GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n";
    let kept = format!("{head}connection: keep-alive\r\n{end}");
    assert_eq!(ask(service, &format!("{old}{OLD}")), (format!("{kept}{close}"), true));
}

/// Each of them, with requests before and behind it: the one before is answered.
#[test]
fn services_that_fail_are_a_500_and_the_last_answer() {
    let service = |request: &Request<'_>, reply: &mut Reply<'_>| match request.path {
        "/ok" => reply.body(b"fine"),
        "/panic" => {
            reply.header("x", "y");
            panic!("a service that panics");
        }
        "/silent" => {}
        "/cut" => drop(reply.header("x", "y")),
        "/twice" => {
            reply.body(b"one");
            reply.body(b"two");
        }
        "/late" => reply.header("x", "y").status(404).empty(),
        "/odd" => reply.status(99).empty(),
        "/split" => reply.header("x", "a\r\nset-cookie: b").empty(),
        "/name" => reply.header("x y", "z").empty(),
        "/json" => reply.json(|body| {
            body.write_all(b"[1,")?;
            Err(std::io::ErrorKind::Other.into())
        }),
        _ => {
            reply.body(b"one");
            reply.json(|body| body.write_all(b"[]"));
        }
    };
    let fine = "HTTP/1.1 200 OK\r\ndate: D\r\ncontent-length: 4\r\n\r\nfine";
    let failed = "HTTP/1.1 500 Internal Server Error\r\ndate: D\r\nconnection: close\r\n\
                  content-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\n\r\n\
                  Internal Server Error";
    let ok = "GET /ok HTTP/1.1\r\nhost: a\r\n\r\n";
    for path in ["panic", "silent", "cut", "twice", "late", "odd", "split", "name", "json", "both"]
    {
        let requests = format!("{ok}GET /{path} HTTP/1.1\r\nhost: a\r\n\r\n{ok}");
        assert_eq!(ask(service, &requests), (format!("{fine}{failed}"), true), "{path}");
    }
}

#[test]
fn handles_on_parts_outlive_the_request() {
    use std::sync::Mutex;
    static KEPT: Mutex<Vec<Slice>> = Mutex::new(Vec::new());
    let service = |request: &Request<'_>, reply: &mut Reply<'_>| {
        let before = aqueduct::meter::thread();
        let body = request.body.as_bytes();
        let parts = [request.path.as_bytes(), &body[..40], request.headers.get("X-Long").unwrap()];
        KEPT.lock().unwrap().extend(parts.map(|part| request.body.slice(part)));
        assert_eq!((aqueduct::meter::thread() - before).bytes, 0);
        reply.empty();
    };
    let long = "v".repeat(30);
    let request = format!(
        "POST /a/path/that/is/not/at/all/short HTTP/1.1\r\nhost: a\r\nx-long: {long}\r\n\
         content-length: 50\r\n\r\n{}",
        "b".repeat(50)
    );
    let options = Options::default();
    converse([request.repeat(3).as_bytes()], &service, &options, 4096);
    let kept = KEPT.lock().unwrap();
    assert_eq!(kept.len(), 9);
    for parts in kept.chunks(3) {
        assert!(parts[0] == *b"/a/path/that/is/not/at/all/short");
        assert!(parts[1] == *"b".repeat(40).as_bytes() && parts[2] == *long.as_bytes());
    }
}
