//! Files that get shorter while they are served.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::{Folder, Server, WAYS, Way};

/// More than any socket takes at once.
const LEN: u64 = 256 << 20;

#[test]
fn t14_a_file_that_is_cut_ends_its_connection_and_nothing_else() {
    let folder = Folder::new("cut");
    let other = folder.file("other", 1000);
    for way in WAYS {
        let server = Server::new(&folder.0, way);
        for left in [0, 1, 4096, LEN / 2, LEN - 1] {
            File::create(folder.0.join("cut")).unwrap().set_len(LEN).unwrap();
            let mut socket = TcpStream::connect(server.address).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            socket.write_all(b"GET /cut HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
            // The head is there, so the file is open; most of it waits for this client.
            let mut got = [0; 1000];
            socket.read_exact(&mut got).unwrap();
            let file = File::options().write(true).open(folder.0.join("cut")).unwrap();
            file.set_len(left).unwrap();
            let mut rest = Vec::new();
            // It may end with a reset.
            let _ = socket.read_to_end(&mut rest);
            let head = got.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
            let sent = (got.len() - head + rest.len()) as u64;
            assert!(sent < LEN || way == Way::ReadAll, "{way:?} {left}: {sent} bytes");
        }
        let mut socket = TcpStream::connect(server.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let close = b"GET /other HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        socket.write_all(close).unwrap();
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).unwrap();
        assert!(answer.ends_with(&other), "{way:?}");
    }
}
