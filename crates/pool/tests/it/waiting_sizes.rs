//! Waiting for blocks of different sizes: nobody sleeps for whom there is room.

use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use aqueduct_pool::{GetAsync, Pool};
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{Worker, cases, scale, traced};
use proptest::prelude::*;

use crate::waiting::{Counter, poll};

/// One of each class of the pools here.
const SIZES: [usize; 5] = [250, 500, 1_000, 2_000, 4_000];

/// What a block of 4,000 bytes takes of the limit, and a little more.
const ONE_LARGE: usize = 4_240;

fn pool(limit: usize) -> Pool {
    Pool::builder().largest_block(4_096).hard_limit(limit).build().expect("sensible")
}

#[test]
fn a_large_block_serves_as_many_small_waits_as_it_has_room_for() {
    let pool = pool(ONE_LARGE);
    let large = pool.try_get(4_000).expect("all there is");
    let counters: Vec<Arc<Counter>> = (0..4).map(|_| Arc::default()).collect();
    let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(pool.get_async(300))).collect();
    for (future, counter) in waiting.iter_mut().zip(&counters) {
        assert!(poll(future.as_mut(), counter).is_pending());
    }
    drop(large);
    let mut served = Vec::new();
    for (i, (future, counter)) in waiting.iter_mut().zip(&counters).enumerate() {
        assert!(counter.0.load(Ordering::SeqCst) > 0, "{i} sleeps, and there is room");
        served.push(poll(future.as_mut(), counter));
    }
    assert!(served.iter().all(Poll::is_ready));
}

/// Who has looked in vain is not asked again for what the next are served with.
#[test]
fn what_is_too_little_for_the_first_goes_to_the_next() {
    let pool = pool(ONE_LARGE);
    let _small = pool.try_get(250).expect("there is room");
    let half = pool.try_get(2_000).expect("there is room");
    let _rest: Vec<_> = std::iter::from_fn(|| pool.try_get(250).ok()).collect();
    let counters: Vec<Arc<Counter>> = (0..5).map(|_| Arc::default()).collect();
    let sizes = [4_000, 300, 300, 300, 300];
    let mut waiting: Vec<_> = sizes.map(|size| Box::pin(pool.get_async(size))).into();
    for (future, counter) in waiting.iter_mut().zip(&counters) {
        assert!(poll(future.as_mut(), counter).is_pending());
    }
    drop(half);
    let mut served = Vec::new();
    for (future, counter) in waiting.iter_mut().zip(&counters) {
        assert!(counter.0.load(Ordering::SeqCst) > 0);
        served.push(poll(future.as_mut(), counter));
    }
    let ready: Vec<_> = served.iter().map(Poll::is_ready).collect();
    assert_eq!(ready, [false, true, true, true, true]);
    assert_eq!(counters[0].0.load(Ordering::SeqCst), 1);
}

/// One that waits.
struct Waiting<'a> {
    future: Pin<Box<GetAsync<'a>>>,
    size: usize,
    counter: Arc<Counter>,
    /// Wake-ups before it was polled last.
    seen: usize,
}

impl Waiting<'_> {
    fn is_woken(&self) -> bool {
        self.counter.0.load(Ordering::SeqCst) > self.seen
    }

    fn poll(&mut self) -> Option<SliceMut> {
        self.seen = self.counter.0.load(Ordering::SeqCst);
        match poll(self.future.as_mut(), &self.counter) {
            Poll::Ready(block) => Some(block.expect("only a wait")),
            Poll::Pending => None,
        }
    }
}

/// All that wait, all that is in use, and how much that is.
struct Crowd<'a> {
    pool: &'a Pool,
    limit: usize,
    /// What a block of each of the sizes takes of the limit.
    footprints: [usize; SIZES.len()],
    live: Vec<(SliceMut, usize)>,
    waiting: Vec<Waiting<'a>>,
    other: &'a Worker<()>,
}

impl<'a> Crowd<'a> {
    fn new(pool: &'a Pool, limit: usize, other: &'a Worker<()>) -> Self {
        let footprints = [0, 1, 2, 3, 4].map(|size| {
            pool.trim();
            let _block = pool.try_get(SIZES[size]).expect("one of any size");
            usize::try_from(pool.stats().held_bytes).expect("below the limit")
        });
        pool.trim();
        Crowd { pool, limit, footprints, live: Vec::new(), waiting: Vec::new(), other }
    }

    fn fits(&self, size: usize) -> bool {
        let used: usize = self.live.iter().map(|(_, size)| self.footprints[*size]).sum();
        used + self.footprints[size] <= self.limit
    }

    /// Looks for the `i`-th of those that wait, who goes if it is served.
    fn poll(&mut self, i: usize) {
        let size = self.waiting[i].size;
        let fits = self.fits(size);
        let block = self.waiting[i].poll();
        assert_eq!(block.is_some(), fits, "whether there is room for {}", SIZES[size]);
        if let Some(block) = block {
            self.live.push((block, size));
            self.waiting.remove(i);
        }
    }

    fn step(&mut self, op: u8, which: usize, size: usize) -> &'static str {
        let live = which.checked_rem(self.live.len());
        let waiting = which.checked_rem(self.waiting.len());
        match (op % 16, live, waiting) {
            (0..5, ..) => {
                let future = Box::pin(self.pool.get_async(SIZES[size]));
                self.waiting.push(Waiting { future, size, counter: Arc::default(), seen: 0 });
                self.poll(self.waiting.len() - 1);
                "wait"
            }
            (5..8, Some(i), _) => {
                self.live.swap_remove(i);
                "free"
            }
            (8, Some(i), _) => {
                let (block, _) = self.live.swap_remove(i);
                self.other.call(move |()| drop(block));
                "free elsewhere"
            }
            (9..12, _, Some(_)) => {
                let woken = |i: &usize| self.waiting[*i].is_woken();
                let woken: Vec<_> = (0..self.waiting.len()).filter(woken).collect();
                if let Some(i) = which.checked_rem(woken.len()) {
                    self.poll(woken[i]);
                }
                "look when woken"
            }
            (12, _, Some(i)) => {
                self.poll(i);
                "look"
            }
            (13, _, Some(i)) => {
                self.waiting.remove(i);
                "give up"
            }
            (14, ..) => {
                let fits = self.fits(size);
                let block = self.pool.try_get(SIZES[size]).ok();
                assert_eq!(block.is_some(), fits, "whether there is room for {}", SIZES[size]);
                self.live.extend(block.map(|block| (block, size)));
                "get"
            }
            (15, ..) => {
                self.pool.trim();
                "trim"
            }
            _ => "nothing",
        }
    }

    /// Nobody sleeps for whom there is room, unless somebody is awake who has yet to look.
    fn check(&self) {
        let awake = self.waiting.iter().any(Waiting::is_woken);
        let asleep = self.waiting.iter().position(|one| !one.is_woken() && self.fits(one.size));
        assert!(awake || asleep.is_none(), "{asleep:?} sleeps, and there is room");
    }

    /// All who are woken look, until nobody is.
    fn settle(&mut self) {
        while let Some(i) = self.waiting.iter().position(Waiting::is_woken) {
            self.poll(i);
            self.check();
        }
    }

    /// Frees all blocks until all are served.
    fn end(mut self) {
        self.settle();
        while !self.waiting.is_empty() {
            let before = self.waiting.len();
            while self.live.pop().is_some() {
                self.settle();
                self.check();
                if self.waiting.len() < before {
                    break;
                }
            }
            assert!(self.waiting.len() < before, "nothing is in use, and {before} sleep");
        }
        drop(self.live);
        assert_eq!(self.pool.outstanding(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1_000), ..Default::default() })]

    #[test]
    fn nobody_sleeps_for_whom_there_is_room(
        larges in 1..4_usize,
        more in 0..4_000_usize,
        script in prop::collection::vec((any::<u8>(), 0..32_usize, 0..SIZES.len()), 1..100),
    ) {
        let (limit, other) = (larges * ONE_LARGE + more, Worker::new());
        let pool = pool(limit);
        traced(|trace| {
            let mut crowd = Crowd::new(&pool, limit, &other);
            for (op, which, size) in script {
                let name = crowd.step(op, which, size);
                *trace += &format!("\n  {name}: {which}, {}", SIZES[size]);
                crowd.check();
            }
            crowd.end();
        });
    }
}

#[test]
fn threads_that_wait_for_any_size_are_all_served() {
    let pool = pool(ONE_LARGE + 300);
    let (done, served) = mpsc::channel();
    let waiting: Vec<_> = (0..8_u8)
        .map(|i| {
            let (pool, done) = (pool.clone(), done.clone());
            thread::spawn(move || {
                for round in 0..scale(200) {
                    let size = SIZES[(usize::from(i) + round) % SIZES.len()];
                    if round % 3 == 0 {
                        // A wait that is given up, woken or not.
                        let mut given_up = Box::pin(pool.get_async(size));
                        let _ = poll(given_up.as_mut(), &Arc::default());
                        thread::yield_now();
                    }
                    let mut block = pool.get_blocking(size).expect("only a wait");
                    block.extend_from_slice(&[i; 100]);
                    thread::yield_now();
                    assert_eq!(block[..], [i; 100]);
                }
                done.send(()).expect("the test waits");
            })
        })
        .collect();
    for _ in 0..8 {
        served.recv_timeout(Duration::from_secs(15)).expect("a wake-up was lost");
    }
    waiting.into_iter().for_each(|thread| thread.join().expect("no panic"));
    assert_eq!(pool.outstanding(), 0);
}
