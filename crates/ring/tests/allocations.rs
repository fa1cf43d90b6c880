//! Nothing is allocated after construction, and that may fail: a binary of its own, since it counts and
//! refuses allocations.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

use aqueduct_ring::{Arena, Beside, BuildError, Builder, One};
use aqueduct_testkit::{CountingAlloc, FailingAlloc, Starved, for_every_allocation};
use std::{sync::Arc, thread};

#[global_allocator]
static ALLOC: FailingAlloc = FailingAlloc;

/// Allocations of this thread in a thousand rounds.
fn cost(mut round: impl FnMut()) -> u64 {
    let before = CountingAlloc::thread();
    (0..1_000).for_each(|_| round());
    (CountingAlloc::thread() - before).allocations
}

#[test]
fn claims_batches_and_leases_allocate_nothing() {
    let (mut producer, (mut first, [mut left, mut right])) =
        Builder::new(16).build_many::<u64, (One, Beside<2>)>(|| 0).unwrap();
    let ring = cost(|| {
        producer.try_claim_many(3).unwrap().publish(2);
        producer.claim().unwrap().publish();
        assert_eq!(first.take(9).unwrap().iter_mut().count(), 3);
        assert_eq!(left.try_take(9).unwrap().iter().count(), 3);
        assert_eq!(right.try_take(9).unwrap().iter().count(), 3);
    });
    let arena = Arena::new(4, || 0).unwrap();
    let arena = cost(|| {
        let handle = arena.lease().unwrap().hold();
        drop(arena.claim(handle));
    });
    assert_eq!((ring, arena), (0, 0));
}

/// Both sides sleep again and again; a thread's first sleep makes what it is woken by.
#[test]
fn sleeping_allocates_nothing_after_the_first_time() {
    let (mut there, mut arrives) = Builder::new(1).build::<u64, One>(|| 0).unwrap();
    let (mut back, mut returns) = Builder::new(1).build::<u64, One>(|| 0).unwrap();
    let mut answer = move || {
        arrives.take(1).unwrap().iter_mut().for_each(drop);
        thread::sleep(std::time::Duration::from_micros(20));
        back.claim().unwrap().publish();
    };
    let mut ask = move || {
        there.claim().unwrap().publish();
        returns.take(1).unwrap().iter_mut().for_each(drop);
    };
    let answers = thread::spawn(move || {
        (0..100).for_each(|_| answer());
        cost(answer)
    });
    (0..100).for_each(|_| ask());
    assert_eq!(cost(ask), 0);
    assert_eq!(answers.join().unwrap(), 0);
}

/// Has `build` make something of values that hold `live`, with an allocation failing, and drops it. Nothing is
/// left of it.
fn starved<R>(k: u64, build: impl FnOnce(&Arc<()>) -> Result<R, BuildError>) -> bool {
    let live = Arc::new(());
    let before = CountingAlloc::thread().live();
    FailingAlloc::arm(k);
    let built = build(&live);
    let failed = FailingAlloc::disarm();
    let refused = built.map(drop).err();
    assert!(refused.is_none_or(|refused| failed && matches!(refused, BuildError::Memory(_))));
    assert_eq!((Arc::strong_count(&live), CountingAlloc::thread().live()), (1, before));
    failed
}

#[test]
#[cfg_attr(miri, ignore = "starts child processes")]
fn t02_what_is_not_built_leaves_nothing_behind() {
    let scenarios: [Starved; 3] = [
        ("ring", |k| {
            starved(k, |live| {
                Builder::new(16).build_many::<_, (One, Beside<2>)>(|| Arc::clone(live))
            })
        }),
        ("sole", |k| starved(k, |live| Builder::new(3).build::<_, One>(|| Arc::clone(live)))),
        ("arena", |k| starved(k, |live| Arena::new(5, || Arc::clone(live)))),
    ];
    let test = "t02_what_is_not_built_leaves_nothing_behind";
    for (failed, borne) in for_every_allocation(test, &scenarios) {
        assert!(borne > 0, "none of {failed} gave an error");
    }
}
