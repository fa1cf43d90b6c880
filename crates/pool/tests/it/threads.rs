//! Threads that start and end while their blocks live on, and blocks that die where no thread
//! expects it.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::thread;

use aqueduct_pool::Pool;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{Worker, pattern, scale, stride};

fn pool() -> Pool {
    Pool::builder().build().expect("the defaults")
}

fn full(pool: &Pool, size: usize, seed: usize) -> (Slice, Vec<u8>) {
    let bytes = pattern(size, seed);
    let mut block = pool.get(size);
    block.extend_from_slice(&bytes);
    (block.freeze(), bytes)
}

#[test]
fn t28_blocks_change_hands_while_threads_start_and_end() {
    let pool = pool();
    let market = Arc::new(Mutex::new(Vec::<(Slice, Vec<u8>)>::new()));
    for generation in 0..scale(50) {
        let running: Vec<_> = (0..4)
            .map(|i| {
                let (pool, market) = (pool.clone(), market.clone());
                thread::spawn(move || {
                    for k in 0..10 {
                        let size = [30, 300, 3_000][k % 3];
                        let brought = full(&pool, size, generation * 40 + i * 10 + k);
                        let mut market = market.lock().expect("not poisoned");
                        market.push(brought);
                        let at = (generation + k * 7 + i) % market.len();
                        let taken = if k % 4 == 0 { None } else { Some(market.swap_remove(at)) };
                        drop(market);
                        if let Some((slice, bytes)) = taken {
                            assert_eq!(slice, bytes[..]);
                        }
                    }
                })
            })
            .collect();
        running.into_iter().for_each(|t| t.join().expect("no panic"));
    }
    let left = std::mem::take(&mut *market.lock().expect("not poisoned"));
    assert_eq!(pool.outstanding(), left.len() as u64);
    left.iter().for_each(|(slice, bytes)| assert_eq!(*slice, bytes[..]));
    drop(left);
    assert_eq!(pool.outstanding(), 0);
}

/// Frees handles, and gets and frees others, when its thread's locals are destroyed.
struct Last {
    pool: Pool,
    handles: Vec<(Slice, Vec<u8>)>,
    open: Option<SliceMut>,
}

impl Drop for Last {
    fn drop(&mut self) {
        for (slice, bytes) in self.handles.drain(..) {
            assert_eq!(slice, bytes[..]);
        }
        self.open = None;
        let (slice, bytes) = full(&self.pool, 500, 9);
        assert_eq!(slice, bytes[..]);
        let many: Vec<_> = (0..50).map(|i| full(&self.pool, 1_000, i)).collect();
        assert!(many.iter().all(|(slice, bytes)| slice == bytes.as_slice()));
    }
}

thread_local!(static EARLY: RefCell<Option<Last>> = const { RefCell::new(None) });
thread_local!(static LATE: RefCell<Option<Last>> = const { RefCell::new(None) });

#[test]
fn t28_blocks_die_within_thread_local_destructors() {
    let pool = pool();
    let elsewhere: Vec<_> = (0..20).map(|i| full(&pool, 1_000, i)).collect();
    for round in 0..scale(20) {
        let (pool, foreign) = (pool.clone(), elsewhere.clone());
        thread::spawn(move || {
            let last = |foreign| {
                let handles = (0..10).map(|i| full(&pool, 1_000, i)).chain(foreign).collect();
                Last { pool: pool.clone(), handles, open: Some(pool.get(2_000)) }
            };
            // One local is registered before this thread ever used a pool, one after: whatever
            // order destructors run in, one of them finds the thread's heap gone.
            EARLY.with(|slot| drop(slot.borrow_mut()));
            if round % 2 == 0 {
                drop(pool.get(100));
            }
            EARLY.set(Some(last(foreign.clone())));
            LATE.set(Some(last(foreign)));
        })
        .join()
        .expect("no panic");
    }
    drop(elsewhere);
    assert_eq!(pool.outstanding(), 0);
    pool.trim();
    assert_eq!(pool.stats().held_bytes, 0, "a thread that ended kept blocks");
}

#[test]
fn t28_threads_that_never_got_a_block_free_some() {
    let pool = pool();
    for round in 0..scale(100) {
        let blocks: Vec<_> = (0..round % 40 + 1).map(|i| full(&pool, 700, i)).collect();
        thread::spawn(move || {
            for (slice, bytes) in blocks {
                assert_eq!(slice, bytes[..]);
            }
        })
        .join()
        .expect("no panic");
        assert_eq!(pool.outstanding(), 0, "round {round}");
    }
    let stats = pool.stats();
    assert!(stats.held_bytes <= 4 << 20, "{}", stats.held_bytes);
}

#[test]
fn t28_blocks_outlive_their_pool() {
    for round in 0..scale(30) {
        let pool = pool();
        let mut blocks: Vec<_> = (0..50).map(|i| full(&pool, 100 << (i % 8), i)).collect();
        let mut open = pool.get(1_000);
        let (there, theirs) = (Worker::<Vec<(Slice, Vec<u8>)>>::new(), blocks.split_off(25));
        there.post(move |kept| *kept = theirs);
        let got_there = pool.clone();
        let from_there = there.call(move |_| full(&got_there, 400, 1));
        drop(pool);
        // Another pool of the same settings may begin where the first one ended.
        let next = self::pool();
        assert_eq!(next.outstanding(), 0, "round {round}");
        let others: Vec<_> = (0..50).map(|i| full(&next, 100 << (i % 8), i + 7)).collect();
        open.extend_from_slice(&[1; 5_000]);
        assert_eq!(open[..], [1; 5_000]);
        blocks.push(from_there);
        there.call(|kept| {
            kept.drain(..).for_each(|(slice, bytes)| assert_eq!(slice, bytes[..]));
        });
        blocks.iter().for_each(|(slice, bytes)| assert_eq!(*slice, bytes[..]));
        drop((blocks, open));
        assert_eq!(next.outstanding(), 50, "round {round}: old blocks count in the new pool");
        others.iter().for_each(|(slice, bytes)| assert_eq!(*slice, bytes[..]));
        drop(others);
        assert_eq!(next.outstanding(), 0, "round {round}");
    }
}

#[test]
fn t28_a_thread_may_end_while_others_free_to_it() {
    let pool = pool();
    for round in 0..scale(100) {
        let owners = pool.clone();
        let (out, blocks) = std::sync::mpsc::channel();
        let owner = thread::spawn(move || {
            for i in 0..60 {
                out.send(full(&owners, 900, i)).expect("the other side lives");
            }
        });
        let freers: Vec<Worker<()>> = (0..2).map(|_| Worker::new()).collect();
        for (i, (slice, bytes)) in blocks.iter().enumerate() {
            freers[i % 2].post(move |()| assert_eq!(slice, bytes[..]));
        }
        owner.join().expect("no panic");
        drop(freers);
        assert_eq!(pool.outstanding(), 0, "round {round}");
    }
    let stats = pool.stats();
    assert!(stats.peak_held_bytes <= 4 << 20, "{}", stats.peak_held_bytes);
}

#[test]
fn t28_many_pools_on_one_thread() {
    let pools: Vec<Pool> = (0..20).step_by(stride(7)).map(|_| pool()).collect();
    for round in 0..3 {
        let blocks: Vec<_> = pools.iter().map(|p| full(p, 800, round)).collect();
        assert!(pools.iter().all(|p| p.outstanding() == 1));
        thread::spawn(move || drop(blocks)).join().expect("no panic");
        assert!(pools.iter().all(|p| p.outstanding() == 0));
    }
    for pool in &pools {
        pool.trim();
        assert_eq!(pool.stats().held_bytes, 0);
    }
}
