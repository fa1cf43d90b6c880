//! Tests of the counters while other threads move them.

use crate::{
    Pool,
    balance::{random, slice},
    remote::BATCH_BLOCKS,
};
use aqueduct_base::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};
use aqueduct_slice::Slice;
use aqueduct_testkit::{Worker, scale, stride};

const KIB: usize = 1 << 10;

/// Threads get, free and send with `live` blocks at the most, while others sum.
fn watched(most_seen: usize, live: usize, per_thread: usize) -> (usize, Pool) {
    let pool = Pool::builder().smallest_block(64).keep_per_thread(per_thread).build().unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(AtomicUsize::new(most_seen));
    let watchers: Vec<_> = (0..2)
        .map(|_| {
            let (pool, over, seen) = (pool.clone(), over.clone(), seen.clone());
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    seen.fetch_max(pool.core().raw().outstanding(), Ordering::Relaxed);
                    assert!(pool.stats().outstanding < 1 << 32);
                }
            })
        })
        .collect();
    let market = Arc::new(Mutex::new(Vec::<Slice>::new()));
    let workers: Vec<_> = (0..4)
        .map(|i| {
            let (pool, market) = (pool.clone(), market.clone());
            thread::spawn(move || {
                let mut state = 77 + i as u64;
                for k in 0..scale(4_000) {
                    let size = 64 << random(&mut state, 6);
                    let mut own: Vec<_> =
                        (0..random(&mut state, live / 8)).map(|_| slice(&pool, size)).collect();
                    let mut market = market.lock();
                    let room = (live / 2).saturating_sub(market.len());
                    market.extend(own.drain(..own.len().min(room)));
                    let most = random(&mut state, market.len() + 1);
                    let rest = market.len() - most;
                    let taken = market.split_off(rest);
                    drop(market);
                    drop((own, taken));
                    match k % 64 {
                        5 => pool.maintain(),
                        40 if i == 0 => pool.trim(),
                        _ => {}
                    }
                }
            })
        })
        .collect();
    workers.into_iter().for_each(|thread| thread.join().unwrap());
    over.store(true, Ordering::Relaxed);
    watchers.into_iter().for_each(|thread| thread.join().unwrap());
    let left = market.lock().len();
    assert_eq!(pool.outstanding(), left as u64, "exact when nobody moves");
    drop(market);
    assert_eq!(pool.outstanding(), 0);
    (seen.load(Ordering::Relaxed), pool)
}

#[test]
fn outstanding_is_never_below_zero_and_exact_in_the_end() {
    for per_thread in [0, 8 * KIB, 32 * KIB, (1 << 20) + 1].into_iter().step_by(stride(3)) {
        let (most, _pool) = watched(0, 64, per_thread);
        assert!(most < 1 << 20, "{most} in use, of a few hundred");
    }
}

/// Blocks that wait on return stacks and lists are not in use, whoever moves them.
#[test]
fn what_only_moves_is_not_outstanding() {
    let pool = Pool::builder().smallest_block(64).keep_per_thread((1 << 20) + 2).build().unwrap();
    let other = Worker::<()>::new();
    let (rounds, mut above) = (scale(200), 0);
    for _ in 0..rounds {
        let blocks: Vec<_> = (0..500).map(|_| slice(&pool, 64)).collect();
        other.call(move |()| drop(blocks));
        let theirs = pool.clone();
        other.call(move |()| theirs.maintain());
        // One get that finds its list empty, and moves hundreds of blocks.
        let (go, watch) = (Arc::new(AtomicBool::new(false)), pool.clone());
        let watcher = {
            let go = go.clone();
            thread::spawn(move || {
                let mut most = 0;
                while !go.load(Ordering::Acquire) {
                    most = most.max(watch.outstanding());
                }
                most
            })
        };
        drop(slice(&pool, 64));
        go.store(true, Ordering::Release);
        // But for those that are moved at this moment: a batch at a time.
        above += usize::from(watcher.join().unwrap() > 1 + BATCH_BLOCKS as u64);
    }
    // A watcher that loses the processor in the midst of a look sees more than one batch move.
    assert!(above <= rounds / 20, "in {above} rounds of {rounds} more than one and a batch");
}
