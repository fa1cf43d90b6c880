//! The k-th allocation fails, for every k: an error, an abort or a panic, and no block lost.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use aqueduct_pool::{Limit, Pool};
use aqueduct_testkit::{CountingAlloc, FailingAlloc};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc;

/// Which scenario a child process runs, as `name:k`.
const CHILD: &str = "AQUEDUCT_T02_CHILD";

/// One test at a time: one of them compares what the whole process allocated.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const SIZES: [usize; 4] = [100, 1_000, 60_000, 900_000];

fn pool() -> Pool {
    Pool::builder().build().expect("the defaults")
}

#[test]
fn t02_try_get_names_the_memory_that_failed_and_loses_nothing() {
    let _alone = alone();
    for size in SIZES {
        let pool = pool();
        drop(pool.get(size + 5_000)); // the thread's own structures exist now
        for k in 0..50 {
            FailingAlloc::arm(k);
            let got = [(); 3].map(|()| pool.try_get(size));
            let failed = FailingAlloc::disarm();
            let refused: Vec<_> = got.iter().filter_map(|g| g.as_ref().err()).collect();
            assert!(refused.len() <= usize::from(failed), "an error without a reason");
            for error in refused {
                assert!(matches!(error.limit(), Limit::Memory(_)), "{error:?}");
                assert!(error.to_string().contains(&size.to_string()), "{error}");
            }
            drop(got);
            assert_eq!(pool.outstanding(), 0);
            pool.trim();
            let stats = pool.stats();
            assert_eq!((stats.held_bytes, stats.retained_bytes), (0, 0), "{size}, {k}");
            if !failed {
                break;
            }
        }
    }
}

#[test]
fn t02_growth_in_a_pool_leaves_the_block_as_it_was() {
    let _alone = alone();
    let pool = pool();
    drop(pool.get(50_000));
    for k in 0..20 {
        let mut block = pool.get(1_000);
        block.extend_from_slice(&[7; 900]);
        FailingAlloc::arm(k);
        let grown = block.try_reserve(20_000).is_ok();
        let failed = FailingAlloc::disarm();
        assert!(grown || failed, "an error without a reason");
        assert_eq!(block[..], [7; 900]);
        drop(block);
        assert_eq!(pool.outstanding(), 0);
        pool.trim();
        if !failed {
            return;
        }
    }
    panic!("twenty allocations");
}

type Scenario = (&'static str, fn(&Pool));

/// What has no form that returns an error, or makes a thread's structures for the first time.
const SCENARIOS: &[Scenario] = &[
    ("get", |pool| drop(pool.get(1_000))),
    ("get from the heap", |pool| drop(pool.get(2 << 20))),
    ("first get of a thread", |pool| {
        let pool = pool.clone();
        std::thread::scope(|s| {
            let got = s.spawn(move || {
                FailingAlloc::arm(wanted());
                let got = catch_unwind(AssertUnwindSafe(|| drop(pool.try_get(1_000))));
                let _ = FailingAlloc::disarm();
                got.is_ok()
            });
            drop(got.join());
        });
    }),
    ("free elsewhere", |pool| {
        let blocks: Vec<_> = (0..40).map(|_| pool.get(1_000)).collect();
        std::thread::scope(|s| {
            let freed = s.spawn(move || {
                FailingAlloc::arm(wanted());
                drop(blocks);
                let _ = FailingAlloc::disarm();
            });
            drop(freed.join());
        });
    }),
    ("free here", |pool| {
        let blocks: Vec<_> = (0..40).map(|_| pool.get(60_000)).collect();
        drop(blocks);
    }),
    FREES[0],
    FREES[1],
    FREES[2],
    FREES[3],
    ("wait for a block", |_| {
        let pool = Pool::builder().largest_block(1 << 16).hard_limit(100_000).build();
        let Ok(pool) = pool else { return };
        let (held, mut waits) = (pool.get(60_000), Box::pin(pool.get_async(60_000)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        drop(held);
        assert!(waits.as_mut().poll(&mut context).is_ready());
        drop(waits);
        assert_eq!(pool.outstanding(), 0);
    }),
    ("trim and stats", |pool| {
        pool.trim();
        pool.maintain();
        drop(pool.stats());
    }),
    ("build", |_| drop(Pool::builder().smallest_block(128).build())),
];

/// Frees on threads that have all that they need: these may not end the process.
const FREES: [Scenario; 4] = [
    ("free here, and take places from another size", |pool| {
        let _ = FailingAlloc::disarm();
        // So many that their places are all that the thread may have; half of them have no block.
        drop((0..120).map(|_| pool.get(4_100)).collect::<Vec<_>>());
        let half: Vec<_> = (0..60).map(|_| pool.get(4_100)).collect();
        drop((0..40).map(|_| pool.get(60_000)).collect::<Vec<_>>());
        pool.trim();
        drop(half);
        drop((0..120).map(|_| pool.get(4_100)).collect::<Vec<_>>());
        let half: Vec<_> = (0..60).map(|_| pool.get(4_100)).collect();
        let large: Vec<_> = (0..8).map(|_| pool.get(60_000)).collect();
        FailingAlloc::arm(wanted());
        drop(large);
        let _ = FailingAlloc::disarm();
        drop(half);
    }),
    ("free here, more than a thread keeps", |pool| {
        let _ = FailingAlloc::disarm();
        let large: Vec<_> = (0..40).map(|_| pool.get(60_000)).collect();
        FailingAlloc::arm(wanted());
        drop(large);
        let _ = FailingAlloc::disarm();
    }),
    ("free on a thread that has a heap", |pool| {
        let _ = FailingAlloc::disarm();
        let blocks: Vec<_> =
            (0..300).map(|i| pool.get(if i % 3 == 0 { 100 } else { 9_000 })).collect();
        let pool = pool.clone();
        std::thread::spawn(move || {
            drop(pool.get(100));
            drop((0..600).map(|_| pool.get(9_000)).collect::<Vec<_>>());
            FailingAlloc::arm(wanted());
            drop(blocks);
            pool.maintain();
            let _ = FailingAlloc::disarm();
        })
        .join()
        .expect("no panic");
    }),
    ("end of a thread that has a heap", |pool| {
        let _ = FailingAlloc::disarm();
        let blocks: Vec<_> = (0..300).map(|_| pool.get(9_000)).collect();
        let pool = pool.clone();
        std::thread::spawn(move || {
            drop(pool.get(100));
            drop(blocks);
            FailingAlloc::arm(wanted());
        })
        .join()
        .expect("no panic");
    }),
];

/// The k of this child process.
fn wanted() -> u64 {
    let child = std::env::var(CHILD).unwrap_or_default();
    child.split_once(':').and_then(|(_, k)| k.parse().ok()).unwrap_or(u64::MAX / 2)
}

/// What a child does: the k-th allocation of its scenario fails. It ends by itself with 0 (borne, or
/// nothing failed) or with 10 (a panic); with 11 when a block is out for ever; or by a signal.
fn child(name: &str) -> i32 {
    let (_, scenario) = SCENARIOS.iter().find(|(n, _)| *n == name).expect("a scenario");
    let pool = pool();
    FailingAlloc::arm(wanted());
    let ended = catch_unwind(AssertUnwindSafe(|| scenario(&pool)));
    let _ = FailingAlloc::disarm();
    match (pool.outstanding(), ended) {
        (0, Ok(())) => 0,
        (0, Err(_)) => 10,
        _ => 11,
    }
}

#[test]
#[cfg_attr(miri, ignore = "starts child processes")]
fn t02_the_other_forms_abort_or_panic_and_lose_nothing() {
    let _alone = alone();
    if let Some((name, _)) = std::env::var(CHILD).ok().as_deref().and_then(|c| c.split_once(':')) {
        std::process::exit(child(name));
    }
    let this = std::env::current_exe().expect("the test binary");
    for (name, _) in SCENARIOS {
        for k in 0..12 {
            let ended = Command::new(&this)
                .args(["--exact", "t02_the_other_forms_abort_or_panic_and_lose_nothing"])
                .arg("--nocapture")
                .env(CHILD, format!("{name}:{k}"))
                .output()
                .expect("a child process");
            let said = String::from_utf8_lossy(&ended.stderr);
            match ended.status.code() {
                Some(0 | 10) => {}
                None => assert!(said.contains("memory allocation of"), "{name}, {k}: {said}"),
                other => panic!("{name}, allocation {k}: {other:?}: {said}"),
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "starts child processes")]
fn t02_a_free_never_ends_the_process() {
    let _alone = alone();
    let this = std::env::current_exe().expect("the test binary");
    let mut bad = Vec::new();
    for (name, _) in FREES {
        for k in 0..24 {
            let ended = Command::new(&this)
                .args(["--exact", "t02_the_other_forms_abort_or_panic_and_lose_nothing"])
                .arg("--nocapture")
                .env(CHILD, format!("{name}:{k}"))
                .output()
                .expect("a child process");
            if ended.status.code() != Some(0) {
                let said = String::from_utf8_lossy(&ended.stderr);
                let line = said.lines().find(|line| line.contains("memory allocation of"));
                bad.push(format!("{name}, allocation {k}: {:?}, {line:?}", ended.status));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
fn what_a_pool_had_goes_back_when_it_is_gone() {
    let _alone = alone();
    let live = || CountingAlloc::process().live_bytes();
    let round = || {
        let pool = pool();
        let blocks: Vec<_> = SIZES.iter().cycle().take(40).map(|n| pool.get(*n)).collect();
        let theirs = pool.clone();
        std::thread::spawn(move || drop((blocks, theirs.get(5_000)))).join().expect("no panic");
        drop(pool.get(700));
        drop(pool);
    };
    round();
    let before = live();
    for _ in 0..20 {
        round();
    }
    let grown = live() - before;
    assert!(grown < 256 << 10, "{grown} bytes more after twenty pools of several megabytes");
}
