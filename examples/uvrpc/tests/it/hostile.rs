//! Peers that are slow, rude, or something else.

use crate::{
    peer::{ANY, PATIENCE, Served, patient, run, wait_for},
    raw::{connect, echo, greeted, opened, read_frame, reply},
    wire::{envelope, frame, greeting, ready},
};
use aqueduct::SequenceRef;
use aqueduct_testkit::pattern;
use std::{
    io::{ErrorKind, Read, Write},
    time::Duration,
};
use uvrpc::{
    Client, Options, Payload, Profile,
    envelope::{CallHead, Head, ReplyHead},
};

#[test]
fn a_peer_may_greet_byte_by_byte_but_not_for_ever() {
    let handshake = Duration::from_secs(1);
    let served = Served::new(ANY, Options { handshake, ..Options::default() });
    let mut slow = connect(&served);
    for byte in [greeting(), ready(b"DEALER", b"")].concat() {
        slow.write_all(&[byte]).unwrap();
        std::thread::sleep(Duration::from_millis(1));
    }
    greeted(&mut slow);
    slow.write_all(&echo(5, b"well")).unwrap();
    assert_eq!(reply(&mut slow), (5, b"well".to_vec()));
    // Nothing is sent before the peer has said what it is, and that is not waited for for ever.
    for said in [&b""[..], &greeting()[..30], &greeting()] {
        let mut silent = connect(&served);
        silent.write_all(said).unwrap();
        let mut all = Vec::new();
        silent.read_to_end(&mut all).unwrap();
        let expected =
            if said.len() < 64 { greeting() } else { [greeting(), ready(b"ROUTER", b"")].concat() };
        assert_eq!(all, expected);
    }
}

#[test]
fn who_speaks_something_else_is_left() {
    let served = Served::new(ANY, Options::default());
    for said in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[greeting(), ready(b"PUB", b"")].concat()] {
        let mut other = connect(&served);
        other.write_all(said).unwrap();
        match other.read_to_end(&mut Vec::new()) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
    wait_for(|| served.pool.outstanding() == 0);
}

#[test]
fn a_client_waits_for_a_server_that_is_slow_to_greet() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        // The first never greets, and the client gives it up.
        let never = listener.accept().unwrap();
        let mut socket = listener.accept().unwrap().0;
        drop(never);
        for byte in [greeting(), ready(b"ROUTER", b"")].concat() {
            socket.write_all(&[byte]).unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
        let mut said = [0; 64];
        socket.read_exact(&mut said).unwrap();
        assert_eq!(read_frame(&mut socket), (4, ready(b"DEALER", b"")[2..].to_vec()));
        assert_eq!(read_frame(&mut socket), (1, Vec::new()));
        let (_, body) = read_frame(&mut socket);
        let head = CallHead::read(SequenceRef::from(&body[..])).unwrap();
        let head = ReplyHead { id: head.id, status: 0, error: None, data: None };
        let mut body = vec![0; head.size()];
        head.write(&mut body);
        socket.write_all(&envelope(&body)).unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    });
    run(async {
        let options = Options { handshake: Duration::from_millis(500), ..patient() };
        let client = Client::connect(address.parse().unwrap(), options);
        assert!(client.call("echo", "", None).await.unwrap().is_ok());
    });
    server.join().unwrap();
}

/// A client that sends and does not read is listened to until its replies fill what may wait; all others go
/// on, and when it reads at last it has lost nothing.
#[test]
fn a_client_that_stops_reading_bounds_the_servers_memory() {
    for (profile, size, most) in [
        (Profile::LowLatency, 1000, 1 << 20),
        // At worst each call has a block of its own.
        (Profile::HighThroughput, 1000, 5 << 20),
        (Profile::HighThroughput, 1 << 20, 8 << 20),
    ] {
        let served = Served::new(ANY, Options { profile, ..Options::default() });
        let mut silent = opened(&served);
        silent.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        // Until nothing more is taken: the system's buffers are full, too.
        let (mut sent, mut rest) = (0_u32, Vec::new());
        while rest.is_empty() {
            let bytes = echo(sent, &pattern(size, sent as usize));
            sent += 1;
            let mut done = 0;
            while done < bytes.len() && rest.is_empty() {
                match silent.write(&bytes[done..]) {
                    Ok(count) => done += count,
                    Err(_) => rest = bytes[done..].to_vec(),
                }
            }
        }
        let held = served.pool.stats().peak_held_bytes;
        assert!(held < most, "{profile:?}: {held} bytes for {sent} calls of {size}");
        run(async {
            let client = Client::connect(served.address.clone(), patient());
            for i in 0..1000 {
                let data = Payload::from(pattern(500, i));
                assert!(
                    client.call("echo", "", data).await.unwrap().data.unwrap() == *pattern(500, i)
                );
            }
        });
        let reader = {
            let mut silent = silent.try_clone().unwrap();
            std::thread::spawn(move || {
                for id in 0..sent {
                    assert_eq!(reply(&mut silent), (id, pattern(size, id as usize)));
                }
            })
        };
        silent.set_write_timeout(Some(PATIENCE)).unwrap();
        silent.write_all(&rest).unwrap();
        reader.join().unwrap();
    }
}

#[test]
fn a_pong_carries_its_pings_context_and_silence_ends_a_connection() {
    let served = Served::new(ANY, Options::default());
    let mut socket = opened(&served);
    socket.write_all(&frame(4, b"\x04PING\0\x02sixteen bytes...")).unwrap();
    assert_eq!(read_frame(&mut socket), (4, b"\x04PONGsixteen bytes...".to_vec()));
    // It asked to be given up after two tenths of a second.
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    let heartbeat = Duration::from_millis(100);
    let served = Served::new(ANY, Options { heartbeat, ..Options::default() });
    let mut socket = opened(&served);
    assert_eq!(read_frame(&mut socket), (4, b"\x04PING\0\x02".to_vec()));
    let mut more = Vec::new();
    socket.read_to_end(&mut more).unwrap();
    assert!(more.len() <= 9, "{more:?}");
}

/// Frames that end in another block than they began in.
#[test]
fn large_and_small_calls_in_one_stream() {
    let served = Served::new(ANY, Options::default());
    let mut socket = opened(&served);
    let sizes = [10, 70_000, 100, 65_000, 300, 200_000, 1, 5000, 3_000_000, 64];
    let bytes: Vec<u8> =
        sizes.iter().enumerate().flat_map(|(i, size)| echo(i as u32, &pattern(*size, i))).collect();
    let writer = {
        let mut socket = socket.try_clone().unwrap();
        std::thread::spawn(move || {
            bytes.chunks(997).for_each(|piece| socket.write_all(piece).unwrap())
        })
    };
    for (i, size) in sizes.into_iter().enumerate() {
        assert_eq!(reply(&mut socket), (i as u32, pattern(size, i)));
    }
    writer.join().unwrap();
}
