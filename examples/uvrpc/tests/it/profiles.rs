//! What the three profiles change, and what adapts by itself.

use crate::{
    peer::{ANY, Served, patient, run, wait_for},
    raw::call,
    wire::{greeting, ready},
};
use aqueduct_testkit::pattern;
use std::{
    future::pending,
    io::{ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use uvrpc::{
    Address, Answer, Call, CallError, Client, Options, Payload, Profile, Reply, Services, await_all,
};

/// Each with its batch and its high-water mark, as the original has them.
const PROFILES: [(Profile, usize, usize); 3] = [
    (Profile::LowLatency, 1, 100),
    (Profile::Balanced, 10, 1000),
    (Profile::HighThroughput, 100, 10_000),
];

/// A server of these services on a Unix socket, and a peer that has greeted.
fn open(name: &str, services: Services, options: Options) -> (Served, UnixStream) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let served = Served::with(&format!("ipc://{}", path.display()), services, options);
    let mut socket = UnixStream::connect(path).unwrap();
    socket.write_all(&[greeting(), ready(b"DEALER", b"")].concat()).unwrap();
    let mut greeted = vec![0; 64 + ready(b"ROUTER", b"").len()];
    socket.read_exact(&mut greeted).unwrap();
    (served, socket)
}

/// Of two hundred calls that have come at once: how many replies have left when each is handled. A Unix
/// socket has them when they are sent.
#[test]
fn a_batch_is_what_is_sent_at_once() {
    const CALLS: usize = 200;
    for (profile, batch, _) in PROFILES {
        let peer = Arc::new(Mutex::new(None::<(UnixStream, usize)>));
        let left = Arc::new(Mutex::new(Vec::new()));
        let (theirs, seen) = (Arc::clone(&peer), Arc::clone(&left));
        let mut services = Services::new();
        let handler = move |_: Call<'_>| {
            if let Some((socket, bytes)) = &mut *theirs.lock().unwrap() {
                loop {
                    match socket.read(&mut [0; 4096]) {
                        Ok(count) => *bytes += count,
                        Err(error) => break assert_eq!(error.kind(), ErrorKind::WouldBlock),
                    }
                }
                seen.lock().unwrap().push(*bytes);
            }
            Reply::ok(None)
        };
        services.register("look", handler).unwrap();
        let (_served, mut socket) =
            open("batch.sock", services, Options { profile, ..Options::default() });
        let calls: Vec<u8> = (0..CALLS).flat_map(|_| call("look", 1, b"")).collect();
        let mine = socket.try_clone().unwrap();
        mine.set_nonblocking(true).unwrap();
        *peer.lock().unwrap() = Some((mine, 0));
        // Less than the room that is received into at once.
        assert!(calls.len() <= 4000, "{}", calls.len());
        socket.write_all(&calls).unwrap();
        wait_for(|| left.lock().unwrap().len() == CALLS);
        // An empty frame, and a frame of an array of four.
        const REPLY: usize = 2 + 2 + 5;
        let expected: Vec<_> = (0..CALLS).map(|at| at / batch * batch * REPLY).collect();
        assert_eq!(*left.lock().unwrap(), expected, "{profile:?}");
    }
}

/// A server takes as many calls that are not answered as the mark says, and no more; a client has as many
/// under way.
#[test]
fn the_high_water_mark_is_what_waits() {
    for (profile, _, mark) in PROFILES {
        let count = Arc::new(AtomicUsize::new(0));
        let (mine, mut services) = (Arc::clone(&count), Services::new());
        let never = move |_: Call<'_>| {
            mine.fetch_add(1, SeqCst);
            Answer::later(pending::<Reply>())
        };
        services.register("never", never).unwrap();
        let stop = std::time::Duration::from_millis(10);
        let options = Options { profile, stop, ..Options::default() };
        let (served, mut socket) = open("mark.sock", services, options.clone());
        socket.write_all(&call("never", 1, b"").repeat(mark + 100)).unwrap();
        wait_for(|| count.load(SeqCst) == mark);
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(count.load(SeqCst), mark, "{profile:?}");
        drop(served);
        run(async {
            let nobody: Address = "inproc://nobody is here".parse().unwrap();
            let client = Client::connect(nobody, Options { profile, ..patient() });
            let one = |_| client.begin("never", "", None);
            let calls: Vec<_> = (0..mark).map(|at| one(at).unwrap()).collect();
            assert_eq!(one(mark).unwrap_err(), CallError::Full, "{profile:?}");
            assert_eq!((calls.len(), client.stats().pending), (mark, mark));
        });
    }
}

/// The document's sixth point: a block is as large as what comes, and one of them serves many small messages.
#[test]
fn buffers_are_as_large_as_what_comes() {
    const CALLS: usize = 200;
    // The largest block that was got, and how many at most for each call.
    for (size, least, most, blocks) in [
        (50, 4 << 10, 9 << 10, 0.1),
        (1000, 4 << 10, 80 << 10, 0.2),
        (60_000, 64 << 10, 160 << 10, 3.0),
    ] {
        let served = Served::new(ANY, Options::default());
        run(async {
            let client = Client::connect(served.address.clone(), patient());
            let one = |at| client.begin("echo", "", Payload::from(pattern(size, at))).unwrap();
            for _ in 0..CALLS / 50 {
                for outcome in await_all((0..50).map(one).collect::<Vec<_>>()).await {
                    assert!(outcome.unwrap().is_ok());
                }
            }
        });
        let stats = served.pool.stats();
        let used = stats.classes().iter().filter(|class| class.gets > 0);
        let largest = used.map(|class| class.block_bytes).max().unwrap();
        println!("{size}: {} blocks of at most {largest} bytes for {CALLS} calls", stats.gets);
        assert!((least..=most).contains(&largest), "{largest} for {size}");
        assert!(stats.gets as f64 <= blocks * CALLS as f64, "{} for {size}", stats.gets);
    }
}
