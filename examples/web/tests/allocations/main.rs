//! What a request allocates and copies, counted on the server's thread, and where its parts lie.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]

use aqueduct::{Pool, Slice, meter, pipe};
use aqueduct_testkit::CountingAlloc;
use std::{
    io::{Read, Write},
    net::TcpStream,
    ops::Range,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::oneshot};
use web::{Conversation, Mode, Next, Options, Reply, Request, Service, serve};

mod app;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const GET: &[u8] = b"GET /items/17?q=a-query-of-some-length HTTP/1.1\r\nhost: a\r\n\
    user-agent: something that is longer than a few bytes\r\naccept: */*\r\n\r\n";
const POST: &[u8] = b"POST /users HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n\
    content-length: 47\r\n\r\n{\"name\":\"a name of some length, so it is long\"}";
static ANSWER: &[u8] = b"{\"message\":\"an answer that is handed over\"}";

/// Allocations and copied bytes so far, on this thread.
type Reading = (u64, u64);

fn reading() -> Reading {
    (CountingAlloc::thread().allocations, meter::thread().bytes)
}

/// Serves on a thread of its own while `client` runs.
fn served(service: impl Service, options: Options, client: impl FnOnce(&mut TcpStream)) {
    let ((stop, stopped), (tell, told)) = (oneshot::channel::<()>(), std::sync::mpsc::channel());
    let server = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            serve(listener, Arc::new(service), options, stopped).await.unwrap();
        });
    });
    let mut socket = TcpStream::connect(told.recv().unwrap()).unwrap();
    client(&mut socket);
    drop((socket, stop));
    server.join().unwrap();
}

/// What `count` requests in steady state cost, from one call of the service to another, answers and all:
/// allocations and bytes.
fn cost(
    service: impl Service,
    mode: Mode,
    request: &[u8],
    count: usize,
    pipelined: bool,
) -> (f64, f64) {
    let readings = Arc::new(Mutex::new(Vec::with_capacity(2 * count + 1000)));
    let mine = Arc::clone(&readings);
    let watched = move |request: &Request<'_>, reply: &mut Reply<'_>| {
        mine.lock().unwrap().push(reading());
        service.call(request, reply);
    };
    let options = Options { mode, pool: Pool::new(), ..Options::default() };
    served(watched, options, |socket| {
        // What lies across the end of a block of 8 KiB is copied, and counted: no batch is as long.
        let batch = if pipelined { (7000 / request.len()).min(50) } else { 1 };
        // The first tells how long they are.
        socket.write_all(request).unwrap();
        let one = first(socket);
        let (requests, mut answers) = (request.repeat(batch), one.repeat(batch));
        for _ in 0..(500 + count).div_ceil(batch) {
            socket.write_all(&requests).unwrap();
            socket.read_exact(&mut answers).unwrap();
            let end = &one[one.len() - 20..];
            assert!(answers.chunks(one.len()).all(|answer| answer.ends_with(end)));
        }
    });
    let readings = readings.lock().unwrap();
    let (first, last) = (readings[readings.len() - count], readings[readings.len() - 1]);
    let each = |from: u64, to: u64| (to - from) as f64 / (count - 1) as f64;
    (each(first.0, last.0), each(first.1, last.1))
}

/// An answer whose head says how long its body is.
fn first(socket: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = std::str::from_utf8(&answer).unwrap();
    assert!(head.starts_with("HTTP/1.1 20"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.trim().parse().unwrap()];
    socket.read_exact(&mut body).unwrap();
    [answer, body].concat()
}

/// Looks at the request, and hands its answer over.
fn look(request: &Request<'_>, reply: &mut Reply<'_>) {
    let body = request.body.as_bytes();
    assert!(body.is_empty() || body.ends_with(b"}"));
    assert!(request.headers.get("Host").is_some());
    reply.header("content-type", "application/json").slice(Slice::from_static(ANSWER));
}

#[test]
fn no_allocation_and_no_copied_byte_per_request() {
    for pipelined in [false, true] {
        for request in [GET, POST] {
            let cost = cost(look, Mode::ZeroCopy, request, 5000, pipelined);
            assert_eq!(cost, (0.0, 0.0), "pipelined: {pipelined}");
        }
    }
}

/// The document's copies, and no other: buffer and path; no text is asked for here.
#[test]
fn the_copying_mode_copies_the_request_its_path_and_the_answer() {
    let (allocations, bytes) = cost(look, Mode::Copying, GET, 2000, false);
    let want = GET.len() + "/items/17".len() + ANSWER.len();
    assert_eq!((allocations, bytes), (2.0, want as f64));
}

/// The receive block is memory that the test knows.
#[test]
fn every_borrowed_part_lies_in_the_block_that_was_received() {
    static BLOCK: Mutex<Range<usize>> = Mutex::new(0..0);
    static ASKED: Mutex<usize> = Mutex::new(0);
    let service = |request: &Request<'_>, reply: &mut Reply<'_>| {
        let block = BLOCK.lock().unwrap().clone();
        let within = |what: &str, part: &[u8]| {
            let start = part.as_ptr().addr();
            assert!(block.contains(&start) && start + part.len() <= block.end, "{what}");
        };
        within("method", request.method.as_bytes());
        within("path", request.path.as_bytes());
        within("query", request.query.as_bytes());
        for (name, value) in &request.headers {
            within(name, name.as_bytes());
            within(name, value);
            // And a handle on it is one on the block.
            let kept = request.body.slice(value);
            assert!(kept.is_inline() || kept.as_ptr() == value.as_ptr(), "{name}");
        }
        let body = request.body.as_bytes();
        assert!(matches!(body, std::borrow::Cow::Borrowed(_)));
        within("body", &body);
        *ASKED.lock().unwrap() += 1;
        reply.empty();
    };
    let received = [
        b"POST /users/7?a=b HTTP/1.1\r\nhost: a\r\nx-token: abc\r\nuser-agent: one \
        that is longer than what is moved inline\r\ncontent-length: 30\r\n\r\n"
            .as_slice(),
        &[b'x'; 30],
    ]
    .concat()
    .repeat(3);
    let start = received.as_ptr().addr();
    *BLOCK.lock().unwrap() = start..start + received.len();
    let ((mut input, mut requests), (mut answers, _sent)) =
        (pipe(aqueduct::Options::default()), pipe(aqueduct::Options::default()));
    input.push(received).unwrap();
    input.try_flush().unwrap();
    let mut conversation = Conversation::new(&Options::default());
    let next = conversation.advance(&service, &mut requests, &mut answers);
    assert_eq!((next, *ASKED.lock().unwrap()), (Next::Read(web::Wait::Request), 3));
}

/// What a client claims sets no memory aside: what it sent, and 64 KiB for everything else.
#[test]
fn t18_a_length_of_two_to_the_63rd_takes_no_memory() {
    let ok = |_: &Request<'_>, reply: &mut Reply<'_>| reply.empty();
    for (head, largest_body) in [
        ("content-length: 9223372036854775808\r\n\r\nabc", 1 << 20),
        ("content-length: 9223372036854775807\r\n\r\nabc", usize::MAX),
        ("content-length: 1048576\r\n\r\nabc", 1 << 20),
        ("transfer-encoding: chunked\r\n\r\n8000000000000000\r\nabc", 1 << 20),
        ("transfer-encoding: chunked\r\n\r\n7fffffffffffffff\r\nabc", usize::MAX),
        ("transfer-encoding: chunked\r\n\r\n100000\r\nabc", 1 << 20),
    ] {
        let request = format!("POST / HTTP/1.1\r\nhost: a\r\n{head}");
        let before = CountingAlloc::thread();
        let ((mut input, mut requests), (mut answers, _sent)) =
            (pipe(aqueduct::Options::default()), pipe(aqueduct::Options::default()));
        input.write(request.as_bytes()).unwrap();
        input.try_flush().unwrap();
        let mut conversation = Conversation::new(&Options { largest_body, ..Options::default() });
        conversation.advance(&ok, &mut requests, &mut answers);
        let used = CountingAlloc::thread() - before;
        assert!(used.bytes <= request.len() as u64 + (64 << 10), "{head}: {used:?}");
    }
}
