//! Owners, wakers and descriptors that panic, at every callback, in every operation of a ring.

use super::{connected, file, ring, runtime};
use crate::panicking::owned;
use aqueduct_os::uring::{Op, Ring};
use aqueduct_pool::Pool;
use aqueduct_testkit::{Countdown, Tracked, for_every_k, pattern};
use std::{
    fs::File,
    future::poll_fn,
    io::{Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::fs::FileExt,
    },
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A descriptor that may panic when it is asked for, and when it is dropped.
struct Frail<F>(F, Tracked);

impl<F: AsFd> AsFd for Frail<F> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let _tick = self.1.as_ref();
        self.0.as_fd()
    }
}

/// The result of what is polled on a ring, with a waker that may panic; none when something has panicked.
fn end<T>(
    countdown: &Countdown,
    ring: &Ring,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> Option<T> {
    let ended = runtime().block_on(ring.run_until(poll_fn(|task| {
        // Of its own for each poll: the one before may be in use still, and is dropped by whoever that is.
        let waker = countdown.waker();
        let polled = countdown.survive(|| poll(&mut Context::from_waker(&waker)));
        // Not in there: Rust forgets what is returned past a destructor that panics.
        countdown.survive(|| drop(waker));
        task.waker().wake_by_ref();
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })));
    ended.unwrap()
}

fn op<T>(countdown: &Countdown, ring: &Ring, begin: impl FnOnce() -> Op<T>) -> Option<T> {
    let mut op = countdown.survive(begin)?;
    let done = end(countdown, ring, |context| Pin::new(&mut op).poll(context));
    countdown.survive(|| drop(op));
    done
}

/// Whoever panics, all that says it is done is done, the ring goes on, and nothing stays behind.
#[test]
fn t15_users_of_a_ring_that_panic() {
    let Some(_) = ring(8) else { return };
    let bytes = pattern(9_000, 1);
    let calls = for_every_k(|countdown| {
        let (ring, pool) = (Ring::new(8).unwrap(), Pool::new());
        let frail = |file: Arc<File>| Arc::new(Frail(file, countdown.value(Vec::new())));
        let registered = ring.register(&pool, 2, 4096).unwrap();
        let provided = ring.provide(&pool, 4, 4096).unwrap();

        let (plain, fragile) = (file(&bytes), frail(file(&bytes)));
        let read = op(countdown, &ring, || ring.read_at(&fragile, 10, 4096, pool.get(4096)));
        assert!(
            read.is_none_or(|(count, block)| count.unwrap() == 4096 && *block == bytes[10..4106])
        );
        let read = op(countdown, &ring, || registered.read_at(&fragile, 20, 4096));
        assert!(read.is_none_or(|block| block.unwrap() == bytes[20..4116]));
        countdown.survive(|| drop(fragile));

        let data = countdown.survive(|| owned(countdown, &[3_000, 40, 50]));
        if let Some((data, told)) = data {
            let written = op(countdown, &ring, || ring.write_at(&plain, 9_000, data));
            let mut found = vec![0; told.len()];
            let there = plain.read_exact_at(&mut found, 9_000);
            assert!(written.is_none_or(|written| written.unwrap() == told.len()
                && there.is_ok()
                && found == told));
        }

        let (mut client, server) = connected();
        let server = Arc::new(Frail(server, countdown.value(Vec::new())));
        let data = countdown.survive(|| owned(countdown, &[700, 900]));
        if let Some((data, told)) = data {
            let sent = op(countdown, &ring, || ring.send_all(&server, data));
            if let Some(sent) = sent {
                let mut got = vec![0; sent.unwrap()];
                client.read_exact(&mut got).unwrap();
                assert!(got == told);
            }
        }
        client.write_all(&bytes[..300]).unwrap();
        if let Some(mut receive) = countdown.survive(|| provided.receive(&server)) {
            let come = end(countdown, &ring, |context| receive.poll_next(context));
            assert!(come.is_none_or(|come| come.unwrap().unwrap() == bytes[..300]));
            countdown.survive(|| drop(receive));
        }
        countdown.survive(|| drop(server));

        let last = ring.read_at(&plain, 0, 4096, pool.get(4096));
        let last = countdown.survive(|| last.wait());
        assert!(
            last.is_none_or(|(count, block)| count.unwrap() == 4096 && *block == bytes[..4096])
        );
        countdown.survive(|| drop((registered, provided, ring)));
        assert_eq!(pool.outstanding(), 0);
    });
    assert!(calls > 20, "{calls}");
}
