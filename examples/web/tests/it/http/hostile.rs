//! Clients that lie, smuggle, or send too much.

use super::machine::{converse, tell};
use std::time::{Duration, Instant};
use web::{Mode, Options};

/// The status that the bytes are refused with. Nothing behind them is answered, nor within them.
fn refused(bytes: &[u8]) -> u16 {
    for mode in [Mode::ZeroCopy, Mode::Copying] {
        let options = Options { mode, ..Options::default() };
        let (whole, over) = converse([bytes], &tell, &options, 4096);
        assert!(over, "{}: {}", bytes.escape_ascii(), whole.escape_ascii());
        let follower = [bytes, b"GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n"].concat();
        for step in [1, 5, follower.len()] {
            let (got, over) = converse(follower.chunks(step), &tell, &options, 200);
            assert!(over && got == whole, "{}: {}", bytes.escape_ascii(), got.escape_ascii());
        }
    }
    let (got, _) = converse([bytes], &tell, &Options::default(), 4096);
    let text = String::from_utf8(got).unwrap();
    let text = text.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&text);
    assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
    assert!(
        text.contains("\r\nconnection: close\r\n") && text.contains("{\"detail\":\""),
        "{text}"
    );
    text[9..12].parse().unwrap()
}

fn with(headers: &str) -> String {
    format!("POST /x HTTP/1.1\r\nhost: a\r\n{headers}\r\n")
}

#[test]
fn t22_lengths_that_could_be_read_in_two_ways_are_refused() {
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        "content-length: 5\r\ncontent-length: 6\r\n",
        "content-length: 5\r\nContent-Length: 5\r\n",
        "content-length: 5, 5\r\n",
        "content-length: 5 5\r\n",
        "content-length: +5\r\n",
        "content-length: -5\r\n",
        "content-length: 0x5\r\n",
        "content-length: 5.0\r\n",
        "content-length: \r\n",
        "content-length: \u{665}\r\n",
        "content-length: 18446744073709551616\r\n",
        "content-length: 18446744073709551621\r\n",
        "transfer-encoding: chunked, chunked\r\n",
        "transfer-encoding: gzip, chunked\r\n",
        "transfer-encoding: chunked, identity\r\n",
        "transfer-encoding: identity\r\n",
        "transfer-encoding: xchunked\r\n",
        "transfer-encoding: \"chunked\"\r\n",
        "transfer-encoding: chunked;q=1\r\n",
        "transfer-encoding: \u{b}chunked\r\n",
        "transfer-encoding:\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    ] {
        assert_eq!(refused(with(headers).as_bytes()), 400, "{headers}");
    }
    let old = b"POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(refused(old), 400);
}

#[test]
fn t22_heads_that_could_be_read_in_two_ways_are_refused() {
    for headers in [
        "content-length : 5\r\n",
        "content-length\t: 5\r\n",
        " content-length: 5\r\n",
        "x: a\r\n content-length: 5\r\n",
        "x: a\r\n\tb\r\n",
        "x: a\ncontent-length: 5\r\n",
        "x: a\rcontent-length: 5\r\n",
        "x: a\r\r\n",
        "x: a\0b\r\n",
        "x\0: a\r\n",
        "x\u{7f}y: a\r\n",
        "no colon\r\n",
        ": no name\r\n",
        "host: b\r\n",
    ] {
        assert_eq!(refused(with(headers).as_bytes()), 400, "{headers:?}");
    }
    for head in [
        "GET / HTTP/1.1\nhost: a\n\n",
        "GET / HTTP/1.1\r\nhost: a\r\n\n",
        "GET / HTTP/1.1\r\nhost: a\n\r\n",
        "\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /  HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /\tHTTP/1.1\r\nhost: a\r\n\r\n",
        " GET / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nhost: a\r\n\r\n",
        "GET / http/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/11\r\nhost: a\r\n\r\n",
        "GET /\r\nhost: a\r\n\r\n",
        "GET relative HTTP/1.1\r\nhost: a\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n",
        "G@T / HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "hello\r\n\r\n",
    ] {
        assert_eq!(refused(head.as_bytes()), 400, "{head:?}");
    }
    for version in ["2.0", "1.2", "0.9", "3.0"] {
        let head = format!("GET / HTTP/{version}\r\nhost: a\r\n\r\n");
        assert_eq!(refused(head.as_bytes()), 505, "{head:?}");
    }
    assert_eq!(refused(with("expect: the unexpected\r\n").as_bytes()), 417);
}

#[test]
fn t22_chunks_that_could_be_read_in_two_ways_are_refused() {
    for chunks in [
        "\r\nabc",
        " 3\r\nabc",
        "3 \r\nabc",
        "+3\r\nabc",
        "-3\r\nabc",
        "0x3\r\nabc",
        "g\r\nabc",
        "3\nabc",
        "3\r\nabcX\r\n",
        "3\r\nabcX\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc\rX",
        "3;a\nb\r\nabc",
        "3;a\rb",
        "3;\0\r\nabc",
        ";\r\n",
        "10000000000000003\r\nabc",
        "00000000000000003\r\nabc",
        "0\n\r\n",
        "0\r\n\n",
        "0\r\nt: 1\n\r\n",
        "0\r\n t: 1\r\n\r\n",
        "0\r\nt : 1\r\n\r\n",
        "0\r\nnone\r\n\r\n",
    ] {
        let request = with("transfer-encoding: chunked\r\n") + chunks;
        assert_eq!(refused(request.as_bytes()), 400, "{chunks:?}");
    }
    let request =
        with("transfer-encoding: chunked\r\n") + "1;" + &"e".repeat((16 << 10) + 1) + "\r\n";
    assert_eq!(refused(request.as_bytes()), 400);
}

#[test]
fn what_is_too_large_is_refused_before_it_is_received() {
    let length = |length: &str| with(&format!("content-length: {length}\r\n"));
    assert_eq!(refused(length("1048577").as_bytes()), 413);
    assert_eq!(refused(length("9223372036854775808").as_bytes()), 413);
    let expecting = with("expect: 100-continue\r\ncontent-length: 1048577\r\n");
    assert_eq!(refused(expecting.as_bytes()), 413);
    let chunk = |size: &str| with("transfer-encoding: chunked\r\n") + size + "\r\n";
    assert_eq!(refused(chunk("100001").as_bytes()), 413);
    assert_eq!(refused(chunk("3\r\nabc\r\nffffe").as_bytes()), 413);
    assert_eq!(refused(chunk("ffffffffffffffff").as_bytes()), 413);
    let large = with(&format!("x: {}\r\n", "y".repeat(16 << 10)));
    assert_eq!(refused(large.as_bytes()), 431);
    assert_eq!(refused(&[b'G'; 16 << 10]), 431);
    assert_eq!(refused(with(&"x: y\r\n".repeat(100)).as_bytes()), 431);
    let trailers = chunk("0") + &"t: u\r\n".repeat(17) + "\r\n";
    assert_eq!(refused(trailers.as_bytes()), 431);
    let trailers = chunk("0") + "t: " + &"u".repeat(16 << 10);
    assert_eq!(refused(trailers.as_bytes()), 431);
}

#[test]
fn what_just_fits_is_answered() {
    let options = Options::default();
    let answered = |request: &str, step: usize| {
        let (out, over) = converse(request.as_bytes().chunks(step), &tell, &options, 4096);
        assert!(out.starts_with(b"HTTP/1.1 200 OK\r\n") && !over, "{}", out[..60].escape_ascii());
    };
    let fill = (16 << 10) - with("x: \r\n").len();
    for step in [1, 4095, 1 << 20] {
        answered(&with(&format!("x: {}\r\n", "y".repeat(fill))), step);
        answered(&with(&"x: y\r\n".repeat(99)), step);
    }
    let body = "b".repeat(1 << 20);
    answered(&(with("content-length: 1048576\r\n") + &body), 60_000);
    let chunks = format!("100000\r\n{body}\r\n0\r\n{}\r\n", "t: u\r\n".repeat(16));
    answered(&(with("transfer-encoding: chunked\r\n") + &chunks), 60_000);
}

/// A megabyte in a million chunks, and a head byte by byte: time grows with the bytes.
#[test]
fn t21_many_small_pieces_take_time_in_proportion() {
    let took = |count: usize, step: usize| {
        let request =
            with("transfer-encoding: chunked\r\n") + &"1\r\nx\r\n".repeat(count) + "0\r\n\r\n";
        let start = Instant::now();
        let pieces = request.as_bytes().chunks(step);
        let (out, over) = converse(pieces, &tell, &Options::default(), 65_536);
        assert!(!over && out.len() > count);
        start.elapsed()
    };
    took(100_000, 65_536); // warm
    let (few, many) = (took(100_000, 65_536), took(1_000_000, 65_536));
    assert!(many < few * 40 + Duration::from_secs(1), "{few:?}, ten times as much {many:?}");
    assert!(took(20_000, 1) < Duration::from_secs(10));
}
