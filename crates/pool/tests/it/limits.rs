//! The hard limit: never passed, named when it is met, and free again as soon as blocks die.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{Worker, scale};

const LIMIT: usize = 1 << 20;

fn pool() -> Pool {
    let builder = Pool::builder().largest_block(256 << 10).hard_limit(LIMIT);
    builder.build().expect("a sensible pool")
}

/// All the blocks of a size that the limit allows.
fn all(pool: &Pool, size: usize) -> Vec<SliceMut> {
    std::iter::from_fn(|| pool.try_get(size).ok()).collect()
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn a_limit_allows_what_fits_and_no_more() {
    for size in [100, 4_096, 60_000] {
        let pool = pool();
        let blocks = all(&pool, size);
        let stats = pool.stats();
        assert!(stats.held_bytes <= LIMIT as u64, "{}", stats.held_bytes);
        assert!(blocks.len() * size >= LIMIT / 8, "{} blocks of {size}", blocks.len());
        assert!((blocks.len() + 1) * blocks[0].capacity() > LIMIT * 3 / 4, "stopped early");
        assert_eq!(pool.outstanding(), blocks.len() as u64);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn past_a_limit_get_falls_back_to_the_heap_and_counts_it() {
    let pool = pool();
    let blocks = all(&pool, 4_096);
    let before = pool.stats();
    let mut more: Vec<SliceMut> = (0..10).map(|_| pool.get(4_096)).collect();
    more.iter_mut().for_each(|b| b.resize(4_096, 1));
    let after = pool.stats();
    assert_eq!(after.heap_fallbacks - before.heap_fallbacks, 10);
    assert!(after.held_bytes <= LIMIT as u64);
    drop((blocks, more));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn what_dies_on_any_thread_can_be_had_again_at_once() {
    let pool = pool();
    let elsewhere = Worker::<()>::new();
    let blocks = all(&pool, 4_096);
    let count = blocks.len();
    drop(blocks);
    for _ in 0..5 {
        let blocks = all(&pool, 4_096);
        assert_eq!(blocks.len(), count, "freed here or there, and not to be had");
        elsewhere.call(move |()| drop(blocks));
        // One at a time: no batch may hold blocks back.
        let mut blocks = all(&pool, 4_096);
        for _ in 0..20 {
            let one = blocks.pop().expect("a block");
            elsewhere.call(move |()| drop(one));
            blocks.push(pool.try_get(4_096).expect("the one that just died"));
        }
        thread::spawn(move || drop(blocks)).join().expect("no panic");
    }
}

#[test]
fn what_a_thread_got_and_freed_others_can_have() {
    let pool = pool();
    let workers: Vec<Worker<()>> = (0..4).map(|_| Worker::new()).collect();
    let mut counts = Vec::new();
    for worker in workers.iter().cycle().take(12) {
        let theirs = pool.clone();
        counts.push(worker.call(move |()| all(&theirs, 4_096).len()));
    }
    assert!(counts.iter().all(|c| *c == counts[0]), "{counts:?}");
}

#[test]
fn what_died_in_one_size_can_be_had_in_another() {
    let pool = pool();
    for size in [100, 200_000, 4_096, 60_000, 1_000] {
        let blocks = all(&pool, size);
        assert!(!blocks.is_empty(), "none of {size} after other sizes");
        let bytes: usize = blocks.iter().map(|b| b.capacity()).sum();
        assert!(bytes >= LIMIT / 2, "{bytes} of {LIMIT} in blocks of {size}");
    }
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn the_limit_holds_under_load_from_many_threads() {
    let pool = pool();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !done.load(Ordering::Acquire) {
                most = most.max(pool.stats().held_bytes);
            }
            most
        });
        let workers: Vec<_> = (0..4)
            .map(|i| {
                let pool = &pool;
                scope.spawn(move || {
                    let mut held = Vec::new();
                    for k in 0..scale(5_000) {
                        match pool.try_get((k * 37 + i * 1_000) % 50_000) {
                            Ok(mut block) => {
                                block.extend_from_slice(&[7; 10]);
                                held.push(block);
                            }
                            Err(_) => held.clear(),
                        }
                        if k % 50 == 0 {
                            held.clear();
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().for_each(|w| w.join().expect("no panic"));
        done.store(true, Ordering::Release);
        let most = watcher.join().expect("no panic");
        assert!(most <= LIMIT as u64, "{most} held under a limit of {LIMIT}");
    });
    assert_eq!(pool.outstanding(), 0);
    assert!(pool.stats().peak_held_bytes <= LIMIT as u64);
}
