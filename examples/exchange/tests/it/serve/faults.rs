//! Calls of `exchange serve` to the system that fail, one after the other; a log whose disk fails; memory
//! that runs out.

use super::{PING, Server, answer, ask, killed::taken, place, program::Process, rest, say};
use aqueduct::Pool;
use aqueduct_testkit::{Faults, Traced, all_but, may_trace, scale};
use exchange::{Log, Order, serve::Options};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

const SERVER: [&str; 4] = [env!("CARGO_BIN_EXE_exchange"), "serve", "--listen", "127.0.0.1:0"];

fn faults() -> Option<Faults<'static>> {
    let says = [1, 2, 3].map(|tag| [ask(PING, tag), ask(PING, tag + 7)].concat());
    may_trace().then(|| Faults::new(&SERVER, &says, |_| ()))
}

#[test]
fn what_is_interrupted_or_not_ready_is_done_again() {
    let Some(faults) = faults() else { return };
    let again = [
        ("io_uring_enter", "EINTR"),
        ("io_uring_enter", "EAGAIN"),
        ("sendto", "EINTR"),
        ("sendto", "EAGAIN"),
        ("io_uring_enter", "EBUSY"),
        ("accept4", "EINTR"),
        ("epoll_wait", "EINTR"),
    ];
    faults.try_all(&again, 0);
}

#[test]
fn a_connection_that_fails_takes_no_other_with_it() {
    let Some(faults) = faults() else { return };
    let calls = [("sendto", "ECONNRESET"), ("epoll_ctl", "ENOSPC")];
    faults.try_all(&calls, 1);
}

/// It is only slower, goes another way, or waits until there are descriptors again.
#[test]
fn what_can_be_done_without_costs_no_client() {
    let Some(faults) = faults() else { return };
    let calls = [
        ("accept4", "EMFILE"),
        ("setsockopt", "EIO"),
        ("io_uring_setup", "ENOMEM"),
        ("io_uring_register", "ENOMEM"),
    ];
    faults.try_all(&calls, 0);
}

/// Orders of a client, numbered from `from` on, until it is told no more: as many as are acknowledged.
fn acknowledged(address: &str, from: u64) -> u64 {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
    let mut count = 0;
    for id in from..from + 40 {
        if socket.write_all(&place(id, id, 1 + id % 50, id % 2, 10, 1)).is_err() {
            break;
        }
        let mut frame = [0; 64];
        while frame[2] != 0x81 && socket.read_exact(&mut frame).is_ok() {}
        // Where the log takes no more, it is refused, or nothing is said of it.
        if frame[2..4] != [0x81, 0] {
            break;
        }
        count += 1;
    }
    count
}

/// A disk that is full, fails, or is interrupted: what was acknowledged is there after the next start.
#[test]
fn a_log_whose_disk_fails_keeps_what_was_acknowledged() {
    if !may_trace() {
        return;
    }
    let step = if scale(1) > 1 { 1 } else { 13 };
    for (call, error) in [
        ("pwrite64", "ENOSPC"),
        ("pwrite64", "EINTR"),
        ("pwrite64", "EIO"),
        ("fdatasync", "EIO"),
        ("fsync", "EIO"),
    ] {
        for k in (1..).step_by(step) {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
                .join(format!("serve-faults-{}-{call}-{error}", std::process::id()));
            let _ = std::fs::remove_dir_all(&folder);
            let server =
                [&SERVER[..], &["--log", folder.to_str().unwrap(), "--fsync", "each"]].concat();
            // One that cannot begin its log says so, and ends.
            let Some(traced) = Traced::start(&server, &format!("{call}:error={error}:when={k}"))
            else {
                continue;
            };
            let count = acknowledged(&traced.address, 1);
            if error == "EINTR" {
                assert_eq!(count, 40, "{call} {k}");
            }
            let failed = traced.kill();
            let process = Process::start(&server[4..]);
            let found = taken(&mut TcpStream::connect(process.address).unwrap());
            assert!(found >= count, "{call} {error} {k}: {found} of {count} are there");
            drop(process);
            std::fs::remove_dir_all(folder).unwrap();
            if failed == 0 {
                assert_eq!(count, 40);
                break;
            }
        }
    }
}

/// Answers for which there is no memory are not left out: the client reads those before them, and the end.
#[test]
fn an_answer_without_memory_is_the_end_of_its_connection() {
    const CLIENTS: usize = 8;
    const EACH: u64 = 4_000;
    let pool = Pool::builder().largest_block(1 << 16).hard_limit(300_000).build().unwrap();
    let server = Server::new(Options { uring: false, pool: pool.clone(), ..Options::default() });
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| server.connect()).collect();
    let pings: Vec<_> = (0..EACH).map(|tag| ask(PING, tag)).collect();
    for client in &mut clients {
        // Small, so that answers wait in the server.
        rustix::net::sockopt::set_socket_recv_buffer_size(&*client, 4096).unwrap();
        client.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let _ = client.write_all(pings.as_flattened());
        let _ = client.shutdown(Shutdown::Write);
    }
    let mut cut_off = 0;
    for mut client in clients {
        let mut told = Vec::new();
        rustix::net::sockopt::set_socket_recv_buffer_size(&client, 1 << 20).unwrap();
        let _reset = client.read_to_end(&mut told);
        let (frames, _) = told.as_chunks::<64>();
        for (tag, frame) in (0..).zip(frames) {
            let words = [frame[2..4].to_vec(), frame[8..16].to_vec()];
            assert_eq!(words, [vec![0x81, 0], u64::to_le_bytes(tag).to_vec()], "answer {tag}");
        }
        cut_off += usize::from((frames.len() as u64) < EACH);
    }
    assert!(cut_off > 0, "there was memory for all of them");
    let mut another = server.connect();
    say(&mut another, &[ask(PING, 7)]);
    assert_eq!(answer(&mut another), (7, 0));
    drop(another);
    server.end();
}

/// Keeps what is recorded.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Order>>>);

impl Log for Kept {
    fn record(&mut self, order: &Order) {
        self.0.lock().unwrap().push(*order);
    }

    fn rest(&mut self, _: bool) -> bool {
        true
    }
}

/// The best prices, what waits there, and the number of the last order.
fn book(server: &Server) -> Vec<u8> {
    let mut socket = server.connect();
    say(&mut socket, &[ask(5, 1)]);
    socket.shutdown(Shutdown::Write).unwrap();
    rest(&mut socket)
}

/// A pool that refuses at every block: a client is answered whole, or up to a point in whole frames; what it
/// asked is done all the same, once, in order; and the next is served.
#[test]
fn t02_a_front_whose_pool_refuses_the_kth_block() {
    const ORDERS: u64 = 40;
    for uring in [true, false] {
        let pool = Pool::builder().largest_block(1 << 16).hard_limit(2 << 20).build().unwrap();
        let log = Kept::default();
        let options = Options { uring, pool: pool.clone(), ..Options::default() };
        let server = Server::with(options, log.clone(), || u64::MAX);
        let mut cut_off = 0;
        for left in 0.. {
            let ids = left as u64 * ORDERS + 1..=(left as u64 + 1) * ORDERS;
            let orders = ids
                .clone()
                .map(|id| place(id, id, 1 + id % 50, id % 2, 10 + id % 3 * (id % 2), 1 + id % 4));
            let asks: Vec<_> = [ask(6, 0)].into_iter().chain(orders).collect();
            let mut client = server.connect();
            let held = all_but(left, || pool.try_get(256).ok());
            // Who is cut off may be so while it still says something: what is behind is not asked then.
            let _ = client.write_all(asks.as_flattened());
            let _ = client.shutdown(Shutdown::Write);
            let mut told = Vec::new();
            let _reset = client.read_to_end(&mut told);
            drop((held, client));
            let (frames, half) = told.as_chunks::<64>();
            assert!(half.is_empty(), "{left}: half a frame of {} bytes", half.len());
            let answers = frames.iter().filter(|frame| frame[2] == 0x81);
            let answered = answers.map(|frame| {
                assert_eq!(frame[3], 0, "refused");
                u64::from_le_bytes(frame[8..16].try_into().unwrap())
            });
            let answered: Vec<_> = answered.collect();
            let all: Vec<_> = [0].into_iter().chain(ids).collect();
            assert!(all.starts_with(&answered), "{left}: {answered:?}");
            let done: Vec<_> = log.0.lock().unwrap().iter().map(|order| order.id).collect();
            assert!(answered.iter().skip(1).all(|id| done.binary_search(id).is_ok()), "{left}");
            if answered == all {
                break;
            }
            cut_off += 1;
        }
        assert!(cut_off > 3, "{cut_off}");
        let orders = std::mem::take(&mut *log.0.lock().unwrap());
        assert_eq!(taken(&mut server.connect()), orders.len() as u64);
        assert!((1..).zip(&orders).all(|(seq, order)| order.seq == seq), "in order, each once");
        // What came of them is what comes of them where there is memory.
        let again = Server::with(Options { uring, ..Options::default() }, log, || u64::MAX);
        let mut client = again.connect();
        for Order { id, user, side, price, qty, .. } in orders {
            say(&mut client, &[place(id, id, user, side as u64, price, qty)]);
        }
        client.shutdown(Shutdown::Write).unwrap();
        rest(&mut client);
        let books = [&again, &server].map(book);
        assert!(books[0] == books[1] && books[0].len() > 64);
        server.end();
        again.end();
    }
}
