//! Nothing is allocated after construction: a binary of its own, since it counts every allocation.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

use aqueduct_ring::{Arena, Beside, Builder, One};
use aqueduct_testkit::CountingAlloc;
use std::thread;

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

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
