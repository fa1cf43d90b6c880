//! Clients that are slow, silent or do not read, and the stop.

use super::{CLOSE, GET, HELLO, HELLO_LEN, Served, answer, hello, rest};
use std::{
    io::{Read, Write},
    thread::sleep,
    time::{Duration, Instant},
};
use web::{Options, Reply, Request, Timeouts};

const SHORT: Duration = Duration::from_millis(150);

#[test]
fn a_head_that_does_not_end_is_a_408() {
    let server = Served::new(hello, Timeouts { head: SHORT, ..Timeouts::default() });
    let mut socket = server.connect();
    socket.write_all(GET).unwrap();
    assert_eq!(answer(&mut socket, HELLO_LEN), HELLO);
    // Each byte is soon there, the whole is not.
    let start = Instant::now();
    for byte in b"GET / HTTP/1.1\r\nx: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" {
        if socket.write_all(&[*byte]).is_err() || start.elapsed() > 2 * SHORT {
            break;
        }
        sleep(SHORT / 20);
    }
    let out = rest(&mut socket);
    assert!(out.starts_with("HTTP/1.1 408 ") && out.ends_with("Timeout\"}"), "{out}");
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn a_body_that_does_not_come_is_a_408() {
    let server = Served::new(hello, Timeouts { body: SHORT, ..Timeouts::default() });
    for head in ["content-length: 9\r\n\r\nabc", "transfer-encoding: chunked\r\n\r\n9\r\nabc"] {
        let out = server.last(format!("POST / HTTP/1.1\r\nhost: a\r\n{head}").as_bytes());
        assert!(out.starts_with("HTTP/1.1 408 "), "{out}");
    }
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let server = Served::new(hello, Timeouts { idle: SHORT, ..Timeouts::default() });
    assert_eq!(server.last(b""), "");
    assert_eq!(server.last(GET), HELLO);
}

/// It holds what one answer needs, is not read from, and is dropped in the end; others are answered.
#[test]
fn a_client_that_never_reads_bounds_memory() {
    let service = |_: &Request<'_>, reply: &mut Reply<'_>| reply.body(&[b'z'; 10_000]);
    let write = Duration::from_millis(700);
    let server = Served::new(service, Timeouts { write, ..Timeouts::default() });
    let mut socket = server.connect();
    socket.set_nonblocking(true).unwrap();
    let (start, mut sent) = (Instant::now(), 0);
    let requests = GET.repeat(1000);
    let mut most = 0;
    loop {
        match socket.write(&requests) {
            Ok(count) => sent += count,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                sleep(Duration::from_millis(5));
            }
            Err(_) => break, // dropped
        }
        most = most.max(server.pool.stats().outstanding);
        assert!(start.elapsed() < Duration::from_secs(15), "it is never dropped");
    }
    // Answers of 64 KiB and one more, and the requests of one read: a dozen blocks.
    assert!(most <= 16, "{most} blocks");
    assert!(sent / GET.len() > 1000);
    assert!(server.last(CLOSE).ends_with('z'));
}

#[test]
fn an_idle_connection_holds_no_block() {
    let server = Served::new(hello, Timeouts::default());
    let mut sockets: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for _ in 0..3 {
        for socket in &mut sockets {
            socket.write_all(GET).unwrap();
            assert_eq!(answer(socket, HELLO_LEN), HELLO);
        }
        let start = Instant::now();
        while server.pool.outstanding() > 0 {
            assert!(start.elapsed() < Duration::from_secs(5), "{}", server.pool.outstanding());
            std::thread::yield_now();
        }
    }
}

/// Who is idle is closed, who has begun is answered, and nobody is accepted.
#[test]
fn the_stop_lets_requests_finish() {
    let mut server = Served::new(hello, Timeouts::default());
    let [mut idle, mut begun, mut used] = [(); 3].map(|()| server.connect());
    used.write_all(GET).unwrap();
    assert_eq!(answer(&mut used, HELLO_LEN), HELLO);
    begun
        .write_all(
            b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\nexpect: 100-continue\r\n\r\n",
        )
        .unwrap();
    assert_eq!(answer(&mut begun, 25), "HTTP/1.1 100 Continue\r\n\r\n");
    server.serving.tell_to_stop();
    assert_eq!((rest(&mut idle), rest(&mut used)), (String::new(), String::new()));
    assert!(std::net::TcpStream::connect(server.address).is_err());
    assert!(!server.serving.is_over());
    begun.write_all(b"abc").unwrap();
    let want = "HTTP/1.1 200 OK\r\ndate: D\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
    assert_eq!(rest(&mut begun), want);
    drop((idle, used, begun));
    let start = Instant::now();
    while !server.serving.is_over() {
        assert!(start.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(1));
    }
}

#[test]
fn the_stop_does_not_wait_for_ever() {
    let timeouts = Timeouts { stop: SHORT, ..Timeouts::default() };
    let mut server = Served::new(hello, timeouts);
    let mut begun = server.connect();
    begun.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    begun.set_read_timeout(Some(SHORT)).unwrap();
    assert!(begun.read(&mut [0; 1]).is_err(), "nothing comes");
    let start = Instant::now();
    server.serving.tell_to_stop();
    while !server.serving.is_over() {
        assert!(start.elapsed() < Duration::from_secs(5));
        sleep(Duration::from_millis(1));
    }
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn beyond_so_many_connections_others_wait_for_their_turn() {
    let options = Options { connections: 2, pool: aqueduct::Pool::new(), ..Options::default() };
    let server = Served::with(hello, options);
    let [mut one, mut two, mut three] = [(); 3].map(|()| server.connect());
    for socket in [&mut one, &mut two] {
        socket.write_all(GET).unwrap();
        assert_eq!(answer(socket, HELLO_LEN), HELLO);
    }
    three.write_all(GET).unwrap();
    three.set_read_timeout(Some(SHORT)).unwrap();
    assert!(three.read(&mut [0; 1]).is_err(), "it is not its turn");
    // Those that are there are served on.
    two.write_all(GET).unwrap();
    assert_eq!(answer(&mut two, HELLO_LEN), HELLO);
    drop(one);
    three.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(answer(&mut three, HELLO_LEN), HELLO);
}
