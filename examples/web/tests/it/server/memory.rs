//! A pool that refuses, at every block: who needs it is answered whole or cut off, and the next is served.

use super::{GET, MODES, Served, hello};
use aqueduct::{Pool, Slice};
use aqueduct_testkit::all_but;
use std::io::{Read, Write};
use web::{Options, Reply, Request};

const BLOCK: usize = 1 << 10;

fn service(request: &Request<'_>, reply: &mut Reply<'_>) {
    match request.path {
        "/echo" => reply.body(&request.body.as_bytes()),
        "/json" => reply.json(|out| out.write_all(&[b'1'; 9_000])),
        "/stream" => reply.stream((0..20).map(|_| Slice::from(vec![b's'; 3_000]))),
        _ => hello(request, reply),
    }
}

/// All that comes for these bytes, up to the end or the reset.
fn told(served: &Served, asked: &[u8]) -> Vec<u8> {
    let (mut socket, mut told) = (served.connect(), Vec::new());
    // Who is cut off may be so while he still says something.
    let _ = socket.write_all(asked);
    let _ = socket.shutdown(std::net::Shutdown::Write);
    let _ = socket.read_to_end(&mut told);
    crate::http::machine::undated(told)
}

#[test]
fn t02_a_server_whose_pool_refuses_the_kth_block() {
    let sized = b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 20000\r\n\r\n".as_slice();
    let chunked =
        b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n".as_slice();
    let (body, chunk) = ([b'e'; 20_000], [b"1f40\r\n", &[b'c'; 8_000][..], b"\r\n"].concat());
    let asks = [
        GET.to_vec(),
        [sized, &body].concat(),
        [chunked, &chunk, &chunk, b"0\r\n\r\n"].concat(),
        b"GET /json HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
    ];
    for mode in MODES {
        let pool = Pool::builder().largest_block(1 << 16).hard_limit(400_000).build().unwrap();
        let options = Options { mode, pool: pool.clone(), ..Options::default() };
        let served = Served::with(service, options);
        let usual = asks.each_ref().map(|asked| told(&served, asked));
        let mut refused = [0; 5];
        for left in 0.. {
            let mut all_whole = true;
            for (kind, asked) in asks.iter().enumerate() {
                let held = all_but(left, || pool.try_get(BLOCK).ok());
                let (told, usual) = (told(&served, asked), &usual[kind]);
                // An answer is sent when it is whole; a stream shows by its end that it is not.
                let fits = match kind {
                    4 => usual.starts_with(&told) && !told.ends_with(b"\r\n0\r\n\r\n"),
                    _ => told.is_empty(),
                };
                let failed = told.starts_with(b"HTTP/1.1 500 ")
                    && told.ends_with(b"\r\n\r\nInternal Server Error");
                assert!(told == *usual || fits || failed, "{left} {kind}: {}", told.escape_ascii());
                refused[kind] += usize::from(told != *usual);
                all_whole &= told == *usual;
                drop(held);
            }
            assert!(told(&served, GET) == usual[0], "{left}: the next is not served");
            if all_whole {
                break;
            }
        }
        assert!(refused.iter().all(|refused| *refused > 5), "{refused:?}");
    }
}
