//! Sockets.

use super::{connected, file, ring, runtime};
use aqueduct_base::meter;
use aqueduct_os::{ZeroCopyAnswer, ZeroCopyChoice};
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{Random, pattern};
use std::{
    io::{self, Read, Write},
    net::TcpStream,
    os::unix::net::UnixStream,
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::task::LocalSet;

/// Sends `bytes` in pieces of random sizes, with pauses.
fn in_pieces(mut socket: TcpStream, bytes: Vec<u8>, mut random: Random) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, more) = rest.split_at(rest.len().min(1 + random.below(9000)));
            socket.write_all(piece).unwrap();
            rest = more;
            if random.one_in(20) {
                thread::sleep(Duration::from_micros(300));
            }
        }
    })
}

#[test]
fn sockets_receive_into_blocks_that_the_kernel_chooses() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    // Few blocks for many sockets: they run out all the time.
    let provided = ring.provide(&pool, 4, 2000).unwrap();
    let mut random = Random::unlike_others();
    let mut senders = Vec::new();
    let mut receivers = Vec::new();
    for i in 0..6 {
        let (client, server) = connected();
        server.set_nonblocking(i % 2 == 0).unwrap();
        let bytes = pattern(200_000 + i, i);
        senders.push(in_pieces(client, bytes.clone(), Random::new(random.seed())));
        receivers.push((provided.receive(&Arc::new(server)), bytes));
    }
    let tasks = LocalSet::new();
    for (mut receive, bytes) in receivers {
        tasks.spawn_local(async move {
            let mut come = 0;
            while let Some(slice) = receive.next().await.unwrap() {
                assert!(!slice.is_empty() && slice.len() <= 2000);
                assert_eq!(slice, bytes[come..][..slice.len()]);
                come += slice.len();
            }
            assert_eq!(come, bytes.len());
            assert!(receive.next().await.unwrap().is_none());
        });
    }
    runtime().block_on(ring.run_until(tasks)).unwrap();
    senders.into_iter().for_each(|sender| sender.join().unwrap());
    drop((ring, provided));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn who_does_not_take_leaves_the_socket_alone() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let provided = ring.provide(&pool, 8, 4096).unwrap();
    let before = pool.outstanding();
    let (mut client, server) = connected();
    let mut receive = provided.receive(&Arc::new(server));
    client.set_nonblocking(true).unwrap();
    let bytes = pattern(1 << 20, 8);
    let mut sent = client.write(&bytes).unwrap();
    let first = receive.wait_next().unwrap().unwrap();
    // Another operation has the ring go on meanwhile.
    let file = file(b"x");
    for _ in 0..300 {
        sent += client.write(&bytes[sent..]).unwrap_or(0);
        let _ = ring.read_at(&file, 0, 1, SliceMut::with_capacity(1)).wait();
    }
    assert!(pool.outstanding() <= before + 8, "{} blocks wait", pool.outstanding() - before);
    client.set_nonblocking(false).unwrap();
    let rest = bytes[sent..].to_vec();
    let sender = thread::spawn(move || client.write_all(&rest).unwrap());
    let mut come = first.len();
    assert_eq!(first, bytes[..come]);
    while let Some(slice) = receive.wait_next().unwrap() {
        assert_eq!(slice, bytes[come..][..slice.len()]);
        come += slice.len();
    }
    assert_eq!(come, bytes.len());
    sender.join().unwrap();
}

/// Whoever sends few bytes at a time has few blocks held, also of one who keeps what came; and who sends
/// many has nothing copied.
#[test]
fn few_bytes_at_a_time_hold_few_blocks() {
    const BLOCK: usize = 16 << 10;
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let provided = ring.provide(&pool, 64, BLOCK).unwrap();
    let before = pool.outstanding();
    let (mut client, server) = connected();
    client.set_nodelay(true).unwrap();
    let mut receive = provided.receive(&Arc::new(server));
    for len in [1, 23, 24, 500, 2047] {
        // What comes whole pays for some that do not.
        let full = pattern(4 * BLOCK, len);
        let copied = meter::thread();
        client.write_all(&full).unwrap();
        let mut come = Sequence::new();
        while come.len() < full.len() {
            come.push(receive.wait_next().unwrap().unwrap());
        }
        assert!(come == full[..]);
        assert_eq!((meter::thread() - copied).copies, 0, "behind {len}");
        drop(come);
        let bytes = pattern(100 * len, len);
        let mut kept = Sequence::new();
        for piece in bytes.chunks(len) {
            client.write_all(piece).unwrap();
            kept.push(receive.wait_next().unwrap().unwrap());
        }
        assert!(kept == bytes[..], "{len}");
        let held = kept.pinned_bytes();
        // The pool's blocks are a little larger than what they are asked for, 256 bytes at least.
        let most = 8 * bytes.len() + 5 * BLOCK + 100 * 512;
        assert!(held <= most, "{held} bytes for {}", bytes.len());
        let whole = 100 - (meter::thread() - copied).copies;
        assert!((4..10).contains(&whole) || len == 2047, "{whole} of {len}");
        drop(kept);
        assert_eq!(pool.outstanding(), before);
    }
}

#[test]
fn a_reset_is_an_error_and_then_the_end() {
    let Some(ring) = ring(8) else { return };
    let provided = ring.provide(Pool::global(), 2, 4096).unwrap();
    let (client, server) = connected();
    (&server).write_all(b"never read").unwrap();
    let mut receive = provided.receive(&Arc::new(server));
    thread::sleep(Duration::from_millis(5));
    drop(client); // with bytes that it has not read
    let refused = receive.wait_next().unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionReset);
    assert!(receive.wait_next().unwrap().is_none());
    let refused = ring.provide(Pool::global(), 3, 4096).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
}

fn received(mut socket: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        socket.read_to_end(&mut all).unwrap();
        all
    })
}

#[test]
fn slices_are_sent_whole() {
    let Some(ring) = ring(8) else { return };
    let (client, server) = connected();
    let (server, all) = (Arc::new(server), received(client));
    let bytes = Slice::from(pattern(3 << 20, 9));
    assert_eq!(ring.send(&server, bytes.clone()).wait().unwrap(), bytes.len());
    assert_eq!(ring.send(&server, Slice::from_static(b"short")).wait().unwrap(), 5);
    assert_eq!(ring.send(&server, Slice::copy_from_slice(b"inline")).wait().unwrap(), 6);
    let parts = [&b"a"[..], b"", b"inline", b"of static memory, and long"];
    let parts: Sequence = parts.into_iter().map(Slice::copy_from_slice).collect();
    let many: Sequence =
        (0..700).flat_map(|i| [bytes.slice(i..i + 100), bytes.slice(..3)]).collect();
    assert_eq!(ring.send_all(&server, parts.clone()).wait().unwrap(), parts.len());
    assert_eq!(ring.send_all(&server, many.clone()).wait().unwrap(), many.len());
    drop((server, ring));
    let mut expected = bytes.to_vec();
    expected.extend_from_slice(b"shortinline");
    expected.extend_from_slice(&parts.as_ref().to_contiguous());
    expected.extend_from_slice(&many.as_ref().to_contiguous());
    assert!(all.join().unwrap() == expected);
}

/// One that nobody else polls, of which the peer takes a little at a time.
#[test]
fn a_task_sends_more_slices_than_one_call_takes() {
    let Some(ring) = ring(8) else { return };
    let (mut client, server) = connected();
    let bytes = Slice::from(pattern(2 << 20, 11));
    let pieces = (0..bytes.len()).step_by(700);
    let pieces: Sequence =
        pieces.map(|start| bytes.slice(start..bytes.len().min(start + 700))).collect();
    let receiver = thread::spawn(move || {
        let (mut all, mut part) = (Vec::new(), [0; 20_000]);
        while let read @ 1.. = client.read(&mut part).unwrap() {
            all.extend_from_slice(&part[..read]);
            thread::sleep(Duration::from_micros(200));
        }
        all
    });
    let tasks = LocalSet::new();
    let op = ring.send_all(&Arc::new(server), pieces);
    let task = tasks.spawn_local(op);
    let sent = runtime().block_on(ring.run_until(tasks.run_until(task))).unwrap();
    assert_eq!(sent.unwrap().unwrap(), bytes.len());
    drop(ring);
    assert!(bytes == receiver.join().unwrap());
}

#[test]
fn a_sender_stops_trying_where_the_kernel_copies() {
    let Some(ring) = ring(8) else { return };
    let pool = Pool::builder().build().unwrap();
    let bytes = pattern(100_000, 10);
    let filled = || {
        let mut block = pool.get(bytes.len());
        block.extend_from_slice(&bytes);
        block.freeze()
    };
    let (client, server) = connected();
    let all = received(client);
    let server = Arc::new(server);
    let sender = ring.sender(&server);
    let known = sender.answer();
    assert_eq!(sender.send(filled()).wait().unwrap(), bytes.len());
    assert_eq!(sender.answer(), known, "nothing is tried with this machine itself");
    drop(sender);
    let choice = ZeroCopyChoice { local: true, ..Default::default() };
    let sender = ring.sender_with_choice(&server, choice);
    assert_eq!(sender.send(bytes[..100].to_vec()).wait().unwrap(), 100);
    assert_eq!(sender.answer(), known, "nothing is tried with few bytes");
    // To this machine itself it copies, and says so once the peer has received.
    let mut times = 1;
    while times < 20 || sender.answer() == ZeroCopyAnswer::None {
        assert_eq!(sender.send(filled()).wait().unwrap(), bytes.len());
        times += 1;
        assert!(times < 10_000, "it goes on trying");
    }
    assert_ne!(sender.answer(), ZeroCopyAnswer::Sent);
    drop(sender);
    let (client, other) = UnixStream::pair().unwrap();
    let unix = received(client);
    let other = Arc::new(other);
    let sender = ring.sender_with_choice(&other, choice);
    assert_eq!(sender.send(filled()).wait().unwrap(), bytes.len());
    assert_eq!(sender.answer(), ZeroCopyAnswer::Unsupported, "with this kind of socket");
    drop((sender, server, other, ring));
    assert_eq!(all.join().unwrap().len(), 100 + times * bytes.len());
    assert!(unix.join().unwrap() == bytes);
    assert_eq!(pool.outstanding(), 0);
}
