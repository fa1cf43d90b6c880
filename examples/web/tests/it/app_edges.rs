//! What a user of `App`, `Hook`, `model!` and `serve` runs into.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use aqueduct_testkit::Process;
use web::model::Int;
use web::{App, Nothing, Raw, Reply, Request, Service, Timeouts};

use crate::server::Served;

fn get(served: &Served, path: &str) -> String {
    served.last(format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").as_bytes())
}

/// One application that hands a part of its requests to another, as FastAPI's `mount` does.
#[test]
fn a_handler_can_hand_its_request_to_another_application() {
    type Handler = Box<dyn Fn(&Request<'_>, &mut Reply<'_>) + Send + Sync>;
    static INNER: OnceLock<Handler> = OnceLock::new();
    let mut inner = App::new("inner");
    inner.get::<Nothing>("/inner/x", |_, reply| reply.body(b"inner")).unwrap();
    let inner = inner.finish();
    let _ = INNER.set(Box::new(move |request, reply| inner.call(request, reply)));
    let mut outer = App::new("outer");
    outer
        .get::<Raw<'_>>("/inner/{*rest}", |raw, reply| INNER.get().unwrap()(raw.request, reply))
        .unwrap();
    let served = Served::new(outer.finish(), Timeouts::default());
    let said = get(&served, "/inner/x");
    assert!(said.ends_with("inner"), "{said}");
}

/// A refused route leaves nothing behind.
#[test]
fn a_route_that_is_refused_is_not_there() {
    let mut app = App::new("a");
    app.get::<Nothing>("/files/", |_, reply| reply.body(b"list")).unwrap();
    assert!(app.get::<Nothing>("/files/{*path}", |_, reply| reply.body(b"file")).is_err());
    app.get::<Nothing>("/admin", |_, reply| reply.body(b"secret")).unwrap();
    let served = Served::new(app.finish(), Timeouts::default());
    let said = get(&served, "/files/x");
    assert!(said.starts_with("HTTP/1.1 404"), "{said}");
}

/// "The length, the date and what concerns the connection are added without being asked for": one who
/// sets them all the same must not desynchronise the client.
#[test]
fn an_answer_never_has_two_lengths() {
    let hello = |_: &Request<'_>, reply: &mut Reply<'_>| {
        reply.header("content-length", "1").header("transfer-encoding", "chunked").body(b"hello");
    };
    let served = Served::new(hello, Timeouts::default());
    let said = get(&served, "/");
    let lengths = said.lines().filter(|line| line.starts_with("content-length")).count();
    assert!(lengths == 1 && !said.contains("transfer-encoding"), "{said}");
}

/// No limit, as `tokio::time::sleep` takes it.
#[test]
fn a_timeout_may_be_as_long_as_durations_are() {
    let timeouts = Timeouts { idle: Duration::MAX, ..Timeouts::default() };
    let hello = |_: &Request<'_>, reply: &mut Reply<'_>| reply.body(b"hello");
    let served = Served::new(hello, timeouts);
    let mut socket = served.connect();
    std::thread::sleep(Duration::from_millis(100));
    socket.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    let read = socket.read_to_string(&mut said);
    assert!(said.ends_with("hello"), "{read:?} {said:?}");
}

web::model! { struct Bounds<'a> { id: Int<'a> [le = 9007199254740993_i64] } }

web::model! { struct Tokens<'a> { x: web::model::List<'a, std::borrow::Cow<'a, str>> } }

/// "The others [are closed] with their next answer."
#[test]
fn a_stop_is_heard_by_who_never_pauses() {
    let hello = |_: &Request<'_>, reply: &mut Reply<'_>| reply.body(b"hello");
    let mut served = Served::new(hello, Timeouts::default());
    let mut socket = served.connect();
    let mut reader = socket.try_clone().unwrap();
    let said = std::thread::spawn(move || {
        let mut all = Vec::new();
        let ended = reader.read_to_end(&mut all);
        (ended.is_ok(), String::from_utf8_lossy(&all[all.len().saturating_sub(400)..]).into_owned())
    });
    let requests = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n".repeat(500);
    let mut stopped = None;
    let begun = Instant::now();
    while socket.write_all(&requests).is_ok() && begun.elapsed() < Duration::from_secs(15) {
        if begun.elapsed() > Duration::from_millis(300) && stopped.is_none() {
            served.serving.tell_to_stop();
            stopped = Some(Instant::now());
        }
    }
    let took = stopped.unwrap().elapsed();
    let (whole, end) = said.join().unwrap();
    assert!(took < Duration::from_secs(3), "{took:?}, in order {whole}: {end}");
}

/// Whoever reads the log goes away: `web serve --log | head -1`.
#[test]
fn the_server_outlives_the_reader_of_its_log() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_web"))
        .args(["serve", "--listen", "127.0.0.1:0", "--log"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on http://").unwrap();
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut said = String::new();
    let read = socket.read_to_string(&mut said);
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(said.starts_with("HTTP/1.1 200"), "{read:?} {said}");
}

web::model! { struct Who<'a> { user_id: Int<'a> } }

/// The peer is told no more than `FIN`: what it asked for before is still answered in full.
#[test]
fn who_shuts_its_side_down_still_gets_the_whole_stream() {
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| {
        reply.stream((0..2000).map(|_| aqueduct::Slice::from(vec![b'x'; 1000])));
    };
    let served = Served::new(service, Timeouts::default());
    let mut socket = served.connect();
    socket.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let mut all = Vec::new();
    socket.read_to_end(&mut all).unwrap();
    assert!(all.ends_with(b"0\r\n\r\n") && all.len() > 2_000_000, "{}", all.len());
}

/// As `kill` ends a server, and whatever supervises one.
#[test]
fn the_stop_is_graceful_for_sigterm_too() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_web"));
    let _ = Process::start(command.args(["serve", "--listen", "127.0.0.1:0"])).end("TERM");
}
