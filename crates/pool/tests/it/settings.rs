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
#[cfg_attr(miri, ignore = "too long")]
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
#[cfg_attr(miri, ignore = "too long")]
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
#[cfg_attr(miri, ignore = "too long")]
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

#[test]
fn the_peak_of_a_pool_starts_with_the_pool() {
    let build = || Pool::builder().keep_per_thread(54_321).build().unwrap();
    let first = build();
    drop((0..100).map(|_| first.get(KIB)).collect::<Vec<_>>());
    first.trim();
    let stats = first.stats();
    assert!(stats.held_bytes == 0 && stats.peak_held_bytes >= 100 * 1024, "{stats:?}");
    drop(first);
    // It takes over what the first one left behind, but not its history.
    let second = build();
    drop(second.get(KIB));
    let stats = second.stats();
    assert_eq!(stats.peak_held_bytes, stats.held_bytes, "{stats:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn huge_pages_are_asked_for_behind_large_blocks() {
    if !cfg!(feature = "huge-pages") {
        return aqueduct_testkit::skip("the feature huge-pages is off");
    }
    let advised = |huge: bool, len: usize| {
        let pool = Pool::builder().largest_block(4 << 20).huge_pages(huge).build().unwrap();
        let block = pool.get(len);
        let at = block.as_ptr().addr();
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut inside = false;
        maps.lines().any(|line| {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let ends = range.map(|(a, b)| [a, b].map(|end| usize::from_str_radix(end, 16)));
            if let Some([Ok(start), Ok(end)]) = ends {
                inside = (start..end).contains(&at);
            }
            inside && line.starts_with("VmFlags:") && line.split(' ').any(|flag| flag == "hg")
        })
    };
    assert!(advised(true, 2 << 20), "no advice for a block of 2 MiB");
    assert!(!advised(false, 2 << 20), "advice that nobody asked for");
    assert!(!advised(true, 64 * KIB), "advice for a small block");
}
