//! Bodies that are sent to the socket past the pipe.

use super::{CLOSE, GET, HELLO, HELLO_LEN, Served, answer};
use std::{
    io::{self, Read, Write},
    sync::Arc,
    task::{Context, Poll, ready},
    thread::sleep,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;
use web::{Handover, Reply, Request, Timeouts};

const LEN: usize = 3_000_000;
/// More than all sockets hold.
const HUGE: usize = 200_000_000;

/// Something else at every place.
fn byte(at: usize) -> u8 {
    b'a' + u8::try_from(at * at % 23).unwrap()
}

fn bytes(len: usize) -> String {
    (0..len).map(|at| char::from(byte(at))).collect()
}

/// Sends so many bytes, and what then happens.
struct Counted {
    at: usize,
    end: usize,
    then: fn() -> Poll<io::Result<u64>>,
    _alive: Arc<()>,
}

impl Handover for Counted {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        if self.at == self.end {
            return (self.then)();
        }
        let piece: Vec<u8> = (self.at..self.end.min(self.at + 50_000)).map(byte).collect();
        loop {
            ready!(socket.poll_write_ready(context))?;
            match socket.try_write(&piece) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(sent) => {
                    self.at += sent;
                    return Poll::Ready(Ok(sent as u64));
                }
            }
        }
    }
}

/// Serves bodies of [`LEN`] bytes at paths that say how, and `hello` elsewhere. How many bodies are alive
/// is the count of the second, but for one.
fn serve(timeouts: Timeouts) -> (Served, Arc<()>) {
    let alive = Arc::new(());
    let mine = Arc::clone(&alive);
    let service = move |request: &Request<'_>, reply: &mut Reply<'_>| {
        let body = |end, then| Counted { at: 0, end, then, _alive: Arc::clone(&mine) };
        let nothing = || Poll::Ready(Ok(0));
        match request.path {
            "/whole" => reply.hand_over(LEN as u64, body(LEN, nothing)),
            "/huge" => reply.hand_over(HUGE as u64, body(HUGE, nothing)),
            "/part" => {
                reply.status(206).header("content-range", "bytes 0-9/20");
                reply.hand_over(10, body(10, nothing));
            }
            "/none" => reply.hand_over(0, body(0, nothing)),
            "/same" => reply.status(304).header("etag", "\"x\"").hand_over(9, body(9, nothing)),
            "/beyond" => reply.status(416).header("content-range", "bytes */20").empty(),
            "/short" => reply.hand_over(LEN as u64, body(LEN / 2, nothing)),
            "/long" => reply.hand_over(10, body(20, nothing)),
            "/broken" => reply.hand_over(20, body(10, || Poll::Ready(Err(io::Error::other("no"))))),
            "/panic" => reply.hand_over(20, body(10, || panic!("on purpose"))),
            _ => reply.body(b"hello"),
        }
    };
    (Served::new(service, timeouts), alive)
}

fn head(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\ndate: D\r\n{headers}\r\n")
}

fn whole() -> String {
    head("200 OK", &format!("content-length: {LEN}\r\n"))
}

fn line(method: &str, path: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: a\r\n\r\n")
}

#[test]
fn in_order_with_what_was_asked_before_and_behind() {
    let (server, alive) = serve(Timeouts::default());
    let paths = ["/", "/whole", "/part", "/none", "/same", "/", "/beyond", "/whole", "/"];
    let requests = paths.map(|path| line("GET", path)).concat() + &line("HEAD", "/whole");
    let range = "content-range: bytes 0-9/20\r\ncontent-length: 10\r\n";
    let want = [
        HELLO,
        &(whole() + &bytes(LEN)),
        &(head("206 Partial Content", range) + &bytes(10)),
        &head("200 OK", "content-length: 0\r\n"),
        &head("304 Not Modified", "etag: \"x\"\r\n"),
        HELLO,
        &head("416 Range Not Satisfiable", "content-range: bytes */20\r\ncontent-length: 0\r\n"),
        &(whole() + &bytes(LEN)),
        HELLO,
        &whole(), // HEAD
        &HELLO.replace("content-length", "connection: close\r\ncontent-length"),
    ];
    let said = server.last(&[requests.as_bytes(), CLOSE].concat());
    assert_eq!(said.len(), want.concat().len());
    assert!(said == want.concat());
    assert_eq!(Arc::strong_count(&alive), 2, "all bodies are gone");
}

/// All that the client can still be told is that it was not all; nobody else notices.
#[test]
fn a_body_that_is_not_what_was_said_ends_its_connection() {
    let (server, _) = serve(Timeouts::default());
    let mut other = server.connect();
    for (path, sent) in [("/short", LEN / 2), ("/long", 20), ("/broken", 10), ("/panic", 10)] {
        let said =
            server.last((line("GET", "/") + &line("GET", path) + &line("GET", "/")).as_bytes());
        let body = said.strip_prefix(HELLO).and_then(|said| said.split_once("\r\n\r\n"));
        assert!(body.unwrap().1 == bytes(sent), "{path}");
        other.write_all(GET).unwrap();
        assert_eq!(answer(&mut other, HELLO_LEN), HELLO);
    }
}

#[test]
fn a_client_that_never_reads_it_is_dropped() {
    let write = Duration::from_millis(200);
    let (server, alive) = serve(Timeouts { write, ..Timeouts::default() });
    let mut socket = server.connect();
    let start = Instant::now();
    socket.write_all(line("GET", "/huge").as_bytes()).unwrap();
    while Arc::strong_count(&alive) < 3 {
        assert!(start.elapsed() < Duration::from_secs(5), "it is never begun");
    }
    while Arc::strong_count(&alive) > 2 {
        assert!(start.elapsed() < Duration::from_secs(5), "it is never dropped");
        sleep(Duration::from_millis(1));
    }
    assert!(start.elapsed() >= write);
    let mut all = Vec::new();
    // An end or a reset: not all in any case.
    let _ = socket.read_to_end(&mut all);
    assert!(all.len() < HUGE);
}

/// One that reads is waited for as long as it takes, also beyond the write timeout, and so does the stop.
#[test]
fn the_stop_lets_it_finish() {
    let write = Duration::from_secs(1);
    let (mut server, _) = serve(Timeouts { write, ..Timeouts::default() });
    let mut socket = server.connect();
    socket.write_all(line("GET", "/whole").repeat(6).as_bytes()).unwrap();
    let mut all = vec![0; LEN];
    socket.read_exact(&mut all).unwrap();
    server.serving.tell_to_stop();
    let start = Instant::now();
    let mut piece = vec![0; LEN / 10];
    while start.elapsed() < 2 * write {
        socket.read_exact(&mut piece).unwrap();
        all.extend(&piece);
        sleep(write / 10);
    }
    socket.read_to_end(&mut all).unwrap();
    // Dates are 28 bytes longer than their letter.
    assert_eq!(all.len(), 6 * (whole().len() + 28 + LEN));
    assert!(all.ends_with(bytes(LEN).as_bytes()));
    let start = Instant::now();
    while !server.serving.is_over() {
        assert!(start.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_stop_does_not_wait_for_ever_for_it() {
    let stop = Duration::from_millis(150);
    let (mut server, alive) = serve(Timeouts { stop, ..Timeouts::default() });
    let mut socket = server.connect();
    socket.write_all(line("GET", "/huge").as_bytes()).unwrap();
    let start = Instant::now();
    while Arc::strong_count(&alive) < 3 {
        assert!(start.elapsed() < Duration::from_secs(5), "it is never begun");
    }
    server.serving.tell_to_stop();
    while !server.serving.is_over() {
        assert!(start.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(1));
    }
    drop(server);
    assert_eq!(Arc::strong_count(&alive), 1);
}
