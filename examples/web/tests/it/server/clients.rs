//! Clients of every kind get their answers.

use super::{CLOSE, GET, HELLO, HELLO_LEN, MODES, Served, answer, hello, rest};
use crate::http::{differential::VALID, machine::tell, oracle::answers};
use aqueduct_testkit::skip;
use std::{io::Write, process::Command};
use web::{Options, Timeouts};

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

fn have(program: &str, arguments: &[&str]) -> Option<String> {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        skip(&format!("{program} is not installed"));
        return None;
    };
    let (out, err) = (output.stdout, output.stderr);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&err));
    Some(String::from_utf8(out).unwrap())
}

#[test]
fn curl() {
    let server = Served::new(tell, Timeouts::default());
    let url = format!("http://{}/a?b=c", server.address);
    let Some(got) = have("curl", &["-sS", &url, &url]) else { return };
    assert_eq!(got.matches("GET /a b=c\n").count(), 2, "{got}");
    let body = "x".repeat(5000);
    // Beyond a kibibyte it asks for leave first.
    let post = ["-sS", "-H", "Expect: 100-continue", "--data-binary", &body, &url];
    let got = have("curl", &post).unwrap();
    assert!(got.starts_with("POST /a b=c\n") && got.ends_with(&body), "{got}");
    let chunked = ["-sS", "-H", "Transfer-Encoding: chunked", "-d", "in chunks", &url];
    assert!(have("curl", &chunked).unwrap().ends_with("\nin chunks"));
    let old = have("curl", &["-sS", "-0", "-i", &url]).unwrap();
    assert!(old.starts_with("HTTP/1.1 200 OK\r\n") && old.contains("connection: close"), "{old}");
    let head = have("curl", &["-sS", "-I", &url]).unwrap();
    assert!(head.contains("content-type: text/plain\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

const CLIENT: &str = r#"
import http.client, sys
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
for i in range(3):
    c.request("GET", "/p?%d" % i)
    r = c.getresponse()
    assert r.status == 200 and r.getheader("content-type") == "text/plain", r.status
    assert r.read().startswith(b"GET /p %d\n" % i)
c.request("POST", "/p", body=b"y" * 70000)
assert c.getresponse().read().endswith(b"y" * 70000)
c.request("POST", "/p", body=iter([b"one ", b"two"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
assert c.getresponse().read().endswith(b"\none two")
c.request("HEAD", "/p")
r = c.getresponse()
assert r.read() == b"" and int(r.getheader("content-length")) > 0
c.request("POST", "/p", headers={"Content-Length": "x"})
r = c.getresponse()
assert (r.status, r.read()) == (400, b'{"detail":"Bad Request"}')
print("fine")
"#;

#[test]
fn pythons_http_client() {
    let server = Served::new(tell, Timeouts::default());
    let port = server.address.port().to_string();
    if let Some(got) = have("python3", &["-c", CLIENT, &port]) {
        assert_eq!(got, "fine\n");
    }
}
