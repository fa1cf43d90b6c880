//! Clients of every kind get their answers.

use super::{CLOSE, GET, HELLO, HELLO_LEN, MODES, Served, answer, hello, rest};
use crate::http::{differential::VALID, machine::tell, oracle::answers};
use std::io::Write;
use web::{Options, Reply, Request, Timeouts};

#[test]
fn one_after_the_other_and_the_last() {
    let server = Served::new(hello, Timeouts::default());
    let mut socket = server.connect();
    for _ in 0..3 {
        socket.write_all(GET).unwrap();
        assert_eq!(answer(&mut socket, HELLO_LEN), HELLO);
    }
    socket.write_all(CLOSE).unwrap();
    assert!(rest(&mut socket).contains("connection: close"));
}

/// Whole, in pieces, and all at once: what the oracle says.
#[test]
fn pipelined_and_byte_by_byte() {
    for mode in MODES {
        let server =
            Served::with(tell, Options { mode, pool: aqueduct::Pool::new(), ..Options::default() });
        let all = [VALID.concat().into_bytes(), CLOSE.to_vec()].concat();
        let want = String::from_utf8(answers(&all, 1 << 20).0).unwrap();
        assert_eq!(server.last(&all), want);
        let mut socket = server.connect();
        for byte in &all {
            socket.write_all(&[*byte]).unwrap();
        }
        assert_eq!(rest(&mut socket), want);
    }
}

/// A client that ends its side gets its answers all the same.
#[test]
fn a_client_that_has_said_all() {
    let server = Served::new(hello, Timeouts::default());
    let mut socket = server.connect();
    socket.write_all(&GET.repeat(2)).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(rest(&mut socket), HELLO.repeat(2));
}

/// It reads why, although it goes on sending: the answer is not lost with the connection.
#[test]
fn a_client_that_sends_too_much_reads_why() {
    let server = Served::new(hello, Timeouts::default());
    for _ in 0..20 {
        let mut socket = server.connect();
        socket.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9000000\r\n\r\n").unwrap();
        for _ in 0..20 {
            socket.write_all(&[b'x'; 20_000]).unwrap();
        }
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let out = rest(&mut socket);
        assert!(out.starts_with("HTTP/1.1 413 ") && out.ends_with("Large\"}"), "{out}");
    }
}

/// What was answered before is sent, and nobody else notices.
#[test]
fn a_stream_that_panics_takes_only_what_is_left_of_its_connection() {
    let service = |request: &Request<'_>, reply: &mut Reply<'_>| {
        if request.path == "/" {
            return reply.body(b"hello");
        }
        reply.stream((0..3).map(|i| match i {
            2 => panic!("on purpose"),
            _ => aqueduct::Slice::from_static(b"part"),
        }));
    };
    let server = Served::new(service, Timeouts::default());
    let mut other = server.connect();
    let stream = b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n";
    let said = server.last(&[GET, GET, stream, GET].concat());
    let begun = "HTTP/1.1 200 OK\r\ndate: D\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(said, HELLO.repeat(2) + begun + "4\r\npart\r\n4\r\npart\r\n");
    other.write_all(GET).unwrap();
    assert_eq!(answer(&mut other, HELLO_LEN), HELLO);
}
