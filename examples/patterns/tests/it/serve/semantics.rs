//! What HTTP says of methods, parts, ages and paths.

use std::fs::{File, Permissions, set_permissions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, UNIX_EPOCH};

use super::{Folder, Server, WAYS};

/// The heads and bodies of all answers to these requests, sent at once, in order. Bodies are as long as
/// their heads say, but for those that answer `HEAD`.
fn ask(server: &Server, requests: &[String]) -> Vec<(String, Vec<u8>)> {
    let mut socket = TcpStream::connect(server.address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(requests.concat().as_bytes()).unwrap();
    let mut answers = Vec::new();
    for request in requests {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let len = header(&head, "content-length").map_or(0, |len| len.trim().parse().unwrap());
        let mut body = vec![0; if request.starts_with("HEAD") { 0 } else { len }];
        socket.read_exact(&mut body).unwrap();
        answers.push((head, body));
    }
    answers
}

fn request(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: a\r\n{headers}\r\n")
}

fn get(path: &str, headers: &str) -> String {
    request("GET", path, headers)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(other, _)| *other == name).map(|(_, value)| value)
}

fn status(head: &str) -> u16 {
    head[9..12].parse().unwrap()
}

/// A file that was last changed half a second after the first second of 2001.
fn aged(folder: &Folder, name: &str, len: usize) -> Vec<u8> {
    let bytes = folder.file(name, len);
    let time = UNIX_EPOCH + Duration::from_millis(978_307_200_500);
    File::options().write(true).open(folder.0.join(name)).unwrap().set_modified(time).unwrap();
    bytes
}

const AGE: &str = "Mon, 01 Jan 2001 00:00:00 GMT";

#[test]
fn answers_come_in_order_whatever_is_asked_for() {
    let folder = Folder::new("order");
    let bytes = aged(&folder, "a.txt", 300_000);
    for way in WAYS {
        let server = Server::new(&folder.0, way);
        let requests = [
            get("/a.txt", ""),
            request("HEAD", "/a.txt", ""),
            get("/a.txt", "range: bytes=100000-299998\r\n"),
            get("/nothing", ""),
            get("/a.txt", "range: bytes=300000-\r\n"),
            request("HEAD", "/a.txt", "range: bytes=7-9\r\n"),
            get("/a.txt", &format!("if-modified-since: {AGE}\r\n")),
            request("POST", "/a.txt", "content-length: 3\r\n") + "abc",
            get("/a.txt", "range: bytes=-1\r\n"),
        ];
        let answers = ask(&server, &requests);
        let statuses: Vec<u16> = answers.iter().map(|(head, _)| status(head)).collect();
        assert_eq!(statuses, [200, 200, 206, 404, 416, 206, 304, 405, 206], "{way:?}");
        let bodies =
            [&bytes[..], b"", &bytes[100_000..299_999], b"", b"", b"", b"", b"", &bytes[299_999..]];
        for ((head, got), want) in answers.iter().zip(bodies) {
            assert!(got == want, "{way:?}: {head}");
        }
        let said = |at: usize, name| header(&answers[at].0, name);
        for at in [0, 1] {
            assert_eq!(said(at, "content-length"), Some("300000"));
            assert_eq!(said(at, "content-type"), Some("text/plain"));
            assert_eq!(said(at, "accept-ranges"), Some("bytes"));
            assert_eq!(said(at, "last-modified"), Some(AGE));
        }
        assert_eq!(said(2, "content-range"), Some("bytes 100000-299998/300000"));
        assert_eq!(said(4, "content-range"), Some("bytes */300000"));
        assert_eq!(
            (said(5, "content-length"), said(5, "content-range")),
            (Some("3"), Some("bytes 7-9/300000"))
        );
        assert_eq!(said(6, "last-modified"), Some(AGE));
        assert_eq!(said(7, "allow"), Some("GET, HEAD"));
    }
}

#[test]
fn what_a_client_has_is_not_sent_again() {
    let folder = Folder::new("ages");
    aged(&folder, "a", 10);
    let server = Server::new(&folder.0, WAYS[0]);
    for (headers, want) in [
        (format!("if-modified-since: {AGE}\r\n"), 304),
        ("if-modified-since: Mon, 01 Jan 2001 00:00:01 GMT\r\n".into(), 304),
        ("if-modified-since: Sun, 31 Dec 2000 23:59:59 GMT\r\n".into(), 200),
        // The two other forms that a date may have.
        ("if-modified-since: Monday, 01-Jan-01 00:00:00 GMT\r\n".into(), 304),
        ("if-modified-since: Mon Jan  1 00:00:00 2001\r\n".into(), 304),
        ("if-modified-since: yesterday\r\n".into(), 200),
        ("if-modified-since: \r\n".into(), 200),
        (format!("range: bytes=1-2\r\nif-range: {AGE}\r\n"), 206),
        ("range: bytes=1-2\r\nif-range: Mon, 01 Jan 2001 00:00:01 GMT\r\n".into(), 200),
        ("range: bytes=1-2\r\nif-range: Sun, 31 Dec 2000 23:59:59 GMT\r\n".into(), 200),
        ("range: bytes=1-2\r\nif-range: \"tag\"\r\n".into(), 200),
        ("range: bytes=1-2,4-5\r\n".into(), 200),
    ] {
        let answers = ask(&server, &[get("/a", &headers)]);
        assert_eq!(status(&answers[0].0), want, "{headers}");
    }
}

#[test]
fn files_of_no_age_that_can_be_told_are_served() {
    let folder = Folder::new("no-age");
    folder.file("a", 3);
    let file = File::options().write(true).open(folder.0.join("a")).unwrap();
    for time in
        [UNIX_EPOCH - Duration::from_secs(1), UNIX_EPOCH + Duration::from_secs(253_402_300_800)]
    {
        // Not every file system has such times.
        if file.set_modified(time).is_err() {
            continue;
        }
        let server = Server::new(&folder.0, WAYS[0]);
        let answers =
            ask(&server, &[get("/a", "if-modified-since: Mon, 01 Jan 2001 00:00:00 GMT\r\n")]);
        assert_eq!(status(&answers[0].0), 200, "{time:?}");
    }
}

#[test]
fn nothing_outside_the_root_is_served() {
    let folder = Folder::new("outside");
    folder.file("secret", 100);
    std::fs::create_dir(folder.0.join("root")).unwrap();
    folder.file("root/a", 5);
    folder.file("root/closed", 5);
    set_permissions(folder.0.join("root/closed"), Permissions::from_mode(0o000)).unwrap();
    std::os::unix::fs::symlink("../secret", folder.0.join("root/link")).unwrap();
    let server = Server::new(&folder.0.join("root"), WAYS[2]);
    for (path, want) in [
        ("/a", 200),
        ("/./a", 200),
        ("/../secret", 403),
        ("/..%2fsecret", 403),
        ("/%2e%2e/secret", 403),
        ("/a/../../secret", 403),
        ("/link", 403),
        ("/", 404),
        ("/b", 404),
        ("/a%00", 400),
        ("/%ff", 400),
        ("*", 400),
    ] {
        assert_eq!(status(&ask(&server, &[get(path, "")])[0].0), want, "{path}");
    }
    // Root may read everything.
    let closed = status(&ask(&server, &[get("/closed", "")])[0].0);
    let anybody = File::open(folder.0.join("root/closed")).is_ok();
    assert_eq!(closed, if anybody { 200 } else { 403 });
}
