//! Loom models of the ring and the arena. Each names its negative twins: the same model must fail with
//! one of them switched on.
//!
//! Loom watches the slots: who touches one without owning it, or without having been handed it over,
//! fails the model. A wake-up that is lost shows as a deadlock.

use crate::{Arena, Beside, Builder, Closed, Consumer, Lease, One, Producer, Shared, Wait};
use loom::{model, sync::Arc, thread};

fn put<N: crate::Number>(producer: &mut Producer<u32, N>, value: u32) {
    let mut claim = producer.claim().unwrap();
    *claim = value;
    claim.publish();
}

fn get(consumer: &mut Consumer<u32>) -> Result<u32, Closed> {
    loop {
        // None of a claim that was given up.
        if let Some(value) = consumer.take(1)?.iter_mut().next() {
            return Ok(*value);
        }
    }
}

/// All that comes until the end.
fn rest(mut consumer: Consumer<u32>) -> Vec<u32> {
    std::iter::from_fn(|| get(&mut consumer).ok()).collect()
}

// twin: claim_in_two_steps
// twin: stamp_relaxed
// twin: stamped_relaxed
#[test]
fn model_13_two_producers_one_consumer_wrapped_twice() {
    model(|| {
        let (mut producer, mut consumer) = Builder::new(2).build_many::<u32, One>(|| 0).unwrap();
        let mut other = producer.clone();
        // Round once before others begin.
        for value in [7, 8, 9] {
            put(&mut producer, value);
            assert_eq!(get(&mut consumer), Ok(value));
        }
        let thread = thread::spawn(move || put(&mut producer, 1));
        put(&mut other, 2);
        let got = [0; 2].map(|_| get(&mut consumer).unwrap());
        thread.join().unwrap();
        assert!([[1, 2], [2, 1]].contains(&got));
    });
}

// twin: publish_relaxed
// twin: cursor_relaxed
// twin: advance_relaxed
// twin: gate_relaxed
#[test]
fn model_13_one_producer_wrapped_twice() {
    model(|| {
        let (mut producer, mut consumer) = Builder::new(2).build::<u32, One>(|| 0).unwrap();
        for value in [7, 8] {
            put(&mut producer, value);
            assert_eq!(get(&mut consumer), Ok(value));
        }
        let thread = thread::spawn(move || (1..=3).for_each(|value| put(&mut producer, value)));
        (1..=3).for_each(|value| assert_eq!(get(&mut consumer), Ok(value)));
        thread.join().unwrap();
    });
}

// twin: advance_relaxed
// twin: cursor_relaxed
#[test]
fn model_13_a_stage_sees_what_the_stage_before_wrote() {
    model(|| {
        let (mut producer, (mut first, mut second)) =
            Builder::new(2).build::<u32, (One, One)>(|| 0).unwrap();
        let doubles = thread::spawn(move || {
            for _ in 0..2 {
                first.take(1).unwrap().iter_mut().for_each(|value| *value *= 2);
            }
        });
        for value in [1, 2] {
            put(&mut producer, value);
            if value > 1 {
                assert_eq!(get(&mut second), Ok(2 * (value - 1)));
            }
        }
        assert_eq!(get(&mut second), Ok(4));
        doubles.join().unwrap();
    });
}

// twin: advance_relaxed
// twin: gate_relaxed
#[test]
fn model_13_a_slot_is_filled_again_when_both_beside_each_other_have_read_it() {
    fn read(reader: &mut Consumer<u32, Shared>, value: u32) {
        assert_eq!(reader.take(1).unwrap().iter().next(), Some(&value));
    }
    model(|| {
        let (mut producer, ([mut one, mut other],)) =
            Builder::new(1).build::<u32, (Beside<2>,)>(|| 0).unwrap();
        let reads =
            thread::spawn(move || [1, 2].into_iter().for_each(|value| read(&mut other, value)));
        for value in [1, 2] {
            put(&mut producer, value);
            read(&mut one, value);
        }
        reads.join().unwrap();
    });
}

// twin: bell_unfenced
// twin: wait_unfenced
// twin: wait_looks_once
#[test]
fn model_14_full_and_empty_and_both_asleep() {
    model(|| {
        let (mut producer, mut consumer) = Builder::new(1).build::<u32, One>(|| 0).unwrap();
        let thread = thread::spawn(move || (1..=3).for_each(|value| put(&mut producer, value)));
        (1..=3).for_each(|value| assert_eq!(get(&mut consumer), Ok(value)));
        thread.join().unwrap();
    });
}

// twin: bell_unfenced
// twin: wait_unfenced
#[test]
fn model_14_one_slot_wakes_both_who_sleep() {
    model(|| {
        let (mut producer, (readers,)) = Builder::new(1).build::<u32, (Beside<2>,)>(|| 0).unwrap();
        let reads = |mut reader: Consumer<u32, Shared>| {
            thread::spawn(move || assert_eq!(reader.take(1).unwrap().iter().count(), 1))
        };
        let threads = readers.map(reads);
        put(&mut producer, 1);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

// twin: bell_unfenced
// twin: wait_unfenced
#[test]
fn model_14_the_last_producers_end_wakes() {
    model(|| {
        let (mut producer, consumer) = Builder::new(2).build::<u32, One>(|| 0).unwrap();
        let thread = thread::spawn(move || put(&mut producer, 1));
        assert_eq!(rest(consumer), [1]);
        thread.join().unwrap();
    });
}

// twin: bell_unfenced
// twin: wait_unfenced
#[test]
fn model_14_a_consumers_end_wakes_who_waits_for_room() {
    model(|| {
        let (mut producer, mut consumer) = Builder::new(1).build::<u32, One>(|| 0).unwrap();
        let thread = thread::spawn(move || {
            let mut put = || producer.claim().map(|claim| claim.publish()).is_ok();
            while put() {}
        });
        let _ = get(&mut consumer);
        drop(consumer);
        thread.join().unwrap();
    });
}

/// Of one that only gives up what it has claimed, too.
// twin: last_head_relaxed
#[test]
fn model_14_the_last_of_two_ends_is_seen_with_all_that_was_published() {
    model(|| {
        // One that never sleeps: there is no fence to order it.
        let ring = Builder::new(2).wait(Wait::Yield);
        let (mut producer, consumer) = ring.build_many::<u32, One>(|| 0).unwrap();
        let mut other = producer.clone();
        let thread = thread::spawn(move || put(&mut other, 1));
        std::mem::forget(producer.claim());
        drop(producer);
        assert_eq!(rest(consumer), [1]);
        thread.join().unwrap();
    });
}

// twin: generation_ignored
// twin: lease_end_relaxed
// twin: lease_relaxed
#[test]
fn model_16_a_stale_handle_is_refused() {
    model(|| {
        let arena = Arc::new(Arena::new(1, || 0).unwrap());
        let mut lease = arena.lease().unwrap();
        *lease = 1;
        let stale = lease.hold();
        let next = {
            let arena = arena.clone();
            thread::spawn(move || {
                arena.claim(stale).map(drop);
                let mut lease = arena.lease()?;
                *lease = 2;
                Some(lease.hold())
            })
        };
        // Its first tenant or nobody; never its next.
        if let Some(lease) = arena.claim(stale) {
            assert_eq!(*lease, 1);
        }
        if let Some(handle) = next.join().unwrap() {
            assert!(arena.claim(stale).is_none());
            assert_eq!(arena.claim(handle).as_deref(), Some(&2));
        }
    });
}

// twin: handle_in_two_steps
#[test]
fn model_16_of_two_claims_of_a_handle_one_succeeds() {
    model(|| {
        let arena = Arc::new(Arena::new(2, || 0).unwrap());
        let handle = arena.lease().unwrap().hold();
        let claims = move |arena: &Arena<u32>| {
            let lease = arena.claim(handle);
            let got = lease.is_some();
            lease.into_iter().for_each(|mut lease| *lease += 1);
            got
        };
        let other = {
            let arena = arena.clone();
            thread::spawn(move || claims(&arena))
        };
        let own = claims(&arena);
        assert!(own ^ other.join().unwrap());
        assert_eq!(arena.free(), 2);
    });
}

// twin: handle_relaxed
// twin: lease_end_relaxed
#[test]
fn model_16_what_a_lease_wrote_is_seen_by_who_claims_it() {
    model(|| {
        let arena = Arc::new(Arena::new(1, || 0).unwrap());
        let handle = arena.lease().unwrap().hold();
        let writer = {
            let arena = arena.clone();
            thread::spawn(move || {
                let writes = |mut lease: Lease<'_, u32>| {
                    *lease += 1;
                    assert_eq!(lease.hold(), handle);
                };
                arena.claim(handle).map(writes);
            })
        };
        arena.claim(handle).map(|lease| assert!(*lease <= 1));
        writer.join().unwrap();
    });
}
