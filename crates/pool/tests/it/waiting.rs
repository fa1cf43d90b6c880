//! Waiting for a block of a pool with a hard limit, by threads and by futures.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use aqueduct_pool::{Limit, Pool};
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{Countdown, Worker, for_every_k, panics, scale};

const SIZE: usize = 4_000;

/// A pool with room for few blocks of `SIZE`, and all of them.
fn used_up() -> (Pool, Vec<SliceMut>) {
    let pool = Pool::builder().largest_block(4_096).hard_limit(32 << 10).build().expect("sensible");
    let blocks = std::iter::from_fn(|| pool.try_get(SIZE).ok()).collect();
    (pool, blocks)
}

/// A waker that counts.
#[derive(Default)]
pub struct Counter(pub AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub fn poll<F: Future>(future: Pin<&mut F>, counter: &Arc<Counter>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(&Waker::from(counter.clone())))
}

#[test]
fn a_future_waits_until_a_block_dies() {
    let (pool, mut blocks) = used_up();
    let counter = Arc::new(Counter::default());
    let mut waiting = pin!(pool.get_async(SIZE));
    assert!(poll(waiting.as_mut(), &counter).is_pending());
    assert_eq!(counter.0.load(Ordering::SeqCst), 0);
    blocks.pop();
    assert!(counter.0.load(Ordering::SeqCst) >= 1, "nobody was woken");
    match poll(waiting.as_mut(), &counter) {
        Poll::Ready(Ok(block)) => assert!(block.capacity() >= SIZE),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_that_dies_elsewhere_wakes_too() {
    let (pool, mut blocks) = used_up();
    let counter = Arc::new(Counter::default());
    let mut waiting = pin!(pool.get_async(SIZE));
    assert!(poll(waiting.as_mut(), &counter).is_pending());
    let last = blocks.pop();
    Worker::<()>::new().call(move |()| drop(last));
    assert!(counter.0.load(Ordering::SeqCst) >= 1, "nobody was woken");
    assert!(poll(waiting.as_mut(), &counter).is_ready());
}

#[test]
fn the_newest_waker_is_the_one_that_is_woken() {
    let (pool, mut blocks) = used_up();
    let (old, new) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
    let mut waiting = pin!(pool.get_async(SIZE));
    assert!(poll(waiting.as_mut(), &old).is_pending());
    assert!(poll(waiting.as_mut(), &new).is_pending());
    assert_eq!(Arc::strong_count(&old), 1, "the old waker is kept");
    blocks.pop();
    assert!(new.0.load(Ordering::SeqCst) >= 1);
}

#[test]
fn a_pending_future_that_is_dropped_loses_nothing() {
    let (pool, mut blocks) = used_up();
    let count = blocks.len();
    let counter = Arc::new(Counter::default());
    for _ in 0..10 {
        let mut given_up = Box::pin(pool.get_async(SIZE));
        assert!(poll(given_up.as_mut(), &counter).is_pending());
        blocks.pop();
        // Woken, and dropped before it looks: the block is there for the next.
        drop(given_up);
        assert_eq!(Arc::strong_count(&counter), 1, "its waker is kept");
        blocks.push(pool.try_get(SIZE).expect("the block that died"));
    }
    let mut woken = pin!(pool.get_async(SIZE));
    let mut other = Box::pin(pool.get_async(SIZE));
    assert!(poll(other.as_mut(), &counter).is_pending());
    assert!(poll(woken.as_mut(), &counter).is_pending());
    drop(other);
    assert_eq!(Arc::strong_count(&counter), 2, "the waker of a future that is gone is kept");
    blocks.clear();
    assert!(poll(woken.as_mut(), &counter).is_ready());
    assert_eq!(pool.outstanding(), 0);
    assert_eq!(std::iter::from_fn(|| pool.try_get(SIZE).ok().map(std::mem::forget)).count(), count);
}

/// Of one size a block that comes back is of use to one, and the others sleep on.
#[test]
fn a_block_that_comes_back_wakes_one_of_its_size() {
    let (pool, mut blocks) = used_up();
    let counter = Arc::new(Counter::default());
    let mut waiting: Vec<_> = (0..20).map(|_| Box::pin(pool.get_async(SIZE))).collect();
    for future in &mut waiting {
        assert!(poll(future.as_mut(), &counter).is_pending());
    }
    for (i, future) in waiting.iter_mut().enumerate() {
        assert_eq!(counter.0.load(Ordering::SeqCst), i);
        blocks.pop();
        match poll(future.as_mut(), &counter) {
            Poll::Ready(Ok(block)) => blocks.push(block),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(counter.0.load(Ordering::SeqCst), 20);
}

#[test]
fn a_size_that_never_comes_is_an_error_and_no_wait() {
    let (pool, _blocks) = used_up();
    let refused = pool.get_blocking(100_000).expect_err("past the largest block");
    assert!(matches!(refused.limit(), Limit::LargestBlock(_)));
    let mut refused = pin!(pool.get_async(usize::MAX));
    match poll(refused.as_mut(), &Arc::default()) {
        Poll::Ready(Err(refused)) => assert_eq!(refused.requested(), usize::MAX),
        other => panic!("{other:?}"),
    }
}

#[test]
fn threads_that_wait_are_all_served() {
    let (pool, blocks) = used_up();
    let (done, served) = mpsc::channel();
    let waiting: Vec<_> = (0..8)
        .map(|i| {
            let (pool, done) = (pool.clone(), done.clone());
            thread::spawn(move || {
                for _ in 0..scale(200) {
                    let mut block = pool.get_blocking(SIZE).expect("only a wait");
                    block.extend_from_slice(&[i; 100]);
                    thread::yield_now();
                    assert_eq!(block[..], [i; 100]);
                }
                done.send(i).expect("the test waits");
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(20));
    drop(blocks);
    for _ in 0..8 {
        served.recv_timeout(Duration::from_secs(15)).expect("a wake-up was lost");
    }
    waiting.into_iter().for_each(|t| t.join().expect("no panic"));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn blocks_that_pass_between_waiting_threads_never_deadlock() {
    // Two threads each hold what the other waits for, in turns; batching would never hand it over.
    let (pool, blocks) = used_up();
    drop(blocks);
    let (to_freer, inbox) = mpsc::channel::<SliceMut>();
    let freer = thread::spawn(move || inbox.iter().for_each(drop));
    let (done, ended) = mpsc::channel();
    let getter = {
        let pool = pool.clone();
        thread::spawn(move || {
            for _ in 0..scale(5_000) {
                let block = pool.get_blocking(SIZE).expect("only a wait");
                to_freer.send(block).expect("the freer lives");
            }
            done.send(()).expect("the test waits");
        })
    };
    ended.recv_timeout(Duration::from_secs(15)).expect("a wake-up was lost");
    getter.join().expect("no panic");
    freer.join().expect("no panic");
    assert_eq!(pool.outstanding(), 0);
}

/// A waker whose every callback may panic.
struct Grumpy(Countdown);

impl Wake for Grumpy {
    fn wake(self: Arc<Self>) {
        self.0.tick();
    }
}

#[test]
fn t15_a_waker_that_panics() {
    let calls = for_every_k(|c| {
        let (pool, mut blocks) = used_up();
        let counter = Arc::new(Counter::default());
        let grumpy = Waker::from(Arc::new(Grumpy(c.clone())));
        let mut first = Box::pin(pool.get_async(SIZE));
        let mut second = Box::pin(pool.get_async(SIZE));
        assert!(first.as_mut().poll(&mut Context::from_waker(&grumpy)).is_pending());
        assert!(poll(second.as_mut(), &counter).is_pending());
        let last = blocks.pop();
        let panicked = panics(|| drop(last));
        assert_eq!(pool.outstanding(), blocks.len() as u64, "the block came back all the same");
        drop(first);
        assert!(counter.0.load(Ordering::SeqCst) >= 1, "the others were not woken");
        assert!(poll(second.as_mut(), &counter).is_ready());
        drop((second, blocks));
        assert_eq!(pool.outstanding(), 0);
        assert!(!panicked || c.fired());
    });
    assert!(calls >= 1);
}

/// A waker that uses the pool when it is called, and whose last reference owns a block, as that of a
/// task does.
struct Busy {
    pool: Pool,
    _block: Option<SliceMut>,
}

impl Wake for Busy {
    fn wake(self: Arc<Self>) {
        drop(self.pool.try_get(SIZE));
    }
}

/// Runs a test that must not hang.
fn within_ten_seconds(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let test = thread::spawn(move || {
        test();
        done.send(()).expect("the test waits");
    });
    let ended = ended.recv_timeout(Duration::from_secs(10));
    assert_ne!(ended, Err(mpsc::RecvTimeoutError::Timeout), "a waker was used under a lock");
    test.join().expect("no panic");
}

#[test]
fn a_waker_may_get_and_free_blocks_when_it_is_called() {
    within_ten_seconds(|| {
        let (pool, mut blocks) = used_up();
        let waker = Waker::from(Arc::new(Busy { pool: pool.clone(), _block: None }));
        let mut waiting = [Box::pin(pool.get_async(SIZE)), Box::pin(pool.get_async(SIZE))];
        for future in &mut waiting {
            assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        blocks.pop();
        assert!(waiting[1].as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    });
}

#[test]
fn a_waker_may_free_a_block_when_it_is_dropped() {
    within_ten_seconds(|| {
        let (pool, mut blocks) = used_up();
        let mut busy = || {
            let block = blocks.pop();
            assert!(block.is_some(), "the test needs more blocks");
            Waker::from(Arc::new(Busy { pool: pool.clone(), _block: block }))
        };
        let (first, second) = (busy(), busy());
        let mut waiting = Box::pin(pool.get_async(SIZE));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&first)).is_pending());
        drop(first);
        // The waker is replaced, and the last reference to the old one dies, with its block.
        let _ = waiting.as_mut().poll(&mut Context::from_waker(&second));
        drop((waiting, second));
        blocks.clear();
        assert_eq!(pool.outstanding(), 0);
    });
}
