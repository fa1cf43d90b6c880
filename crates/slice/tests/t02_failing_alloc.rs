//! The k-th allocation fails, for every k: an error, a panic or an abort, and no block lost.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use aqueduct_slice::{Interner, Slice, SliceMut, Str};
use aqueduct_testkit::{CountingAlloc, FailingAlloc};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc;

/// Which scenario a child process runs, as `name:k`.
const CHILD: &str = "AQUEDUCT_T02_CHILD";

type Scenario = (&'static str, fn());

fn filled() -> SliceMut {
    let mut m = SliceMut::with_capacity(100);
    m.extend_from_slice(&[7; 60]);
    m
}

/// Every operation that allocates and has no form that returns an error.
const SCENARIOS: &[Scenario] = &[
    ("copy_from_slice", || drop(Slice::copy_from_slice(&[1; 100]))),
    ("from_vec", || drop(Slice::from(vec![1; 100]))),
    ("from_owner", || drop(Slice::from_owner([1; 100]))),
    ("detach", || drop(Slice::from(vec![1; 100]).detach())),
    ("pin", || drop(Slice::copy_from_slice(&[1; 10]).pin())),
    ("with_capacity", || drop(SliceMut::with_capacity(100))),
    ("with_headroom", || drop(SliceMut::with_headroom(10, 100))),
    ("extend", || filled().extend_from_slice(&[1; 1_000])),
    ("resize", || filled().resize(1_000, 1)),
    ("reserve when shared", || {
        let mut m = filled();
        let front = m.split_frozen(10);
        m.reserve(1_000);
        drop(front);
    }),
    ("unsplit", || {
        let mut m = filled();
        m.unsplit(filled());
    }),
    ("read_from", || drop(SliceMut::new().read_from(&mut &[3_u8; 500][..], 500))),
    ("into_mut and grow", || {
        if let Ok(mut m) = Slice::from(vec![1; 100]).try_into_mut() {
            m.extend_from_slice(&[2; 100]);
        }
    }),
    ("local", || {
        let local = Slice::from(vec![1; 100]).into_local().expect("alone");
        drop((local.clone(), local.to_shared()));
    }),
    ("str and interner", || {
        let mut names = Interner::new();
        for i in 0..4 {
            drop(names.intern(&"a long enough key ".repeat(i + 2)));
        }
        drop(Str::from("a text of more than twenty-three bytes"));
    }),
];

/// The forms that return errors: for every k an error or a success, and nothing lost.
fn for_every_failing_k(name: &str, mut attempt: impl FnMut() -> bool) {
    attempt(); // fills whatever store of headers there may be
    for k in 0..100 {
        let before = CountingAlloc::thread();
        FailingAlloc::arm(k);
        let succeeded = attempt();
        let failed = FailingAlloc::disarm();
        assert!(succeeded || failed, "{name}, allocation {k}: an error without a reason");
        let lost = (CountingAlloc::thread() - before).live();
        assert!(lost <= 0, "{name}, allocation {k}: {lost} blocks lost");
        if !failed {
            return;
        }
    }
    panic!("{name}: a hundred allocations");
}

#[test]
fn t02_the_forms_that_return_errors_lose_nothing() {
    for_every_failing_k("try_with_capacity", || SliceMut::try_with_capacity(100).is_ok());
    for_every_failing_k("try_reserve", || {
        let mut m = SliceMut::new();
        if m.try_reserve(100).is_err() {
            assert_eq!((m.len(), m.capacity()), (0, 0), "refused, and changed");
            return false;
        }
        m.extend_from_slice(&[7; 50]);
        let (len, capacity) = (m.len(), m.capacity());
        let grown = m.try_reserve(1_000).is_ok();
        assert!(grown || m.capacity() == capacity, "refused, and changed");
        assert_eq!((m.len(), &m[..]), (len, &[7; 50][..]));
        grown
    });
    for_every_failing_k("try_reserve when shared", || {
        let Ok(mut m) = SliceMut::try_with_capacity(100) else { return false };
        m.extend_from_slice(&[7; 60]);
        let front = m.split_frozen(10);
        let grown = m.try_reserve(1_000).is_ok();
        assert_eq!((&front[..], &m[..]), (&[7; 10][..], &[7; 50][..]));
        grown
    });
}

/// What a child does: the k-th allocation of its scenario fails. It ends by itself with 0 (nothing
/// failed, or it was borne), with 10 (a panic, and nothing lost), with 11 (lost), or by a signal.
fn child(name: &str, k: u64) -> i32 {
    let (_, scenario) = SCENARIOS.iter().find(|(n, _)| *n == name).expect("a scenario");
    scenario();
    let before = CountingAlloc::thread();
    FailingAlloc::arm(k);
    let ended = catch_unwind(AssertUnwindSafe(scenario));
    let failed = FailingAlloc::disarm();
    let panicked = ended.is_err();
    drop(ended);
    let lost = (CountingAlloc::thread() - before).live();
    match (lost > 0, panicked, failed) {
        (true, ..) => 11,
        (false, true, _) => 10,
        (false, false, true) => 12,
        (false, false, false) => 0,
    }
}

#[test]
#[cfg_attr(miri, ignore = "starts child processes")]
fn t02_the_other_forms_abort_or_panic_and_lose_nothing() {
    if let Some((name, k)) = std::env::var(CHILD).ok().as_deref().and_then(|c| c.split_once(':')) {
        std::process::exit(child(name, k.parse().expect("a number")));
    }
    let this = std::env::current_exe().expect("the test binary");
    for (name, _) in SCENARIOS {
        for k in 0.. {
            let ended = Command::new(&this)
                .args(["--exact", "t02_the_other_forms_abort_or_panic_and_lose_nothing"])
                .arg("--nocapture")
                .env(CHILD, format!("{name}:{k}"))
                .output()
                .expect("a child process");
            match ended.status.code() {
                // An abort: `handle_alloc_error` says how much could not be had.
                None => {
                    let said = String::from_utf8_lossy(&ended.stderr);
                    assert!(said.contains("memory allocation of"), "{name}, {k}: {said}");
                }
                Some(10 | 12) => {}
                Some(0) => {
                    assert!(k > 0, "{name}: nothing is asked for");
                    break;
                }
                other => panic!("{name}, allocation {k}: {other:?}"),
            }
        }
    }
}
