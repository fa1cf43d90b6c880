//! What one connection may say, and how it ends.

use super::{PING, Server, answer, ask, frame, place, rest, say, told};
use aqueduct::Pool;
use exchange::{Log, Order, serve::Options};
use std::{
    io::{BufRead, BufReader, Write},
    net::{Shutdown, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

#[test]
fn t19_frames_and_lines_split_at_every_byte_over_a_socket() {
    const PINGED: &str = r#"{"type":"answer","tag":1,"request":"ping","id":0,"seq":0,"code":0}"#;
    for server in Server::both() {
        let (mut frames, mut lines) = (server.connect(), server.connect());
        let mut said = BufReader::new(lines.try_clone().unwrap()).lines();
        for cut in 1..64 {
            let id = cut as u64;
            let order = place(100 + id, id, 1, 0, 10, 5);
            // Whoever answers what is before the cut has seen what is there of it.
            frames.write_all(&[&ask(PING, 7)[..], &order[..cut]].concat()).unwrap();
            assert_eq!(answer(&mut frames), (7, 0));
            frames.write_all(&order[cut..]).unwrap();
            assert_eq!(answer(&mut frames), (100 + id, 0));
            let text = format!(r#"{{"type":"cancel","tag":{id},"id":{id},"user":1}}"#);
            let cut = cut.min(text.len() - 1);
            lines
                .write_all(format!("{{\"type\":\"ping\",\"tag\":1}}\n{}", &text[..cut]).as_bytes())
                .unwrap();
            assert_eq!(said.next().unwrap().unwrap(), PINGED);
            lines.write_all(format!("{}\n", &text[cut..]).as_bytes()).unwrap();
            let answer: serde_json::Value =
                serde_json::from_str(&said.next().unwrap().unwrap()).unwrap();
            assert_eq!((&answer["tag"], &answer["code"]), (&id.into(), &0.into()));
        }
        drop((frames, lines, said));
        assert_eq!(server.end().malformed, 0);
    }
}

/// Each kind of damage has its code, ends its own connection, and takes back nothing of what was before.
#[test]
fn t22_a_malformed_request_closes_its_own_connection_alone() {
    let damage = |at: usize, to: u8| {
        let mut frame = place(2, 2, 1, 0, 10, 5);
        frame[at] = to;
        frame
    };
    let cases = [
        (damage(0, 0x7b), 128),
        (damage(1, 2), 129),
        (damage(2, 0), 130),
        (damage(2, 10), 130),
        (damage(2, 0x81), 130),
        (damage(3, 2), 131),
        (damage(4, 2), 131),
        (damage(5, 9), 131),
        (damage(6, 1), 131),
        (frame([5, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 131),
        (damage(52, 1), 132),
        (damage(63, 1), 132),
    ];
    for server in Server::both() {
        let mut other = server.connect();
        for (nth, (bad, code)) in (1..).zip(cases) {
            let mut socket = server.connect();
            say(&mut socket, &[place(1, nth, 1, 0, 10, 5), bad, place(3, 1000 + nth, 1, 0, 10, 5)]);
            assert_eq!(answer(&mut socket), (1, 0));
            let ([what, found, ..], _) = told(&mut socket);
            assert_eq!((what, found), (0x85, code));
            assert_eq!(rest(&mut socket), b"");
            // What was accepted stays, what was behind never was.
            say(&mut other, &[frame([2, 0, 4, nth, 1, 0, 0, 0, 0, 0, 0])]);
            assert_eq!(answer(&mut other), (4, 0));
            say(&mut other, &[frame([2, 0, 5, 1000 + nth, 1, 0, 0, 0, 0, 0, 0])]);
            assert_eq!(answer(&mut other), (5, 8));
        }
        for (text, code) in
            [("{\n", 133), ("GET / HTTP/1.1\r\n", 133), ("{\"type\":\"depth\"}\n", 131)]
        {
            let mut socket = server.connect();
            socket.write_all(text.as_bytes()).unwrap();
            let told = String::from_utf8(rest(&mut socket)).unwrap();
            let told: serde_json::Value = serde_json::from_str(&told).unwrap();
            assert_eq!((&told["type"], &told["code"]), (&"error".into(), &code.into()));
        }
        drop(other);
        assert_eq!(server.end().malformed, cases.len() as u64 + 3);
    }
}

/// Who says that he is done hears all his answers; half a frame of his is nothing.
#[test]
fn an_end_in_the_middle_of_a_frame_is_an_end() {
    for server in Server::both() {
        let mut socket = server.connect();
        let orders: Vec<_> = (1..=100).map(|id| place(id, id, 1, 0, 10, 5)).collect();
        say(&mut socket, &orders);
        socket.write_all(&orders[0][..63]).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(&mut socket).len(), 64 * 100);
        server.end();
    }
}

#[test]
fn orders_of_one_client_are_answered_in_order_and_depth_sees_all_before_it() {
    for server in Server::both() {
        let mut socket = server.connect();
        let mut all = Vec::new();
        for id in 1..=50 {
            all.extend([place(id, id, 1, 0, 10, 5), ask(5, 100 + id), ask(PING, 200 + id)]);
        }
        say(&mut socket, &all);
        for id in 1..=50 {
            assert_eq!(answer(&mut socket), (id, 0));
            let (head, words) = told(&mut socket);
            assert_eq!((head, words), ([0x84, 0, 0, 1], [100 + id, 10, 5 * id, 0, 0, 0, id]));
            assert_eq!(answer(&mut socket), (200 + id, 0));
        }
        drop(socket);
        server.end();
    }
}

/// A log whose disk is slow, or full.
#[derive(Clone, Default)]
struct Slow {
    durable: Arc<AtomicU64>,
    full: Arc<AtomicBool>,
}

impl Log for Slow {
    fn record(&mut self, order: &Order) {
        assert!(order.seq > 0);
    }

    fn rest(&mut self, _: bool) -> bool {
        !self.full.load(Ordering::Relaxed)
    }
}

#[test]
fn nothing_is_answered_that_is_not_durable_and_a_full_log_refuses() {
    let log = Slow::default();
    let durable = Arc::clone(&log.durable);
    let options = Options { pool: Pool::new(), ..Options::default() };
    let server = Server::with(options, log.clone(), move || durable.load(Ordering::Relaxed));
    let [mut one, mut two] = [server.connect(), server.connect()];
    let mut feed = server.connect();
    say(&mut feed, &[ask(6, 1)]);
    assert_eq!(answer(&mut feed), (1, 0), "which no order is in the way of");
    say(&mut one, &[place(1, 1, 1, 0, 10, 5), place(2, 2, 2, 1, 10, 5)]);
    let silent = |socket: &TcpStream| {
        socket.set_read_timeout(Some(Duration::from_millis(150))).unwrap();
        let nothing = socket.peek(&mut [0]).is_err();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        nothing
    };
    assert!(silent(&one) && silent(&feed));
    say(&mut two, &[ask(PING, 3)]);
    assert_eq!(answer(&mut two), (3, 0), "others are not held up");
    log.durable.store(1, Ordering::Relaxed);
    assert!(silent(&one), "in order, and the second is not durable");
    log.full.store(true, Ordering::Relaxed);
    log.durable.store(2, Ordering::Relaxed);
    assert_eq!((answer(&mut one), answer(&mut one)), ((1, 0), (2, 0)));
    assert_eq!((told(&mut one).0[0], told(&mut one).0[0]), (0x82, 0x82));
    assert_eq!(told(&mut feed).0, [0x83, 0, 1, 0]);
    // What the log takes no more is refused at once; nothing is asked of the disk for that.
    say(&mut two, &[place(4, 4, 1, 0, 10, 5), ask(5, 5)]);
    assert_eq!(answer(&mut two), (4, 10));
    assert_eq!(told(&mut two).1, [5, 0, 0, 0, 0, 0, 2]);
    log.full.store(false, Ordering::Relaxed);
    log.durable.store(u64::MAX, Ordering::Relaxed);
    say(&mut two, &[ask(PING, 6), place(7, 4, 1, 0, 10, 5)]);
    assert_eq!(answer(&mut two), (6, 0));
    answer(&mut two);
    drop((one, two, feed));
    server.end();
}
