//! Sockets that wait by themselves, for so long: what blocks ends when they do, as std's reads and writes
//! do, and goes on when it is called again.

use crate::{
    refuted::in_time,
    sides::{Kind, ends, file_of, unnamed},
};
use aqueduct_os::{Call, Method, Transfer, TransferError, relay, write_all_vectored};
use aqueduct_testkit::pattern;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use std::{
    fs::File,
    io::{self, ErrorKind, Read, Write},
    os::fd::{AsFd, OwnedFd},
    thread::{self, JoinHandle},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_millis(50);
/// More than sockets hold of which nobody reads.
const MUCH: u64 = 64 << 20;

fn with_timeout(fd: OwnedFd, which: Timeout) -> OwnedFd {
    set_socket_timeout(&fd, which, Some(PATIENCE)).unwrap();
    fd
}

fn drained(from: OwnedFd) -> JoinHandle<u64> {
    thread::spawn(move || io::copy(&mut File::from(from), &mut io::sink()).unwrap())
}

fn is_time_up(error: &TransferError) -> bool {
    matches!(error.error().kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[test]
fn who_takes_nothing_in_time_is_an_error() {
    for kind in [Kind::Unix, Kind::Tcp] {
        for method in [Method::SendFile, Method::ThroughBlock, Method::ThroughPipe] {
            let (peer, to) = ends(kind);
            let to = with_timeout(to, Timeout::Send);
            let from = unnamed();
            from.set_len(MUCH).unwrap();
            let ended = in_time(move || {
                let mut sending = Transfer::by(method, MUCH).from_offset(0);
                (sending.run(&from, &to).unwrap_err(), sending, from, to)
            });
            let (error, mut sending, from, to) =
                ended.unwrap_or_else(|| panic!("{kind:?} {method:?} waits for ever"));
            assert!(is_time_up(&error) && error.done() == sending.done(), "{error}");
            match method {
                Method::SendFile => assert_eq!(error.call(), Call::SendFile),
                Method::ThroughBlock => assert_eq!(error.call(), Call::Write),
                _ => {}
            }
            let arrivals = drained(peer);
            assert_eq!(sending.run(&from, &to).unwrap().bytes, MUCH, "{kind:?} {method:?}");
            drop(to);
            assert_eq!(arrivals.join().unwrap(), MUCH, "{kind:?} {method:?}");
        }
    }
}

#[test]
fn who_takes_no_pieces_in_time_is_an_error() {
    for kind in [Kind::Unix, Kind::Tcp] {
        let (peer, to) = ends(kind);
        let to = with_timeout(to, Timeout::Send);
        let ended = in_time(move || {
            let pieces = (0..MUCH >> 16).map(|_| &[7; 1 << 16][..]);
            let mut writing = write_all_vectored(pieces);
            (writing.run(&to).unwrap_err(), writing, to)
        });
        let (error, mut writing, to) = ended.expect("it waits for ever");
        assert!(is_time_up(&error) && error.call() == Call::Writev, "{error}");
        let arrivals = drained(peer);
        assert_eq!(writing.run(&to).unwrap(), MUCH);
        drop(to);
        assert_eq!(arrivals.join().unwrap(), MUCH);
    }
}

#[test]
fn who_gives_nothing_in_time_is_an_error() {
    for kind in [Kind::Unix, Kind::Tcp] {
        for method in [Method::ThroughPipe, Method::ThroughBlock] {
            let (from, peer) = ends(kind);
            let from = with_timeout(from, Timeout::Recv);
            let to = unnamed();
            let ended = in_time(move || {
                let mut receiving = Transfer::by(method, None);
                (receiving.run(&from, &to).unwrap_err(), receiving, from, to)
            });
            let (error, mut receiving, from, to) =
                ended.unwrap_or_else(|| panic!("{kind:?} {method:?} waits for ever"));
            assert!(is_time_up(&error) && error.done() == 0, "{error}");
            File::from(peer).write_all(b"late").unwrap();
            assert_eq!(receiving.run(&from, &to).unwrap().bytes, 4, "{kind:?} {method:?}");
        }
    }
}

/// A pipe waits for ever, on whichever side of it a socket does not.
#[test]
fn a_pipe_beside_such_a_socket_is_waited_for() {
    let (exit, mut entry) = io::pipe().unwrap();
    let (peer, to) = ends(Kind::Tcp);
    let to = with_timeout(to, Timeout::Send);
    let late = thread::spawn(move || {
        thread::sleep(3 * PATIENCE);
        entry.write_all(b"late").unwrap();
    });
    assert_eq!(Transfer::by(Method::Splice, None).run(&exit, &to).unwrap().bytes, 4);
    late.join().unwrap();
    drop((peer, to));
}

/// To what does not wait by itself a timeout means nothing, to std neither: it is waited for.
#[test]
fn what_does_not_block_is_waited_for() {
    for method in [Method::SendFile, Method::ThroughBlock, Method::ThroughPipe] {
        let (peer, to) = ends(Kind::Unix);
        let to = with_timeout(to, Timeout::Send);
        crate::sides::nonblocking(&to);
        let bytes = pattern(1 << 20, 1);
        let (from, len) = (file_of(&bytes), bytes.len());
        let reading = thread::spawn(move || {
            thread::sleep(3 * PATIENCE);
            let mut got = vec![0; len];
            File::from(peer).read_exact(&mut got).unwrap();
            got
        });
        let done = Transfer::by(method, None).from_offset(0).run(&from, to.as_fd()).unwrap();
        assert_eq!(done.bytes, len as u64, "{method:?}");
        assert!(reading.join().unwrap() == bytes);
    }
    let (from, peer) = ends(Kind::Tcp);
    let from = with_timeout(from, Timeout::Recv);
    crate::sides::nonblocking(&from);
    let late = thread::spawn(move || {
        thread::sleep(3 * PATIENCE);
        File::from(peer).write_all(b"late").unwrap();
    });
    assert_eq!(relay().run(&from, unnamed()).unwrap().bytes, 4);
    late.join().unwrap();
}
