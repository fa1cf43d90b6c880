//! What the types promise to the compiler, and that they print in every state.

use std::fmt::Debug;
use std::mem::size_of;

use aqueduct_pool::{
    ClassStats, GetAsync, GetError, Limit, Pool, PoolBuildError, PoolBuilder, PoolStats,
};
use aqueduct_testkit::{is_send, is_sync};

#[test]
fn t12_a_pool_is_a_handle_and_errors_are_small() {
    const {
        assert!(size_of::<Pool>() <= 16);
        assert!(size_of::<GetError>() <= 64);
        assert!(size_of::<PoolBuildError>() <= 64);
    }
}

#[test]
fn t12_blocks_have_the_alignment_that_was_asked_for() {
    for align in [1, 16, 64, 256, 4_096] {
        let pool = Pool::builder().alignment(align).build().expect("sensible");
        for n in [1, 100, 256, 300, 4_096, 70_000, 1 << 20] {
            let blocks = [pool.get(n), pool.get(n), pool.get(n)];
            for block in &blocks {
                assert_eq!(block.as_ptr().addr() % align, 0, "{n} bytes at {align}");
            }
        }
    }
}

#[test]
fn t25_which_types_may_cross_threads() {
    let table = [
        ("Pool", is_send!(Pool), is_sync!(Pool)),
        ("PoolBuilder", is_send!(PoolBuilder), is_sync!(PoolBuilder)),
        ("PoolStats", is_send!(PoolStats), is_sync!(PoolStats)),
        ("ClassStats", is_send!(ClassStats), is_sync!(ClassStats)),
        ("GetError", is_send!(GetError), is_sync!(GetError)),
        ("PoolBuildError", is_send!(PoolBuildError), is_sync!(PoolBuildError)),
        ("Limit", is_send!(Limit), is_sync!(Limit)),
        ("GetAsync", is_send!(GetAsync<'static>), true),
    ];
    for (name, send, sync) in table {
        assert_eq!((send, sync), (true, true), "{name}: (Send, Sync)");
    }
}

fn shows(value: &impl Debug) {
    assert!(!format!("{value:?}").is_empty() && !format!("{value:#?}").is_empty());
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t11_a_pool_prints_in_every_state() {
    let builder = Pool::builder().hard_limit(1 << 21).scrub(true).alignment(4_096);
    shows(&builder);
    let pool = builder.build().expect("sensible");
    shows(&pool);
    let held: Vec<_> = std::iter::from_fn(|| pool.try_get(100_000).ok()).collect();
    shows(&pool);
    shows(&pool.stats());
    shows(&pool.try_get(100_000).expect_err("the limit is met"));
    shows(&pool.try_get(usize::MAX).expect_err("too much"));
    let waiting = pool.get_async(100_000);
    shows(&waiting);
    drop((held, waiting));
    shows(&pool);
    pool.trim();
    shows(&pool.stats());
    pool.stats().classes().iter().for_each(shows);
    shows(&Pool::builder().alignment(3).build().expect_err("no alignment"));
    shows(Pool::global());
}
