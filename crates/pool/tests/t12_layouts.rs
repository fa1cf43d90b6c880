//! What a pool gives back to the allocator is as large as what it asked for, whatever its settings say
//! of where headers stand and data begins.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, reason = "a test binary")]

use aqueduct_pool::{Pool, PoolBuilder};
use aqueduct_testkit::CountingAlloc;
use std::{
    sync::{Mutex, PoisonError},
    thread,
};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// One test at a time: the figures of the process are of both.
static ALONE: Mutex<()> = Mutex::new(());

type Setting = (&'static str, fn(PoolBuilder) -> PoolBuilder);

const SETTINGS: [Setting; 7] = [
    ("as they are", |builder| builder),
    ("scrubbing", |builder| builder.scrub(true)),
    ("aligned to 8", |builder| builder.alignment(8)),
    ("aligned to 64", |builder| builder.alignment(64)),
    ("aligned to 256", |builder| builder.alignment(256)),
    ("aligned to a page", |builder| builder.alignment(4096)),
    ("huge pages", |builder| builder.largest_block(2 << 20).huge_pages(true)),
];

/// Blocks of every class and some of none, all at once, so that some lie where others do not.
fn get_all(pool: &Pool) {
    let lengths = (0..5_000).step_by(97).chain([65_536, 100_000, 1_000_000, 2 << 20, 5 << 20]);
    let mut buffers: Vec<_> = lengths.map(|len| pool.get(len)).collect();
    for buffer in &mut buffers {
        // To the last byte.
        let room = buffer.capacity();
        buffer.resize(room, 7);
    }
}

#[test]
fn t12_a_pool_gives_blocks_back_as_large_as_it_made_them() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, setting) in SETTINGS {
        let pool = setting(Pool::builder()).build().expect("a pool");
        let used = || {
            let before = CountingAlloc::thread();
            get_all(&pool);
            pool.trim();
            CountingAlloc::thread() - before
        };
        used(); // what is kept for the next time is there now
        let used = used();
        assert!(used.allocations > 50, "{name}: {used:?}");
        assert_eq!((used.live(), used.live_bytes()), (0, 0), "{name}");
    }
}

#[test]
fn what_blocks_travel_in_between_threads_is_given_back() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let pool = Pool::builder().build().expect("a pool");
    let round = || {
        let buffers: Vec<_> = (0..100).map(|n| pool.get(n * 10)).collect();
        thread::spawn(move || drop(buffers)).join().expect("no panic");
        pool.trim();
    };
    (0..5).for_each(|_| round());
    let before = CountingAlloc::process();
    (0..100).for_each(|_| round());
    let used = CountingAlloc::process() - before;
    // The harness allocates a few times itself.
    assert!(used.live() < 50, "{used:?}");
}
