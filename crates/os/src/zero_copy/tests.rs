//! A sender whose system calls are made to fail. What it does with those that work is in the
//! integration tests.

use super::*;
use crate::sys::{Call, Fault, script};
use aqueduct_pool::Pool;
use aqueduct_testkit::{Random, pattern};
use rustix::net::sockopt;
use std::{
    cell::Cell,
    io::Read,
    net::{TcpListener, TcpStream},
    rc::Rc,
    thread::{self, JoinHandle},
};

/// Whatever is longer than a handle, also over loopback.
const ALWAYS: ZeroCopyChoice = ZeroCopyChoice { least: 1, local: true };

/// A sender, and what its peer has got at the end.
fn connect() -> (ZeroCopySender<TcpStream>, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut peer = listener.accept().unwrap().0;
    let received = thread::spawn(move || {
        let mut all = Vec::new();
        let _ = peer.read_to_end(&mut all); // what came before a reset, too
        all
    });
    (ZeroCopySender::with_choice(socket, ALWAYS).unwrap(), received)
}

/// Bytes in pieces of blocks, and a few short ones in between.
fn sequence(pool: &Pool, pieces: &[usize]) -> (Sequence, Vec<u8>) {
    let all: Vec<_> = pieces.iter().enumerate().map(|(i, &len)| pattern(len, i)).collect();
    let slices = all.iter().map(|bytes| {
        if bytes.len() < Slice::INLINE {
            return Slice::copy_from_slice(bytes);
        }
        let mut block = pool.get(bytes.len());
        block.extend_from_slice(bytes);
        block.freeze()
    });
    (slices.collect(), all.iter().flatten().copied().collect())
}

/// The `k`-th call of a kind is faulty. Gives the script, and whether it came to that.
fn once(
    kind: Call,
    k: usize,
    fault: Fault,
) -> (impl FnMut(Call, usize) -> Option<Fault> + 'static, Rc<Cell<bool>>) {
    let happened = Rc::new(Cell::new(false));
    let (mut before, seen) = (k, Rc::clone(&happened));
    let faults = move |call: Call, _: usize| {
        if call != kind {
            return None;
        }
        before = before.wrapping_sub(1);
        let now = before == usize::MAX;
        seen.set(seen.get() || now);
        now.then_some(fault)
    };
    (faults, happened)
}

/// Sends all, a call at a time, and waits where there is no room; gives the first other error.
fn send_all(sender: &mut ZeroCopySender<TcpStream>, data: &mut Sequence) -> io::Result<()> {
    while !data.is_empty() {
        if sender.stats.zero_copy_bytes > 0 && sender.answer == ZeroCopyAnswer::Copied {
            sender.answer = ZeroCopyAnswer::None; // loopback copies: try again all the same
        }
        match sender.try_send(data) {
            Ok(sent) => assert!(sent > 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

const PIECES: [usize; 8] = [40_000, 3, 5_000, 24, 23, 100_000, 1, 70_000];

#[test]
fn every_call_may_be_short_interrupted_or_without_room() {
    let faults = [
        Fault::Short(1),
        Fault::Short(23),
        Fault::Short(40_002),
        Fault::Errno(libc::EINTR),
        Fault::Errno(libc::EAGAIN),
        Fault::Errno(libc::ENOBUFS),
        Fault::Errno(libc::EOPNOTSUPP),
    ];
    for kind in [Call::SendZeroCopy, Call::Writev, Call::ErrorQueue] {
        for fault in faults {
            let of_zero_copy = matches!(fault, Fault::Errno(libc::EOPNOTSUPP | libc::ENOBUFS));
            if of_zero_copy && kind != Call::SendZeroCopy {
                continue; // an error, and another test's
            }
            for k in 0..3 {
                let pool = Pool::new();
                let (mut sender, received) = connect();
                if kind == Call::Writev {
                    sender.answer = ZeroCopyAnswer::Copied;
                }
                let (mut data, bytes) = sequence(&pool, &PIECES);
                let (faults, happened) = once(kind, k, fault);
                let scripted = script(faults);
                send_all(&mut sender, &mut data).unwrap();
                drop(scripted);
                assert!(sender.settle(None).unwrap());
                assert_eq!(pool.outstanding(), 0, "{kind:?} {fault:?} at {k}");
                let stats = sender.stats();
                assert_eq!(stats.zero_copy_bytes + stats.plain_bytes, bytes.len() as u64);
                assert!(k > 0 || kind == Call::ErrorQueue || happened.get(), "{kind:?} {fault:?}");
                drop(sender);
                assert!(received.join().unwrap() == bytes, "{kind:?} {fault:?} at {k}");
            }
        }
    }
}

#[test]
fn each_call_short_by_chance_sends_the_same_bytes() {
    let mut random = Random::unlike_others();
    for _ in 0..20 {
        let pool = Pool::new();
        let (mut sender, received) = connect();
        let pieces: Vec<_> = (0..random.below(100)).map(|_| random.below(3_000)).collect();
        let (mut data, bytes) = sequence(&pool, &pieces);
        let mut chance = Random::new(random.seed());
        let scripted = script(move |_, wanted| match chance.below(4) {
            0 => Some(Fault::Errno(libc::EINTR)),
            1 => None,
            _ => Some(Fault::Short(1 + chance.below(wanted))),
        });
        send_all(&mut sender, &mut data).unwrap();
        drop(scripted);
        assert!(sender.settle(None).unwrap());
        assert_eq!(pool.outstanding(), 0);
        drop(sender);
        assert!(received.join().unwrap() == bytes);
    }
}

#[test]
fn a_few_bytes_that_were_sent_keep_their_block() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    sockopt::set_socket_send_buffer_size(&socket, 4 << 20).unwrap();
    let mut peer = listener.accept().unwrap().0;
    let mut sender = ZeroCopySender::with_choice(socket, ALWAYS).unwrap();
    // More than the peer has room for, so that what follows stays in our queue.
    let before = 1 << 20;
    sender.send(&mut Sequence::from(vec![1; before])).unwrap();
    let pool = Pool::new();
    let mut data = sequence(&pool, &[4_096]).0;
    let (faults, _) = once(Call::SendZeroCopy, 0, Fault::Short(10));
    let scripted = script(faults);
    let sent = sender.try_send(&mut data);
    drop((scripted, data));
    assert_eq!((sent.unwrap(), pool.outstanding()), (10, 1));
    let mut got = vec![0; before + 10];
    peer.read_exact(&mut got).unwrap();
    assert!(got[before..] == pattern(4_096, 0)[..10]);
    assert!(sender.settle(None).unwrap());
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn without_room_for_a_notification_one_call_is_plain() {
    let pool = Pool::new();
    let (mut sender, received) = connect();
    let (faults, _) = once(Call::SendZeroCopy, 0, Fault::Errno(libc::ENOBUFS));
    let scripted = script(faults);
    let (mut first, mut bytes) = sequence(&pool, &[5_000]);
    sender.send(&mut first).unwrap();
    assert_eq!((sender.stats().no_room, sender.stats().plain_bytes), (1, 5_000));
    assert_eq!(pool.outstanding(), 0); // the kernel has its copy
    let (mut second, more) = sequence(&pool, &[6_000]);
    sender.send(&mut second).unwrap();
    assert_eq!((sender.stats().no_room, sender.stats().zero_copy_bytes), (1, 6_000));
    drop(scripted);
    assert!(sender.settle(None).unwrap());
    drop(sender);
    bytes.extend(more);
    assert!(received.join().unwrap() == bytes);
}

#[test]
fn a_kernel_that_does_not_know_how_is_not_asked_again() {
    let pool = Pool::new();
    let (mut sender, received) = connect();
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    let scripted = script(move |call, _| {
        (call == Call::SendZeroCopy).then(|| {
            count.set(count.get() + 1);
            Fault::Errno(libc::EOPNOTSUPP)
        })
    });
    let (mut data, bytes) = sequence(&pool, &[100; 200]);
    sender.send(&mut data).unwrap();
    drop(scripted);
    assert_eq!((asked.get(), sender.answer()), (1, ZeroCopyAnswer::Unsupported));
    drop(sender);
    assert!(received.join().unwrap() == bytes);
}

#[test]
fn an_error_leaves_what_was_not_sent() {
    // Three calls of at most 64 pieces each; before the second the queue is looked at.
    let cases =
        [(Call::SendZeroCopy, 0, 0), (Call::Writev, 1, 64_000), (Call::ErrorQueue, 0, 64_000)];
    for (kind, k, sent) in cases {
        let pool = Pool::new();
        let (mut sender, received) = connect();
        let (mut data, bytes) = sequence(&pool, &[1_000; 150]);
        let (faults, happened) = once(kind, k, Fault::Errno(libc::EIO));
        let scripted = script(faults);
        if kind == Call::Writev {
            sender.answer = ZeroCopyAnswer::Copied;
        }
        let failed = sender.send(&mut data).unwrap_err();
        drop(scripted);
        assert_eq!(failed.raw_os_error(), Some(libc::EIO));
        assert!(happened.get());
        assert_eq!(data, bytes[sent..]);
        sender.send(&mut data).unwrap(); // goes on where it was
        assert!(sender.settle(None).unwrap());
        assert_eq!(pool.outstanding(), 0);
        drop(sender);
        assert!(received.join().unwrap() == bytes);
    }
}

#[test]
fn the_choice_is_by_length_pieces_peer_and_answer() {
    use {
        SendWay::{Plain, ZeroCopy},
        ZeroCopyAnswer as Answer,
    };
    let choice = ZeroCopyChoice { least: 10_000, local: false };
    assert_eq!(choice.way(9_999, 1, false, Answer::None), Plain);
    assert_eq!(choice.way(10_000, 1, false, Answer::None), ZeroCopy);
    assert_eq!(choice.way(10_000, 1, true, Answer::None), Plain);
    assert_eq!(choice.way(10_000, 2, false, Answer::Sent), ZeroCopy);
    assert_eq!(choice.way(10_000, 3, false, Answer::Sent), Plain);
    assert_eq!(choice.way(usize::MAX - 1, usize::MAX, false, Answer::None), Plain);
    assert_eq!(choice.way(10_000, 1, false, Answer::Copied), Plain);
    assert_eq!(choice.way(10_000, 1, false, Answer::Unsupported), Plain);
    assert_eq!(ALWAYS.way(1, 1, true, Answer::None), ZeroCopy);
}
