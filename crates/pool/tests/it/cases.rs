//! Behaviours of other pools, by the number they have in the list of what this one is compared with.

use std::collections::HashSet;
use std::thread;

use aqueduct_pool::{Limit, Pool};
use aqueduct_slice::SliceMut;
use aqueduct_testkit::{fewer, panics};

fn pool() -> Pool {
    Pool::builder().build().expect("the defaults")
}

/// Where a buffer's room begins.
fn address(buffer: &mut SliceMut) -> usize {
    buffer.spare_mut().as_ptr().addr()
}

#[test]
fn case_173_one_pool_is_the_process_own_and_others_are_their_own() {
    let (a, b) = (pool(), pool());
    let block = a.get(100);
    assert_eq!((a.outstanding(), b.outstanding()), (1, 0));
    drop(block);
    assert!(std::ptr::eq(Pool::global(), Pool::global()));
    let elsewhere = thread::spawn(|| std::ptr::from_ref(Pool::global()).addr());
    assert_eq!(elsewhere.join().expect("no panic"), std::ptr::from_ref(Pool::global()).addr());
    assert!(Pool::builder().smallest_block(0).build().is_err());
    assert!(Pool::builder().smallest_block(1 << 16).largest_block(1 << 12).build().is_err());
}

#[test]
fn case_174_any_size_is_served_and_past_the_largest_by_the_heap() {
    let pool = Pool::builder().smallest_block(64).largest_block(4096).build().expect("sense");
    assert!(pool.get(0).capacity() > 0, "nothing is asked for, and there is room");
    for (asked, least) in [(1, 64), (64, 64), (200, 256), (256, 256), (3000, 4096)] {
        let capacity = pool.get(asked).capacity();
        assert!((least..=least + 64).contains(&capacity), "{capacity} for {asked}");
    }
    assert_eq!(pool.stats().heap_fallbacks, 0);
    let large = pool.get(100_000);
    assert!(large.capacity() >= 100_000);
    drop(large);
    let stats = pool.stats();
    assert_eq!((stats.heap_fallbacks, stats.outstanding), (1, 0));
    assert!(stats.retained_bytes < 100_000, "and is not kept");
    assert_eq!(pool.try_get(100_000).expect_err("no block is so large").requested(), 100_000);
}

#[test]
fn case_175_no_block_is_out_twice_and_the_last_returned_comes_first() {
    let pool = pool();
    let mut out: Vec<SliceMut> = (0..100).map(|_| pool.get(1000)).collect();
    let addresses: HashSet<usize> = out.iter_mut().map(address).collect();
    assert_eq!(addresses.len(), 100);
    for _ in 0..10 {
        let mut last = out.pop().expect("a block");
        let was = address(&mut last);
        drop(last);
        let mut again = pool.get(1000);
        assert_eq!(address(&mut again), was);
        out.push(again);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn case_176_a_pool_at_its_limit_serves_the_size_from_the_heap() {
    let pool = Pool::builder().largest_block(1 << 16).hard_limit(1 << 20).build().expect("sense");
    let out: Vec<SliceMut> = std::iter::from_fn(|| pool.try_get(4096).ok()).collect();
    let refused = pool.try_get(4096).expect_err("the limit is reached");
    assert!(matches!(refused.limit(), Limit::HardLimit(_)), "{refused}");
    let before = pool.stats().heap_fallbacks;
    let more = pool.get(4096);
    assert!((4096..8192).contains(&more.capacity()), "the size that was asked for");
    assert_eq!(pool.stats().heap_fallbacks, before + 1);
    drop((out, more));
    assert!(pool.try_get(4096).is_ok());
}

#[test]
fn case_177_contents_stay_unless_the_pool_scrubs() {
    let used = |pool: &Pool| {
        let mut block = pool.get(1000);
        block.resize(block.capacity(), 7);
        let was = block.as_ptr().addr();
        drop(block);
        let mut again = pool.get(1000);
        assert_eq!(address(&mut again), was, "the test needs the same block");
        let sevens = again.spare_mut().iter().filter(|byte| **byte == 7).count();
        (sevens, again.spare_mut().len())
    };
    let (sevens, len) = used(&pool());
    assert_eq!(sevens, len);
    assert_eq!(used(&Pool::builder().scrub(true).build().expect("sense")).0, 0);
}

#[test]
fn case_178_what_is_not_the_pools_never_returns_to_it() {
    // A block returned twice, or to another pool, cannot be written down: it returns by being dropped.
    let (a, b) = (pool(), pool());
    let of_a = a.get(1000);
    let of_the_heap = SliceMut::with_capacity(1000);
    drop(b.get(1000));
    let before = b.stats();
    drop((of_a, of_the_heap));
    let after = b.stats();
    assert_eq!(
        (after.retained_bytes, after.held_bytes),
        (before.retained_bytes, before.held_bytes)
    );
    assert_eq!(a.outstanding(), 0);
    // Nor is one of the pool's that grew out of its class kept as what it was.
    let mut grown = b.get(1000);
    grown.resize(100_000, 1);
    drop(grown);
    let mut again = b.get(1000);
    assert!(again.spare_mut().len() >= 1000 && again.capacity() < 100_000);
    drop(again);
    assert_eq!(b.outstanding(), 0);
}

#[test]
fn case_179_blocks_of_threads_that_get_at_once_are_all_distinct() {
    let pool = pool();
    let threads: Vec<_> = (0..4_u8)
        .map(|mark| {
            let pool = pool.clone();
            thread::spawn(move || {
                for _ in 0..fewer(200) {
                    let mut blocks: Vec<SliceMut> = (0..20).map(|_| pool.get(500)).collect();
                    blocks.iter_mut().for_each(|block| block.resize(500, mark));
                    assert!(blocks.iter().all(|block| block[..] == [mark; 500]));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("nobody else wrote there"));
    assert_eq!(pool.outstanding(), 0);
}

#[test]
fn case_180_what_is_idle_can_be_given_back_to_the_system() {
    let pool = pool();
    drop((0..20).map(|_| pool.get(10_000)).collect::<Vec<_>>());
    let held = pool.stats().held_bytes;
    assert!(pool.stats().retained_bytes >= 10_000);
    pool.trim();
    let stats = pool.stats();
    assert_eq!((stats.retained_bytes, stats.held_bytes), (0, 0));
    assert!(stats.peak_held_bytes >= held);
}

#[test]
fn case_181_counters_tell_what_was_rented_returned_and_allocated() {
    let pool = pool();
    let block = pool.get(1000);
    let stats = pool.stats();
    assert_eq!((stats.gets, stats.hits, stats.misses, stats.outstanding), (1, 0, 1, 1));
    drop(block);
    let again = pool.get(1000);
    let stats = pool.stats();
    assert_eq!((stats.gets, stats.hits, stats.misses, stats.outstanding), (2, 1, 1, 1));
    // One that dies elsewhere is counted there.
    thread::spawn(move || drop(again)).join().expect("no panic");
    let stats = pool.stats();
    assert_eq!((stats.remote_frees, stats.outstanding), (1, 0));
    let gets: u64 = stats.classes().iter().map(|class| class.gets).sum();
    assert_eq!(gets, stats.gets);
    assert!(stats.held_bytes > 0 && stats.peak_held_bytes >= stats.held_bytes);
}

#[test]
fn case_182_blocks_outlive_their_pool_and_no_pool_is_used_after_its_end() {
    let pool = pool();
    let clone = pool.clone();
    drop(pool);
    let mut block = clone.get(0);
    assert!(block.capacity() >= 1, "a size of its own choice");
    block.extend_from_slice(b"still here");
    drop(clone);
    // The handle is gone, so there is nothing to ask; what it gave out is whole.
    assert_eq!(block[..], *b"still here");
    block.resize(5000, 1);
    assert_eq!(block.freeze().len(), 5000);
    // Dropping a handle on the process' own pool ends nothing.
    drop(Pool::global().clone());
    assert!(Pool::global().get(10).capacity() >= 10);
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn case_183_a_buffer_grows_by_doubling_and_refuses_more_than_its_room() {
    let pool = pool();
    let mut buffer = pool.get(0);
    let mut growths = 0;
    let mut capacity = buffer.capacity();
    for byte in 0..100_000_u32 {
        buffer.extend_from_slice(&[byte.to_le_bytes()[0]]);
        if buffer.capacity() != capacity {
            growths += 1;
            assert!(buffer.capacity() >= 2 * capacity, "{capacity} to {}", buffer.capacity());
            capacity = buffer.capacity();
        }
    }
    assert!(growths <= 10, "{growths}");
    assert!((0..100_000_u32).all(|i| buffer[i as usize] == i.to_le_bytes()[0]));
    let room = buffer.spare_mut().len();
    assert!(panics(|| buffer.commit(room + 1)));
    assert_eq!(buffer.len(), 100_000, "nothing was committed");
    buffer.clear();
    assert!(buffer.is_empty() && buffer.capacity() == capacity);
}
