//! What a rude peer costs.

use crate::{
    peer::{ANY, PATIENCE, Served, patient, run, wait_for},
    raw::{call, echo, opened, read_frame, reply},
    wire::{frame, greeting, ready},
};
use aqueduct_testkit::pattern;
use std::{
    io::{ErrorKind, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use uvrpc::{Call, Client, Options, Payload, Profile, Reply, Services, await_all};

/// A frame that claims its 8 MiB and comes in pieces of one byte: no piece costs a block.
#[test]
fn t18_a_large_frame_in_small_pieces_costs_what_has_come_of_it() {
    const PIECES: usize = 500;
    let served = Served::new(ANY, Options::default());
    let mut socket = opened(&served);
    let head = [&[1, 0, 2][..], &(8_u64 << 20).to_be_bytes()].concat();
    socket.write_all(&head).unwrap();
    let before = served.pool.stats().held_bytes;
    for _ in 0..PIECES {
        socket.write_all(b"7").unwrap();
        std::thread::sleep(Duration::from_micros(300));
    }
    let held = served.pool.stats().peak_held_bytes - before;
    assert!(held <= 64 << 10, "{held} bytes for {PIECES}");
}

/// A client whose replies keep large blocks alive, each by a few bytes, and who does not take them.
#[test]
fn replies_that_wait_pin_no_more_than_is_allowed() {
    const SIZE: usize = 10_000;
    let profile = Profile::HighThroughput;
    let count = Arc::new(AtomicUsize::new(0));
    let (mine, mut services) = (Arc::clone(&count), Services::new());
    let echo = move |call: Call<'_>| {
        mine.fetch_add(1, SeqCst);
        Reply::ok(call.data)
    };
    services.register("echo", echo).unwrap();
    let served = Served::with(ANY, services, Options { profile, ..Options::default() });
    let rude = || {
        let socket = opened(&served);
        socket.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        socket
    };
    // As many replies as the system's buffers and what may wait have room for.
    let (large, mut first) = (echo_call(&[7; SIZE]), rude());
    while first.write_all(&large).is_ok() {}
    drop(first);
    wait_for(|| served.pool.outstanding() == 0);
    // So that a few wait, and then few bytes of replies for each block.
    let mut second = rude();
    let system = count.load(SeqCst) - (1 << 20) / SIZE;
    for _ in 0..system + 20 {
        second.write_all(&large).unwrap();
    }
    let filler = frame(4, &[&b"\x09SUBSCRIBE"[..], &[7; 8000]].concat());
    let bytes = [echo_call(&[7; 30]), filler.repeat(8)].concat();
    let (mut sent, before) = (0, served.pool.stats().peak_held_bytes);
    while sent < 300 << 20 && second.write_all(&bytes).is_ok() {
        sent += bytes.len();
    }
    let held = served.pool.stats().peak_held_bytes;
    assert!(held < 32 << 20, "{before} bytes, and {held} after {sent}");
    assert!(sent < 300 << 20, "it goes on listening");
}

fn echo_call(data: &[u8]) -> Vec<u8> {
    call("echo", 1, data)
}

/// A server that asks for PONGs and does not take them.
#[test]
fn pongs_that_nobody_takes_do_not_heap_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        socket.write_all(&[greeting(), ready(b"ROUTER", b"")].concat()).unwrap();
        let pings = frame(4, b"\x04PING\0\0sixteen bytes...").repeat(2000);
        for _ in 0..400 {
            socket.write_all(&pings).unwrap();
        }
        // It still listens.
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut all = vec![0; 1 << 20];
        assert!(socket.read(&mut all).unwrap() > 0);
    });
    run(async {
        let pool = aqueduct::Pool::new();
        let client =
            Client::connect(address.parse().unwrap(), Options { pool: pool.clone(), ..patient() });
        tokio::task::spawn_blocking(move || server.join().unwrap()).await.unwrap();
        let held = pool.stats().peak_held_bytes;
        assert!(held < 4 << 20, "{held} bytes of PONGs");
        drop(client);
    });
}

/// While a server waits for its own handlers, and so does not listen, it says nothing about the peer that
/// nothing is heard of it.
#[test]
fn a_server_that_does_not_listen_does_not_take_that_for_silence() {
    let (profile, heartbeat) = (Profile::LowLatency, Duration::from_millis(50));
    let served = Served::new(ANY, Options { profile, heartbeat, ..Options::default() });
    run(async {
        let client = Client::connect(served.address.clone(), Options { profile, ..patient() });
        let slow = || client.begin("slow", "", Payload::from(b"400")).unwrap();
        let calls: Vec<_> = (0..100).map(|_| slow()).collect();
        for outcome in await_all(calls).await {
            outcome.unwrap();
        }
        assert_eq!(client.stats().connections, 1);
    });
}

/// A server that greets and hangs up is not called on without a pause.
#[test]
fn a_server_that_hangs_up_at_once_is_left_in_peace_for_a_while() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let _ = socket.write_all(&[greeting(), ready(b"ROUTER", b"")].concat());
            let mut said = [0; 64];
            let _ = socket.read_exact(&mut said);
        }
    });
    run(async {
        let client = Client::connect(address.parse().unwrap(), patient());
        tokio::time::sleep(Duration::from_millis(500)).await;
        let connections = client.stats().connections;
        assert!((2..60).contains(&connections), "{connections} connections in half a second");
    });
}

/// What claims more than any envelope has is no envelope; what is only too large is refused at its head.
#[test]
fn too_large_is_answered_before_it_has_come() {
    let served = Served::new(ANY, Options { largest: 1000, ..Options::default() });
    let mut socket = opened(&served);
    let large = call("echo", 12, &pattern(200_000, 1));
    socket.write_all(&large[..100]).unwrap();
    assert_eq!(read_frame(&mut socket), (1, Vec::new()));
    assert_eq!(read_frame(&mut socket).1, b"\x94\x0c\xfe\xb1Message too large\xc0");
    // The rest is passed over, and the connection goes on.
    socket.write_all(&large[100..]).unwrap();
    socket.write_all(&echo(13, b"after")).unwrap();
    assert_eq!(reply(&mut socket), (13, b"after".to_vec()));
    socket.write_all(&[&[1, 0, 2][..], &(1_u64 << 40).to_be_bytes(), &[7; 100]].concat()).unwrap();
    match socket.read(&mut [0]) {
        Ok(0) => {}
        other => assert_eq!(other.unwrap_err().kind(), ErrorKind::ConnectionReset),
    }
}
