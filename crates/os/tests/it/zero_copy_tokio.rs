//! `ZeroCopySender` in tasks of tokio's.

use super::zero_copy::{ALWAYS, block, connect, eventually, random_sequence, read_all};
use aqueduct_os::ZeroCopySender;
use aqueduct_pool::Pool;
use aqueduct_sequence::Sequence;
use aqueduct_testkit::Random;
use std::{
    cell::Cell, future::poll_fn, io::Read, net::TcpStream as StdStream, pin::pin, thread,
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(10);

/// A sender of a tokio socket, with room for megabytes, and its peer.
fn sender() -> (ZeroCopySender<TcpStream>, StdStream) {
    let (socket, peer) = connect();
    socket.set_nonblocking(true).unwrap();
    let socket = TcpStream::from_std(socket).unwrap();
    (ZeroCopySender::with_choice(socket, ALWAYS).unwrap(), peer)
}

/// Counts how often a future is polled.
async fn counting<F: Future>(polls: &Cell<usize>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        polls.set(polls.get() + 1);
        future.as_mut().poll(context)
    })
    .await
}

#[tokio::test]
async fn random_slices_arrive_as_they_are() {
    let mut random = Random::unlike_others();
    for _ in 0..10 {
        let pool = Pool::new();
        let (mut sender, peer) = sender();
        let receiving = thread::spawn(|| read_all(peer));
        let mut expected = Vec::new();
        for len in [0, 1, 24, random.below(100_000), 3 << 20, random.below(1 << 20)] {
            let (mut data, bytes) = random_sequence(&pool, &mut random, len);
            sender.send_async(&mut data).await.unwrap();
            assert!(data.is_empty());
            expected.extend(bytes);
        }
        timeout(LONG, sender.settle_async()).await.unwrap().unwrap();
        assert_eq!((sender.in_flight(), pool.outstanding()), (0, 0));
        drop(sender);
        assert!(receiving.join().unwrap() == expected);
    }
}

#[tokio::test]
async fn waiting_does_not_spin_whatever_was_in_the_error_queue() {
    let pool = Pool::new();
    let (mut sender, mut peer) = sender();
    let polls = Cell::new(0);
    // The kernel has notified, and tokio has seen it: from now on `TcpStream::writable` is always over
    // at once, and a loop around it never gives way.
    sender.send_async(&mut Sequence::from(block(&pool, 5_000, 1))).await.unwrap();
    sleep(SHORT).await;
    timeout(LONG, sender.settle_async()).await.unwrap().unwrap();
    let mut data = Sequence::from(block(&pool, 60 << 20, 2));
    let sending = counting(&polls, sender.send_async(&mut data));
    assert!(timeout(SHORT, sending).await.is_err(), "there is no room");
    assert!(polls.get() < 20, "{} polls for room", polls.get());
    // And it goes on as soon as somebody reads.
    let reading = thread::spawn(move || {
        let mut got = 0;
        while let Ok(count @ 1..) = peer.read(&mut vec![0; 64 * 1024]) {
            got += count;
        }
        got
    });
    sender.send_async(&mut data).await.unwrap();
    drop(sender);
    assert_eq!(reading.join().unwrap(), 5_000 + (60 << 20));
    eventually("the blocks' return", || pool.outstanding() == 0);
}

#[tokio::test]
async fn waiting_for_the_kernel_does_not_spin_also_after_a_reset() {
    let pool = Pool::new();
    let (mut sender, peer) = sender();
    let mut data = Sequence::from(block(&pool, 1 << 20, 1));
    sender.send_async(&mut data).await.unwrap();
    let polls = Cell::new(0);
    assert!(timeout(SHORT, counting(&polls, sender.settle_async())).await.is_err());
    assert!(polls.get() < 20, "{} polls for the kernel", polls.get());
    assert_eq!(pool.outstanding(), 1);
    rustix::net::sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).unwrap();
    drop(peer);
    timeout(LONG, counting(&polls, sender.settle_async())).await.unwrap().unwrap();
    assert!(polls.get() < 20, "{} polls for the kernel", polls.get());
    assert_eq!(pool.outstanding(), 0);
    assert!(sender.send_async(&mut Sequence::from(vec![1; 100])).await.is_err());
}

#[tokio::test]
async fn a_dropped_future_has_sent_what_it_took() {
    let mut random = Random::unlike_others();
    let pool = Pool::new();
    let (mut sender, mut peer) = sender();
    let (mut data, bytes) = random_sequence(&pool, &mut random, 30 << 20);
    let mut got = Vec::new();
    let mut dropped = 0;
    while !data.is_empty() {
        if timeout(Duration::from_millis(1), sender.send_async(&mut data)).await.is_err() {
            dropped += 1;
            let mut some = vec![0; 1 << 20];
            let count = peer.read(&mut some).unwrap();
            got.extend_from_slice(&some[..count]);
        }
    }
    assert!(dropped > 2, "there was room for all");
    drop(sender);
    peer.read_to_end(&mut got).unwrap();
    assert!(got == bytes);
    eventually("the blocks' return", || pool.outstanding() == 0);
}

#[tokio::test]
async fn a_dropped_sender_of_a_tokio_socket_keeps_its_blocks() {
    let pool = Pool::new();
    let (mut sender, peer) = sender();
    sender.send_async(&mut Sequence::from(block(&pool, 1 << 20, 1))).await.unwrap();
    drop(sender);
    let _other = block(&pool, 1 << 20, 0xee);
    assert_eq!(pool.outstanding(), 2);
    let got = read_all(peer);
    assert!(got == vec![1; 1 << 20], "somebody else's bytes were sent");
    eventually("the block's return", || pool.outstanding() == 1);
}
