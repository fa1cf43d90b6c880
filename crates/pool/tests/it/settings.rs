//! Settings hold wherever a block comes from, and for every thread and pool.

use std::thread;

use aqueduct_pool::Pool;
use aqueduct_slice::SliceMut;
use aqueduct_testkit::Worker;

const KIB: usize = 1 << 10;

fn aligned(buffer: &SliceMut, align: usize) -> bool {
    buffer.as_ptr().addr().is_multiple_of(align)
}

#[test]
fn a_block_of_the_heap_is_aligned_as_the_pools_own() {
    for (asked, align) in [(1, 64), (64, 64), (128, 128), (4096, 4096)] {
        let pool = Pool::builder().largest_block(4 * KIB).alignment(asked).build().unwrap();
        for len in [1, 4 * KIB, 5 * KIB, 300 * KIB] {
            let mut buffer = pool.get(len);
            assert!(aligned(&buffer, align), "{len} bytes at {align}");
            buffer.resize(buffer.capacity() + 1, 7);
            assert!(aligned(&buffer, align), "grown from {len} bytes at {align}");
            buffer.resize(buffer.capacity() + 100 * KIB, 7);
            assert!(aligned(&buffer, align), "grown twice from {len} bytes at {align}");
            assert_eq!(buffer.freeze().try_into_mut().map(|b| aligned(&b, align)), Ok(true));
        }
        let limited =
            Pool::builder().largest_block(4 * KIB).alignment(asked).hard_limit(16 * KIB).build();
        let limited = limited.unwrap();
        let blocks: Vec<_> = (0..8).map(|_| limited.get(4 * KIB)).collect();
        assert!(limited.stats().heap_fallbacks > 0);
        assert!(blocks.iter().all(|b| aligned(b, align)));
        assert!(limited.stats().held_bytes <= 16 * 1024, "{:?}", limited.stats());
    }
}

#[test]
fn more_pools_than_slots_take_turns() {
    let pools: Vec<_> =
        (0..150).map(|i| Pool::builder().keep_per_thread((1 << 20) + i).build().unwrap()).collect();
    let other = Worker::<()>::new();
    for round in 0..4_u8 {
        let blocks: Vec<_> = pools
            .iter()
            .map(|pool| {
                let mut block = pool.get(100);
                block.resize(100, round);
                block.freeze()
            })
            .collect();
        assert!(blocks.iter().all(|b| b.iter().all(|&byte| byte == round)));
        if round % 2 == 0 { drop(blocks) } else { other.call(move |()| drop(blocks)) }
    }
    for pool in &pools {
        let stats = pool.stats();
        assert_eq!((stats.gets, stats.outstanding), (4, 0));
        assert!(stats.misses <= 2, "{stats:?}: a block did not come back");
    }
}

#[test]
fn what_is_not_to_be_kept_is_not_kept_in_batches_either() {
    let pool = Pool::builder().keep_per_thread(0).keep_in_all(0).build().unwrap();
    let idle = Worker::<()>::new();
    for _ in 0..8 {
        let theirs = pool.clone();
        let blocks =
            thread::spawn(move || -> Vec<_> { (0..31).map(|_| theirs.get(2 * KIB)).collect() });
        let blocks = blocks.join().unwrap();
        idle.call(move |()| drop(blocks));
    }
    let stats = pool.stats();
    assert_eq!((stats.outstanding, stats.retained_bytes), (0, 0));
}

#[test]
fn batches_of_many_idle_threads_stay_within_what_all_may_keep() {
    let most = 1 << 20;
    let pool = Pool::builder().keep_per_thread(64 * KIB).keep_in_all(most).build().unwrap();
    let idle: Vec<_> = (0..24).map(|_| Worker::<()>::new()).collect();
    for worker in &idle {
        for _ in 0..4 {
            let theirs = pool.clone();
            let blocks =
                thread::spawn(move || -> Vec<_> { (0..15).map(|_| theirs.get(4 * KIB)).collect() });
            let blocks = blocks.join().unwrap();
            worker.call(move |()| drop(blocks));
        }
    }
    let stats = pool.stats();
    assert_eq!(stats.outstanding, 0);
    // Footprints count headers and rounding, the setting counts data.
    assert!(stats.retained_bytes <= (most + most / 8) as u64, "{}", stats.retained_bytes);
}

#[test]
fn a_pool_with_a_hard_limit_keeps_all_its_blocks() {
    let pool = Pool::builder().largest_block(4 * KIB).hard_limit(16 << 20).build().unwrap();
    let round = || {
        let blocks: Vec<_> = (0..4_000).map(|_| pool.try_get(1_000).unwrap()).collect();
        drop(blocks);
        pool.stats().misses
    };
    let first = round();
    assert_eq!((first, round(), round()), (4_000, 4_000, 4_000), "went to the system again");
}

#[test]
fn held_bytes_are_what_the_system_gives() {
    let pool = Pool::builder().smallest_block(64).alignment(4096).build().unwrap();
    let blocks: Vec<_> = (0..100).map(|_| pool.get(64)).collect();
    assert!(pool.stats().held_bytes >= 100 * 4096, "{}", pool.stats().held_bytes);
    drop(blocks);
    assert_eq!(pool.stats().held_bytes, pool.stats().retained_bytes);
}
