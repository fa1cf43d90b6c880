//! Sizes that overflow, settings that make no sense, and errors that say so.

use std::error::Error;

use aqueduct_pool::{Limit, Pool};
use aqueduct_testkit::{panics, pattern, stride};

fn pool() -> Pool {
    Pool::builder().build().expect("the defaults")
}

/// Sizes of which no allocation exists.
fn impossible() -> impl Iterator<Item = usize> {
    let most = isize::MAX.cast_unsigned();
    (0..=64).step_by(stride(16)).map(|k| usize::MAX - k).chain([most + 1, most + 2, most + 64])
}

#[test]
fn t01_a_pool_refuses_every_size_that_overflows() {
    let pool = pool();
    let most = isize::MAX.cast_unsigned();
    for n in impossible().chain((0..=64).step_by(stride(16)).map(|k| most - k)) {
        let refused = pool.try_get(n).expect_err("no such block");
        assert_eq!(refused.requested(), n);
        assert!(refused.to_string().contains(&n.to_string()), "{refused}");
    }
    for n in impossible() {
        assert!(panics(|| pool.get(n)), "get({n})");
    }
    let stats = pool.stats();
    assert_eq!((stats.outstanding, stats.held_bytes), (0, 0));
}

#[test]
fn t01_a_pooled_block_refuses_to_grow_past_all_memory() {
    for offset in [0, 1, 5] {
        let pool = pool();
        let bytes = pattern(offset + 100, 1);
        let mut block = pool.get(1_000);
        block.extend_from_slice(&bytes);
        block.advance(offset);
        for n in impossible() {
            assert!(block.try_reserve(n).is_err(), "{n}");
            assert!(panics(|| block.reserve(n)), "{n}");
            assert!(panics(|| block.resize(n, 0)), "{n}");
            assert!(panics(|| block.commit(n)), "{n}");
            assert_eq!(block[..], bytes[offset..]);
        }
        drop(block);
        assert_eq!(pool.outstanding(), 0);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn every_size_from_nothing_to_past_the_largest_is_served() {
    let pool = Pool::builder().smallest_block(64).largest_block(4_096).build().expect("sensible");
    for n in 0..5_000 {
        let mut block = pool.get(n);
        assert!(block.is_empty() && block.capacity() >= n, "{} for {n}", block.capacity());
        block.resize(n, 1);
        assert_eq!(block.freeze().len(), n);
    }
    let stats = pool.stats();
    assert_eq!((stats.outstanding, stats.gets + stats.heap_fallbacks), (0, 5_000));
    assert!(stats.heap_fallbacks > 0, "what is past the largest comes from the heap");
}

#[test]
fn a_class_is_about_a_power_of_two() {
    let pool = pool();
    for n in [1, 256, 257, 4_096, 5_000, 65_536, 1 << 20] {
        let capacity = pool.get(n).capacity();
        assert!(capacity <= n.next_power_of_two().max(256) + 256, "{capacity} for {n}");
    }
    let named: u64 = pool.stats().classes().iter().map(|c| c.gets).sum();
    assert_eq!(named, 7, "each get is counted in its class");
}

#[test]
fn settings_that_make_no_sense_are_refused_with_their_value() {
    let builder = Pool::builder;
    let top = !(usize::MAX >> 1);
    let refused = [
        (builder().smallest_block(0), "0"),
        (builder().smallest_block(300), "300"),
        (builder().largest_block(1_000), "1000"),
        (builder().largest_block(usize::MAX), &usize::MAX.to_string()),
        (builder().smallest_block(1 << 16).largest_block(1 << 12), "65536"),
        (builder().smallest_block(top), &top.to_string()),
        (builder().alignment(0), "0"),
        (builder().alignment(3), "3"),
        (builder().alignment(8_192), "8192"),
        (builder().alignment(top), &top.to_string()),
        (builder().hard_limit(0), "0"),
        (builder().hard_limit(100), "100"),
    ];
    for (builder, value) in refused {
        let shown = format!("{builder:?}");
        let error = builder.build().expect_err(&shown);
        assert!(error.to_string().contains(value), "{error} does not name {value}");
        assert!(error.source().is_none());
    }
}

#[test]
fn limits_of_the_whole_range_build_and_work() {
    for bytes in [0, 1, usize::MAX] {
        let pool = Pool::builder().keep_per_thread(bytes).keep_in_all(bytes).build();
        let pool = pool.expect("keeping nothing, or all, makes sense");
        for _ in 0..3 {
            drop((pool.get(1_000), pool.get(60_000)));
        }
        assert_eq!(pool.outstanding(), 0);
    }
    let pool = Pool::builder().hard_limit(usize::MAX).build().expect("a limit that is never met");
    drop(pool.get(1_000));
}

#[test]
fn an_error_names_the_limit_that_was_met() {
    let pool = Pool::builder().largest_block(4_096).hard_limit(8 << 10).build().expect("sensible");
    let refused = pool.try_get(5_000).expect_err("past the largest block");
    assert!(matches!(refused.limit(), Limit::LargestBlock(4_096..4_400)), "{refused:?}");
    let said = refused.to_string();
    assert!(said.contains("5000") && said.contains("largest"), "{said}");

    let mut held = Vec::new();
    let refused = loop {
        match pool.try_get(4_000) {
            Ok(block) => held.push(block),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.limit(), Limit::HardLimit(8 << 10));
    let said = refused.to_string();
    assert!(said.contains("4000") && said.contains("8192"), "{said}");
}
