//! A server that works for long, and clients that are no good: `cargo xtask long web`. In short the same
//! takes seconds, with a hundredth of the requests and of the connections.

use crate::{
    client::{connect, read_response},
    server::{GET, HELLO_LEN, Served, answer, hello},
};
use aqueduct::Pool;
use aqueduct_testkit::{Process, scale, skip};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    io::{BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    process::Command,
    thread::sleep,
    time::{Duration, Instant},
};
use web::{Mode, Options, Timeouts, demo::demo};

const USER: &str = r#"{"name":"Ada Lovelace","email":"ada@example.com","age":36,"tags":["a","b"]}"#;

/// `web serve` as a process of its own.
fn serve(options: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_web"));
    Process::start(command.args(["serve", "--listen", "127.0.0.1:0"]).args(options))
}

fn post(target: &str, body: &str) -> Vec<u8> {
    let head = "HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length:";
    format!("POST {target} {head} {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn get(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nhost: a\r\nx-token: token\r\n\r\n").into_bytes()
}

/// Requests of many kinds, with the status of each.
fn mixed() -> Vec<(Vec<u8>, u16)> {
    vec![
        (get("/"), 200),
        (post("/users", USER), 201),
        (get("/items/7?q=words&skip=1&price=2.5"), 200),
        (post("/users", r#"{"name":"","age":-1,"email":"a"}"#), 422),
        (get("/headers"), 200),
        (post("/echo", &"e".repeat(3000)), 200),
        (get("/stream?count=20"), 200),
        (post("/strict", "{"), 422),
        (get("/files/a/b%20c"), 200),
        (get("/absent"), 404),
    ]
}

/// Sends all requests of [`mixed`] at once on each connection, and reads all answers.
fn exchange(connections: &mut [BufReader<TcpStream>], mixed: &[(Vec<u8>, u16)]) {
    let bytes: Vec<u8> = mixed.iter().flat_map(|(request, _)| request).copied().collect();
    for connection in &mut *connections {
        connection.get_mut().write_all(&bytes).expect("it reads");
    }
    for connection in connections {
        for (_, status) in mixed {
            let response = read_response(connection, "GET").expect("an answer");
            assert!(response.keeps_alive && response.answer.status == *status);
        }
    }
}

/// GET and POST, good and bad, over connections that are kept.
#[test]
fn memory_is_flat_over_many_requests() {
    let server = serve(&[]);
    let mut connections: Vec<_> = (0..4).map(|_| connect(server.socket()).expect("it")).collect();
    let mixed = mixed();
    let per_round = connections.len() * mixed.len();
    let mut rounds = |requests: usize| {
        let rounds = requests.div_ceil(per_round);
        (0..rounds).for_each(|_| exchange(&mut connections, &mixed));
        server.resident()
    };
    let Some(warm) = rounds(2000) else { return };
    let half = rounds(scale(5000)).expect("as before");
    let whole = rounds(scale(5000)).expect("as before");
    eprintln!("resident KiB: {} warm, {} then, {} at the end", warm >> 10, half >> 10, whole >> 10);
    assert!(whole <= warm + (1 << 20), "{warm} bytes became {whole}");
    assert!(whole <= half + (256 << 10), "{half} bytes became {whole}");
}

/// Whether so many files can be open; else it says that they cannot.
fn files(count: usize) -> bool {
    let (limit, count) = (getrlimit(Resource::Nofile), count as u64 + 300);
    if limit.current.is_none_or(|current| current >= count) {
        return true;
    }
    let maximum = limit.maximum.map(|maximum| maximum.max(count));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum });
    if raised.is_err() {
        skip(&format!("{count} files cannot be open here"));
    }
    raised.is_ok()
}

/// So many connections, each of which was used: for a GET, or for a POST of 3 KB.
fn used(address: SocketAddr, count: usize) -> Vec<BufReader<TcpStream>> {
    let large = post("/echo", &"e".repeat(3000));
    let open = |i: usize| {
        let mut connection = connect(address).expect("it listens");
        ask(&mut connection, if i.is_multiple_of(4) { &large } else { GET });
        connection
    };
    (0..count).map(open).collect()
}

fn ask(connection: &mut BufReader<TcpStream>, request: &[u8]) {
    connection.get_mut().write_all(request).expect("it reads");
    assert_eq!(read_response(connection, "GET").expect("an answer").answer.status, 200);
}

/// What a connection may cost while nothing happens: its task and two empty pipes.
const IDLE: usize = 8 << 10;

#[test]
fn memory_is_bounded_under_many_idle_connections() {
    let count = scale(100);
    if !files(count) {
        return;
    }
    let server = serve(&[]);
    drop(used(server.socket(), 50));
    let Some(before) = server.resident() else { return };
    let mut first = None;
    for _ in 0..4 {
        let mut connections = used(server.socket(), count);
        let resident = server.resident().expect("as before");
        let each = resident.saturating_sub(before) / count;
        eprintln!("{count} idle connections: {each} bytes for each, {} KiB in all", resident >> 10);
        // What a few need once is not theirs.
        assert!(resident <= before + count * IDLE + (1 << 20), "{each} bytes for each");
        // Some of those before may not have ended yet; a leak would add up.
        let first = *first.get_or_insert(resident);
        assert!(resident <= first + first / 8, "{first} bytes became {resident}");
        // All are still there.
        connections.iter_mut().for_each(|connection| ask(connection, GET));
    }
}

#[test]
fn many_idle_connections_hold_no_block() {
    // The server's ends are open in this process, too.
    let most = getrlimit(Resource::Nofile).maximum.and_then(|most| usize::try_from(most).ok());
    let count = scale(100).min(most.map_or(usize::MAX, |most| most.saturating_sub(600) / 2));
    if !files(2 * count) {
        return;
    }
    let options = Options { pool: Pool::new(), ..Options::default() };
    let server = Served::with(demo(Mode::ZeroCopy).unwrap().finish(), options);
    let mut connections = used(server.address, count);
    for _ in 0..2 {
        let start = Instant::now();
        while server.pool.outstanding() > 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "{}", server.pool.outstanding());
            std::thread::yield_now();
        }
        connections.iter_mut().for_each(|connection| ask(connection, GET));
    }
    let retained = server.pool.stats().retained_bytes;
    eprintln!("{count} idle connections hold no block; the pool keeps {} KiB", retained >> 10);
}

/// Half of them never end their heads, half their bodies; one client is answered all the while.
#[test]
fn many_slow_clients_are_cut_off() {
    let (count, limit) = (scale(10), Duration::from_millis(600));
    if !files(2 * count) {
        return;
    }
    let timeouts = Timeouts { head: limit, body: limit, ..Timeouts::default() };
    let server = Served::new(hello, timeouts);
    let mut good = server.connect();
    let begin = |i: usize| {
        let mut slow = server.connect();
        // It is accepted.
        slow.write_all(GET).unwrap();
        assert!(answer(&mut slow, HELLO_LEN).ends_with("hello"));
        slow.set_nonblocking(true).unwrap();
        let body = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n";
        let head = "GET / HTTP/1.1\r\nhost: a\r\nx: ";
        slow.write_all(if i.is_multiple_of(2) { head } else { body }.as_bytes()).unwrap();
        (slow, Vec::new(), Instant::now())
    };
    let mut slow: Vec<_> = (0..count).map(begin).collect();
    let (start, mut cut) = (Instant::now(), Vec::new());
    while !slow.is_empty() {
        assert!(start.elapsed() < limit + Duration::from_secs(5), "{} are left", slow.len());
        good.write_all(GET).unwrap();
        assert!(answer(&mut good, HELLO_LEN).ends_with("hello"));
        slow.retain_mut(|(socket, said, began)| {
            let _ = socket.write(b"y");
            let mut some = [0; 1000];
            match socket.read(&mut some) {
                Ok(0) => {}
                Ok(got) => said.extend(&some[..got]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // It was cut off while it sent.
                Err(_) => said.extend(b"HTTP/1.1 408 "),
            }
            let over = said.starts_with(b"HTTP/1.1 408 ");
            assert!(over || said.is_empty(), "{}", said.escape_ascii());
            if over {
                cut.push(began.elapsed());
            }
            !over
        });
        sleep(Duration::from_millis(10));
    }
    let (first, last) = (cut.iter().min().unwrap(), cut.iter().max().unwrap());
    eprintln!("{count} slow clients were cut off after {first:?} to {last:?} of {limit:?}");
    assert!(*first >= limit - Duration::from_millis(20));
}

/// Answers of 1 MiB, and streams, for clients that go on asking and never read.
#[test]
fn clients_that_never_read_bound_memory() {
    let server = serve(&[]);
    drop(used(server.socket(), 10));
    let Some(before) = server.resident() else { return };
    let requests = [post("/echo", &"e".repeat(1 << 20)), get("/stream?count=100").repeat(1000)];
    let begin = |i: usize| {
        let socket = connect(server.socket()).expect("it listens").into_inner();
        socket.set_nonblocking(true).unwrap();
        (socket, i % 2, 0)
    };
    const CLIENTS: usize = 8;
    let mut clients: Vec<_> = (0..CLIENTS).map(begin).collect();
    let (start, mut most, mut sent) = (Instant::now(), 0, [0; 2]);
    let limit = Duration::from_secs(scale(1) as u64);
    while !clients.is_empty() && start.elapsed() < limit {
        clients.retain_mut(|(socket, kind, at)| {
            let request = &requests[*kind];
            match socket.write(&request[*at % request.len()..]) {
                Ok(count) => *at += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return false, // dropped
            }
            sent[*kind] = sent[*kind].max(*at);
            true
        });
        most = most.max(server.resident().expect("as before"));
        sleep(Duration::from_millis(2));
    }
    let grown = most.saturating_sub(before);
    eprintln!("{CLIENTS} clients sent {sent:?} bytes: {} KiB more at most", grown >> 10);
    // Of each the request that waits for its answer, which is its answer, and some blocks.
    assert!(grown <= CLIENTS / 2 * (2 << 20) + (2 << 20), "{grown} bytes");
    assert!(sent[0] >= 1 << 20);
    // In long, they are dropped when nothing was taken for 30 seconds.
    assert!(clients.is_empty() || limit < Duration::from_secs(60), "they are never dropped");
    ask(&mut connect(server.socket()).expect("it listens"), GET);
}

/// The example of a hook.
#[test]
fn the_log_has_a_line_for_each_request() {
    let mut server = serve(&["--log"]);
    let mut connection = connect(server.socket()).expect("it listens");
    exchange(std::slice::from_mut(&mut connection), &mixed());
    for want in ["GET / 200", "POST /users 201", "GET /items/7 200", "POST /users 422"] {
        let line = server.line();
        let (said, took) = line.trim_end().strip_suffix(" us").unwrap().rsplit_once(' ').unwrap();
        assert!(said == want && took.parse::<u64>().is_ok(), "{line}");
    }
}
