//! Clients that do not read, and many of them.

use super::{PING, Server, answer, ask, place, say, told};
use aqueduct::Pool;
use exchange::serve::Options;
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::Duration,
};

fn options(uring: bool) -> Options {
    let (pause, most) = (32 << 10, 64 << 10);
    Options { uring, pause, most, pool: Pool::new(), ..Options::default() }
}

/// Takes little until it is read; less than a segment, and it would be slow, too.
fn lazy(server: &Server) -> TcpStream {
    let socket = server.connect();
    rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 128 << 10).unwrap();
    socket
}

/// Trades `count` times with itself: buys and sells one unit.
fn trade(socket: &mut TcpStream, first: u64, count: u64) {
    let orders = (first..first + count).flat_map(|id| {
        [place(2 * id, 2 * id, 1, 0, 10, 5), place(2 * id + 1, 2 * id + 1, 2, 1, 10, 5)]
    });
    say(socket, &orders.collect::<Vec<_>>());
    // Two answers, and two fills.
    (0..4 * count).for_each(|_| assert_eq!(told(socket).0[1], 0));
}

/// More than systems hold for a socket.
const TRADES: u64 = 30_000;

#[test]
fn a_subscriber_that_does_not_read_is_dropped_and_nobody_waits_for_it() {
    for uring in [true, false] {
        let server = Server::new(options(uring));
        let (mut slow, mut fast, mut trader) = (lazy(&server), server.connect(), server.connect());
        for socket in [&mut slow, &mut fast] {
            say(socket, &[ask(6, 1)]);
            assert_eq!(answer(socket), (1, 0));
        }
        let reader = std::thread::spawn(move || {
            for number in 1..=TRADES {
                assert_eq!((told(&mut fast).1[2], number), (number, number));
            }
        });
        (0..TRADES / 100).for_each(|round| trade(&mut trader, 1 + round * 100, 100));
        reader.join().unwrap();
        // It finds out when it reads: what was on the way, and then no more.
        let mut bytes = vec![0; 1 << 16];
        let mut all = 0;
        loop {
            match slow.read(&mut bytes) {
                Ok(0) => break,
                Ok(count) => all += count,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(all < TRADES as usize * 64, "{all}");
        drop((slow, trader));
        assert_eq!(server.end().slow, 1);
    }
}

#[test]
fn who_does_not_read_his_answers_is_not_read_from_and_loses_nothing() {
    for uring in [true, false] {
        let server = Server::new(options(uring));
        let (mut lazy, mut other) = (lazy(&server), server.connect());
        lazy.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
        let pings: Vec<_> = (0..1024).map(|tag| ask(PING, tag)).collect();
        let mut sent = 0;
        // Some tens of megabytes at the most, which are the systems' own.
        while let Ok(count) = lazy.write(pings.as_flattened()) {
            sent += count;
            assert!(sent < 64 << 20, "it is read from for ever");
            if count < 64 * pings.len() {
                break;
            }
        }
        trade(&mut other, 1, 100);
        let held = server.pool.stats().peak_held_bytes;
        assert!(held < 16 << 20, "{held}");
        // It reads: all is answered, in order.
        for tag in 0..sent as u64 / 64 {
            assert_eq!(answer(&mut lazy), (tag % 1024, 0));
        }
        drop((lazy, other));
        assert_eq!(server.end().slow, 0);
    }
}

#[test]
fn a_maker_that_does_not_read_his_fills_is_dropped_too() {
    let server = Server::new(options(true));
    let (mut maker, mut taker) = (lazy(&server), server.connect());
    say(&mut maker, &[place(1, 1, 3, 1, 10, 100_000_000)]);
    assert_eq!(answer(&mut maker), (1, 0));
    for round in 0..300 {
        let orders: Vec<_> =
            (0..100).map(|nth| place(nth, 2 + nth + round * 100, 4, 0, 10, 1)).collect();
        say(&mut taker, &orders);
        (0..200).for_each(|_| assert_eq!(told(&mut taker).0[1], 0));
    }
    drop(taker);
    assert_eq!(server.end().slow, 1);
}

#[test]
fn a_thousand_connections_hold_no_block_while_they_wait() {
    for uring in [true, false] {
        let server = Server::new(options(uring));
        let mut sockets: Vec<_> = (0..1000).map(|_| server.connect()).collect();
        for round in 0..3 {
            for (id, socket) in (1..).zip(&mut sockets) {
                say(socket, &[place(id, id + 1000 * round, 1, 0, 10, 5)]);
            }
            for (id, socket) in (1..).zip(&mut sockets) {
                assert_eq!(answer(socket), (id, 0));
            }
        }
        // What the ring has, what is received into, and an answer whose block its reader is about to leave.
        let held = server.pool.outstanding();
        assert!(held <= 64 + 8, "{held}");
        drop(sockets);
        assert_eq!(server.end().connections, 1000);
    }
}

#[test]
fn connections_beyond_the_limit_wait() {
    let server = Server::new(Options { connections: 2, ..options(true) });
    let [mut one, mut two, mut three] = [(); 3].map(|()| server.connect());
    say(&mut three, &[ask(PING, 3)]);
    for socket in [&mut one, &mut two] {
        say(socket, &[ask(PING, 1)]);
        assert_eq!(answer(socket), (1, 0));
    }
    three.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(three.peek(&mut [0]).is_err());
    three.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    drop(one);
    assert_eq!(answer(&mut three), (3, 0));
    drop((two, three));
    server.end();
}
