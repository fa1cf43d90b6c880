//! `trim()` and leases: what goes at once, what at a thread's next slow step, and what an idle
//! thread may keep.

use std::thread;

use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use aqueduct_testkit::Worker;

const KIB: usize = 1 << 10;

fn pool(per_thread: usize, in_all: usize) -> Pool {
    let builder = Pool::builder().keep_per_thread(per_thread).keep_in_all(in_all);
    builder.build().expect("a sensible pool")
}

/// Gets blocks and frees them, all on the calling thread.
fn churn(pool: &Pool, count: usize, size: usize) {
    let blocks: Vec<SliceMut> = (0..count).map(|_| pool.get(size)).collect();
    drop(blocks);
}

#[test]
fn trim_empties_the_callers_lists_at_once() {
    let pool = pool(1 << 20, 64 << 20);
    for size in [100, 1_000, 4_096, 20_000, 65_536] {
        churn(&pool, 5, size);
    }
    assert!(pool.stats().retained_bytes > 0);
    pool.trim();
    let stats = pool.stats();
    assert_eq!((stats.retained_bytes, stats.held_bytes, stats.outstanding), (0, 0, 0));
    churn(&pool, 5, 4_096);
    assert!(pool.stats().retained_bytes > 0, "a pool goes on after a trim");
}

#[test]
fn trim_keeps_what_is_out() {
    let pool = pool(1 << 20, 64 << 20);
    let mut kept = pool.get(4_096);
    kept.resize(4_096, 7);
    churn(&pool, 5, 4_096);
    pool.trim();
    let stats = pool.stats();
    assert_eq!((stats.outstanding, stats.retained_bytes), (1, 0));
    assert!(stats.held_bytes >= 4_096);
    assert_eq!(kept[..], [7; 4_096]);
    drop(kept);
    pool.trim();
    assert_eq!(pool.stats().held_bytes, 0);
}

#[test]
fn trim_empties_what_ended_threads_left_at_once() {
    let pool = pool(1 << 20, 64 << 20);
    for _ in 0..10 {
        let theirs = pool.clone();
        thread::spawn(move || churn(&theirs, 20, 8 * KIB)).join().expect("no panic");
    }
    assert!(pool.stats().retained_bytes > 0);
    pool.trim();
    let stats = pool.stats();
    assert_eq!((stats.retained_bytes, stats.held_bytes), (0, 0));
}

#[test]
fn trim_empties_another_threads_lists_at_its_next_slow_step() {
    let pool = pool(1 << 20, 64 << 20);
    let other = Worker::<()>::new();
    let theirs = pool.clone();
    other.call(move |()| churn(&theirs, 100, 4 * KIB));
    let kept = pool.stats().retained_bytes;
    assert!(kept >= 400 * 1_024, "{kept}");
    pool.trim();
    let idle = pool.stats().retained_bytes;
    assert!(idle <= (1 << 20) + (1 << 17), "{idle} kept by an idle thread");
    // A size of which it has no block is a slow step.
    let theirs = pool.clone();
    other.call(move |()| drop(theirs.get(60 * KIB)));
    let after = pool.stats().retained_bytes;
    assert!(after < 400 * 1_024, "{after} kept after a slow step");
}

#[test]
fn an_idle_thread_keeps_at_most_its_lease() {
    for lease in [64 * KIB, 1 << 20] {
        let pool = pool(lease, lease);
        let other = Worker::<()>::new();
        let theirs = pool.clone();
        other.call(move |()| {
            for size in [1_000, 10_000, 60_000] {
                churn(&theirs, 8 * 1_024 * KIB / size, size);
            }
        });
        let kept = pool.stats().retained_bytes;
        // What is shared and not a thread's own has the same bound here.
        assert!(kept <= 2 * lease as u64, "{kept} kept under a lease of {lease}");
        pool.trim();
        let kept = pool.stats().retained_bytes;
        assert!(kept <= lease as u64, "{kept} kept under a lease of {lease} after a trim");
    }
}

#[test]
fn all_threads_together_keep_what_the_pool_may_keep() {
    let (per_thread, in_all) = (1 << 20, 4 << 20);
    let pool = pool(per_thread, in_all);
    let workers: Vec<Worker<()>> = (0..16).map(|_| Worker::new()).collect();
    for worker in &workers {
        let theirs = pool.clone();
        worker.call(move |()| churn(&theirs, 64, 64 * KIB));
    }
    let kept = pool.stats().retained_bytes;
    assert!(kept <= (in_all + in_all / 4) as u64, "{kept} kept by 16 threads, {in_all} allowed");
}

#[test]
fn maintain_does_no_harm() {
    let pool = pool(1 << 20, 1 << 20);
    let kept = pool.get(1_000);
    for _ in 0..10 {
        churn(&pool, 10, 1_000);
        pool.maintain();
    }
    assert_eq!(pool.outstanding(), 1);
    drop(kept);
    assert_eq!(pool.outstanding(), 0);
}
