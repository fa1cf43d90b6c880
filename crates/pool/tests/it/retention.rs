//! What a pool keeps, in numbers: blocks that die elsewhere come back, and nothing piles up.

use std::sync::mpsc::{channel, sync_channel};
use std::sync::{Arc, Barrier};
use std::thread;

use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{Worker, resident_bytes, scale, skip};

const KIB: usize = 1 << 10;
const MIB: u64 = 1 << 20;

fn pool() -> Pool {
    Pool::builder().build().expect("the defaults")
}

fn get_many(pool: &Pool, count: usize, size: usize) -> Vec<SliceMut> {
    (0..count).map(|_| pool.get(size)).collect()
}

#[test]
fn sixteen_mebibytes_freed_elsewhere_come_back_without_the_heap() {
    let pool = pool();
    let elsewhere = Worker::<()>::new();
    let round = || {
        let blocks = get_many(&pool, 256, 64 * KIB);
        elsewhere.call(move |()| drop(blocks));
        pool.stats()
    };
    let first = round();
    assert_eq!((first.gets, first.outstanding, first.heap_fallbacks), (256, 0, 0));
    assert!(first.remote_frees >= 256, "{}", first.remote_frees);
    for _ in 0..3 {
        let next = round();
        assert_eq!(next.misses, first.misses, "went to the heap again");
        assert_eq!(next.held_bytes, first.held_bytes);
        assert_eq!(next.outstanding, 0);
    }
}

/// Frees a few blocks on another thread, fewer than a batch, and makes them leave by `how`.
fn few_come_back(how: impl FnOnce(&Pool) + Send + 'static) {
    let pool = pool();
    let elsewhere = Worker::<()>::new();
    let blocks = get_many(&pool, 10, 4 * KIB);
    let before = pool.stats();
    let theirs = pool.clone();
    elsewhere.call(move |()| {
        drop(blocks);
        how(&theirs);
    });
    let after_how = pool.stats().misses;
    let blocks = get_many(&pool, 10, 4 * KIB);
    let after = pool.stats();
    assert_eq!(after.remote_frees - before.remote_frees, 10);
    assert_eq!(after.misses, after_how, "went to the heap while ten blocks wait");
    drop(blocks);
}

#[test]
fn a_batch_that_is_not_full_leaves_with_maintain() {
    few_come_back(Pool::maintain);
}

#[test]
fn a_batch_that_is_not_full_leaves_with_the_next_slow_step() {
    few_come_back(|pool| drop(pool.get(100_000)));
}

#[test]
fn a_batch_that_is_not_full_leaves_with_its_thread() {
    let pool = pool();
    for _ in 0..20 {
        let blocks = get_many(&pool, 10, 4 * KIB);
        thread::spawn(move || drop(blocks)).join().expect("no panic");
    }
    assert_eq!(pool.stats().misses, 10, "went to the heap for what ended threads had freed");
}

#[test]
fn a_thread_that_only_frees_leaves_memory_flat() {
    let pool = pool();
    let (blocks, inbox) = sync_channel::<SliceMut>(64);
    let freer = thread::spawn(move || inbox.iter().for_each(drop));
    let (count, mut early) = (scale(100_000), 0);
    for i in 0..count {
        let mut block = pool.get(4 * KIB);
        block.extend_from_slice(&[1]);
        blocks.send(block).expect("the other side lives");
        if i == count / 10 {
            early = pool.stats().peak_held_bytes;
        }
    }
    drop(blocks);
    freer.join().expect("no panic");
    let stats = pool.stats();
    assert_eq!((stats.gets, stats.outstanding), (count as u64, 0));
    // 64 in the channel, two batches of 32 and a few in hand: 160 blocks of 4 KiB and a header.
    assert!(stats.peak_held_bytes <= 4 * MIB, "{} at the peak", stats.peak_held_bytes);
    assert!(stats.peak_held_bytes <= early + MIB, "{early}, then {}", stats.peak_held_bytes);
}

#[test]
fn many_threads_that_only_free_leave_memory_flat() {
    let pool = pool();
    let freers: Vec<Worker<()>> = (0..4).map(|_| Worker::new()).collect();
    let mut early = 0;
    for i in 0..scale(400) {
        for freer in &freers {
            let blocks = get_many(&pool, 50, 8 * KIB);
            freer.post(move |()| drop(blocks));
        }
        freers.iter().for_each(|f| f.call(|()| ()));
        if i == 40 {
            early = pool.stats().peak_held_bytes;
        }
    }
    let stats = pool.stats();
    assert_eq!(stats.outstanding, 0);
    assert!(stats.peak_held_bytes <= early + MIB, "{early}, then {}", stats.peak_held_bytes);
}

#[test]
fn what_is_freed_to_an_idle_owner_stays_under_its_cap() {
    let (per_thread, in_all) = (1 << 20, 16 << 20);
    let pool = Pool::builder().keep_per_thread(per_thread).keep_in_all(in_all);
    let pool = pool.build().expect("a sensible pool");
    let owner = Worker::<()>::new();
    let theirs = pool.clone();
    let blocks = owner.call(move |()| get_many(&theirs, 2_500, 64 * KIB));
    let held = pool.stats().held_bytes;
    assert!(held >= 160_000_000, "{held}");
    let before = resident_bytes();
    drop(blocks);
    let stats = pool.stats();
    assert_eq!(stats.outstanding, 0);
    // The owner's lease and this thread's, what all may keep, and one batch of 128 KiB each.
    let cap = (2 * per_thread + in_all + 2 * 128 * KIB) as u64;
    assert!(stats.retained_bytes <= cap, "{} retained, cap {cap}", stats.retained_bytes);
    assert_eq!(stats.held_bytes, stats.retained_bytes, "nothing is out");
    // What the idle owner cannot keep is there for others: its lease is all that they lack.
    let reachable = (usize::try_from(stats.retained_bytes).unwrap() - 2 * per_thread) / (65 * KIB);
    let blocks = get_many(&pool, reachable, 64 * KIB);
    assert_eq!(pool.stats().misses, stats.misses, "the idle owner keeps what others need");
    drop(blocks);
    match (before, resident_bytes()) {
        (Some(before), Some(after)) => assert!(after <= before + (32 << 20)),
        _ => skip("the system does not tell how much memory is resident"),
    }
}

#[test]
fn what_ended_threads_leave_one_new_thread_can_use() {
    let pool = pool();
    let (threads, each) = (64, 8);
    let all_have = Arc::new(Barrier::new(threads));
    let running: Vec<_> = (0..threads)
        .map(|_| {
            let (pool, all_have) = (pool.clone(), all_have.clone());
            thread::spawn(move || {
                let blocks = get_many(&pool, each, 16 * KIB);
                all_have.wait();
                drop(blocks);
            })
        })
        .collect();
    running.into_iter().for_each(|t| t.join().expect("no panic"));
    let before = pool.stats();
    assert_eq!((before.outstanding, before.gets), (0, (threads * each) as u64));
    assert!(before.retained_bytes >= 8 * MIB, "{}", before.retained_bytes);

    let theirs = pool.clone();
    let new = thread::spawn(move || {
        let blocks = get_many(&theirs, threads * each, 16 * KIB);
        let stats = theirs.stats();
        drop(blocks);
        // Adopted blocks are its own: these die at home.
        drop(get_many(&theirs, 16, 16 * KIB));
        (stats, theirs.stats().remote_frees)
    });
    let (after, remote_frees) = new.join().expect("no panic");
    assert_eq!(after.misses, before.misses, "went to the heap beside what was left");
    assert_eq!(after.held_bytes, before.held_bytes);
    assert_eq!(remote_frees, before.remote_frees, "adopted blocks went to their old owners");
}

#[test]
fn threads_one_after_another_use_the_same_memory() {
    let pool = pool();
    for _ in 0..scale(200) {
        let pool = pool.clone();
        thread::spawn(move || drop(get_many(&pool, 8, 16 * KIB))).join().expect("no panic");
    }
    let stats = pool.stats();
    assert_eq!(stats.outstanding, 0);
    assert!(stats.peak_held_bytes <= MIB, "{} at the peak", stats.peak_held_bytes);
}

#[test]
fn a_thousand_short_threads_with_blocks_dying_elsewhere_leave_nothing_out() {
    let pool = pool();
    let (out, inbox) = channel::<SliceMut>();
    let freer = thread::spawn(move || {
        for block in inbox {
            assert_eq!(block[..], [block[0]; 100]);
        }
    });
    for batch in 0..100 {
        let running: Vec<_> = (0..10)
            .map(|i| {
                let (pool, out) = (pool.clone(), out.clone());
                thread::spawn(move || {
                    for size in [100, 1_000, 10_000] {
                        let mut block = pool.get(size);
                        block.resize(100, batch + i);
                        out.send(block).expect("the other side lives");
                        drop(pool.get(size));
                    }
                })
            })
            .collect();
        running.into_iter().for_each(|t| t.join().expect("no panic"));
    }
    drop(out);
    freer.join().expect("no panic");
    assert_eq!(pool.outstanding(), 0);
    let stats = pool.stats();
    assert_eq!(stats.gets, 6_000);
    assert!(stats.peak_held_bytes <= 32 * MIB, "{} at the peak", stats.peak_held_bytes);
    pool.trim();
    assert_eq!(pool.stats().held_bytes, 0, "all threads but this ended, and this one trimmed");
}

#[test]
fn outstanding_is_never_negative_while_blocks_fly() {
    let pool = pool();
    let (blocks, inbox) = sync_channel::<SliceMut>(100);
    let freer = thread::spawn(move || inbox.iter().for_each(drop));
    let watched = pool.clone();
    let watcher = thread::spawn(move || {
        let mut most = 0;
        for _ in 0..scale(20_000) {
            most = most.max(watched.outstanding());
        }
        most
    });
    for _ in 0..scale(50_000) {
        blocks.send(pool.get(1_000)).expect("the other side lives");
    }
    let most = watcher.join().expect("no panic");
    // 100 in the channel and one on each side; a sum over moving counters may see some got after
    // the frees were summed, but never a difference below zero, which would be near u64::MAX.
    assert!(most <= 1 << 20, "{most}");
    drop(blocks);
    freer.join().expect("no panic");
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn threads_that_sent_all_they_had_keep_nothing_from_the_others() {
    let pool = Pool::builder().keep_in_all(4 << 20).build().expect("a sensible pool");
    let senders: Vec<Worker<()>> = (0..20).map(|_| Worker::new()).collect();
    for sender in &senders {
        let blocks: Vec<_> = [200, 500, 1_000, 2_000].map(|size| pool.get(size)).into();
        let theirs = pool.clone();
        sender.call(move |()| {
            drop(blocks);
            theirs.maintain(); // what was dropped has gone home
        });
        drop(get_many(&pool, 4, 200)); // and is found there
    }
    let retained = pool.stats().retained_bytes;
    assert!(retained < 1 << 20, "{retained}");
    let other = Worker::<()>::new();
    let theirs = pool.clone();
    let misses = other.call(move |()| {
        drop(get_many(&theirs, 100, 4 * KIB));
        let before = theirs.stats().misses;
        drop(get_many(&theirs, 100, 4 * KIB));
        theirs.stats().misses - before
    });
    assert_eq!(
        misses, 0,
        "of 4 MiB, {retained} bytes are kept, and no room for a hundred blocks more"
    );
}
