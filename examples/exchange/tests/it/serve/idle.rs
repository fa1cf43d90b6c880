//! Clients that say nothing any more, or take nothing.

use super::{PING, Server, answer, ask, place, rest, say};
use aqueduct::Pool;
use exchange::serve::Options;
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::sleep,
    time::{Duration, Instant},
};

const IDLE: Duration = Duration::from_millis(200);
/// Of a machine under load.
const SOON: Duration = Duration::from_secs(10);

fn options(uring: bool) -> Options {
    Options { uring, idle: IDLE, pool: Pool::new(), ..Options::default() }
}

/// All that it is told until it is let go, which is not before its time.
fn let_go(socket: &mut TcpStream, since: Instant) -> Vec<u8> {
    let told = rest(socket);
    let took = since.elapsed();
    assert!((IDLE..SOON).contains(&took), "{took:?}");
    told
}

#[test]
fn who_says_nothing_is_let_go() {
    for uring in [true, false] {
        let server = Server::new(options(uring));
        let line = br#"{"type":"place","id":1,"#;
        for (says, answers) in [
            (&b""[..], 0),
            (&ask(PING, 1)[..1], 0),
            (&ask(PING, 1)[..], 64),
            (&ask(PING, 1).repeat(3)[..150], 128),
            (&ask(6, 1)[..], 64),
            (&line[..], 0),
        ] {
            let since = Instant::now();
            let mut socket = server.connect();
            socket.write_all(says).unwrap();
            assert_eq!(let_go(&mut socket, since).len(), answers, "{says:?}");
        }
        assert_eq!(server.end().idle, 6);
    }
}

#[test]
fn who_says_something_now_and_then_stays() {
    for uring in [true, false] {
        let server = Server::new(options(uring));
        let mut socket = server.connect();
        for tag in 0..12 {
            say(&mut socket, &[ask(PING, tag)]);
            assert_eq!(answer(&mut socket), (tag, 0));
            sleep(IDLE / 4);
        }
        drop(socket);
        assert_eq!(server.end().idle, 0);
    }
}

/// The answer hangs on the log: it is not the client who is late.
#[test]
fn who_waits_for_his_answer_is_not_idle() {
    let durable = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&durable);
    let server = Server::with(options(true), (), move || seen.load(Ordering::Relaxed));
    let mut socket = server.connect();
    say(&mut socket, &[place(1, 1, 1, 0, 10, 5)]);
    sleep(4 * IDLE);
    durable.store(1, Ordering::Relaxed);
    assert_eq!(answer(&mut socket), (1, 0));
    let_go(&mut socket, Instant::now() - IDLE);
    assert_eq!(server.end().idle, 1);
}

#[test]
fn who_takes_nothing_of_his_answers_is_dropped() {
    for uring in [true, false] {
        let server = Server::new(Options { write: IDLE, idle: SOON, ..options(uring) });
        let mut socket = server.connect();
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 4096).unwrap();
        socket.set_write_timeout(Some(IDLE / 4)).unwrap();
        let pings: Vec<_> = (0..1024).map(|tag| ask(PING, tag)).collect();
        while socket.write_all(pings.as_flattened()).is_ok() {}
        sleep(3 * IDLE);
        // It was not waited for: the end comes at once, behind what was on its way.
        let since = Instant::now();
        let mut bytes = vec![0; 1 << 16];
        loop {
            match socket.read(&mut bytes) {
                Ok(1..) => {}
                Ok(0) => break,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(since.elapsed() < SOON / 2);
        assert_eq!(server.end().slow, 1);
    }
}
