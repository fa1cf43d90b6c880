//! A client by hand, that says what it likes.

use crate::{
    peer::{PATIENCE, Served},
    wire::{envelope, greeting, ready},
};
use aqueduct::SequenceRef;
use std::{
    borrow::Cow,
    io::{Read, Write},
    net::TcpStream,
};
use uvrpc::{
    Address,
    envelope::{CallHead, Head, ReplyHead},
};

pub fn connect(served: &Served) -> TcpStream {
    let Address::Tcp(at) = &served.address else { panic!("a tcp server") };
    let socket = TcpStream::connect(at).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_nodelay(true).unwrap();
    socket
}

/// One that has greeted and was greeted.
pub fn opened(served: &Served) -> TcpStream {
    let mut socket = connect(served);
    socket.write_all(&[greeting(), ready(b"DEALER", b"")].concat()).unwrap();
    greeted(&mut socket);
    socket
}

pub fn echo(id: u32, data: &[u8]) -> Vec<u8> {
    call("echo", id, data)
}

pub fn call(service: &str, id: u32, data: &[u8]) -> Vec<u8> {
    let (service, method) = (Cow::Borrowed(service), Cow::Borrowed("m"));
    let head = CallHead { id, service, method, data: Some(data.len()) };
    let mut bytes = vec![0; head.size()];
    head.write(&mut bytes);
    bytes.extend(data);
    envelope(&bytes)
}

/// Reads the server's greeting and READY.
pub fn greeted(socket: &mut TcpStream) {
    let mut said = [0; 64];
    socket.read_exact(&mut said).unwrap();
    assert_eq!(said, *greeting());
    assert_eq!(read_frame(socket), (4, ready(b"ROUTER", b"")[2..].to_vec()));
}

pub fn read_frame(socket: &mut TcpStream) -> (u8, Vec<u8>) {
    let mut flags = [0];
    socket.read_exact(&mut flags).unwrap();
    let mut len = vec![0; if flags[0] & 2 == 0 { 1 } else { 8 }];
    socket.read_exact(&mut len).unwrap();
    let len = len.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    let mut body = vec![0; len];
    socket.read_exact(&mut body).unwrap();
    (flags[0] & !2, body)
}

/// The id and the data of the next reply.
pub fn reply(socket: &mut TcpStream) -> (u32, Vec<u8>) {
    assert_eq!(read_frame(socket), (1, Vec::new()));
    let (flags, body) = read_frame(socket);
    let head = ReplyHead::read(SequenceRef::from(&body[..])).unwrap();
    assert_eq!((flags, head.status), (0, 0));
    (head.id, body[body.len() - head.data.unwrap()..].to_vec())
}
