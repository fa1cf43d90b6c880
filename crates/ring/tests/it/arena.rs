//! The arena, from its contract.

use aqueduct_ring::{Arena, Handle};
use aqueduct_testkit::fewer;
use proptest::prelude::*;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    thread,
};

/// One whose slot no other arena has so many of, or is another's.
#[test]
fn t17_a_handle_of_a_larger_arena_is_refused() {
    let large = Arena::new(64, || 0).unwrap();
    let handles: Vec<Handle> =
        std::iter::from_fn(|| large.lease()).map(|lease| lease.hold()).collect();
    // Between its length and the power of two that its handles have room for, and beyond.
    for capacity in [1, 2, 3, 5, 33] {
        let small = Arena::new(capacity, || 0).unwrap();
        assert!(handles.iter().all(|handle| small.claim(*handle).is_none()));
        assert_eq!(small.free(), capacity);
        let held: Vec<_> = std::iter::from_fn(|| small.lease()).map(|lease| lease.hold()).collect();
        assert_eq!(held.len(), capacity);
        let claimed = handles.iter().filter(|handle| small.claim(**handle).is_some()).count();
        assert!(claimed <= capacity);
    }
}

#[test]
fn a_handle_is_good_for_one_lease_at_a_time_and_for_one_tenant() {
    let arena = Arena::new(1, || 0).unwrap();
    let handle = arena.lease().unwrap().hold();
    let lease = arena.claim(handle).unwrap();
    assert!(arena.claim(handle).is_none(), "it is out");
    assert_eq!(lease.hold(), handle);
    drop(arena.claim(handle).unwrap());
    assert!(arena.claim(handle).is_none(), "it is free");
    let next = arena.lease().unwrap().hold();
    assert_ne!(next, handle);
    assert!(arena.claim(handle).is_none(), "it is another's");
    assert!(arena.claim(next).is_some());
}

/// Any handle of a slot's earlier tenants, however many there were since.
#[test]
fn generations_do_not_come_round() {
    let arena = Arena::new(1, || ()).unwrap();
    let first = arena.lease().unwrap().hold();
    drop(arena.claim(first).unwrap());
    let mut seen = HashSet::from([first]);
    for n in 0..fewer(200_000) {
        let handle = arena.lease().unwrap().hold();
        assert!(seen.insert(handle), "the handle of an earlier tenant, after {n}");
        assert!(arena.claim(first).is_none(), "a stale handle, after {n}");
        drop(arena.claim(handle).unwrap());
    }
}

#[test]
fn handles_go_from_thread_to_thread() {
    let arena = Arc::new(Arena::new(8, || (0_u64, 0_u64)).unwrap());
    let queue = Arc::new(crossbeam_queue::ArrayQueue::<Handle>::new(8));
    const COUNT: u64 = fewer(20_000) as u64;
    let takers = [0, 1].map(|_| {
        let (arena, queue) = (arena.clone(), queue.clone());
        thread::spawn(move || {
            let (mut sum, mut seen) = (0, 0);
            while seen < COUNT / 2 {
                let Some(handle) = queue.pop() else {
                    thread::yield_now();
                    continue;
                };
                let lease = arena.claim(handle).unwrap();
                assert_eq!(lease.0, lease.1);
                (sum, seen) = (sum + lease.0, seen + 1);
            }
            sum
        })
    });
    for number in 0..COUNT {
        let mut lease = loop {
            match arena.lease() {
                Some(lease) => break lease,
                None => thread::yield_now(),
            }
        };
        *lease = (number, number);
        assert!(queue.push(lease.hold()).is_ok());
    }
    let sum: u64 = takers.into_iter().map(|taker| taker.join().unwrap()).sum();
    assert_eq!(sum, COUNT * (COUNT - 1) / 2);
    assert_eq!(arena.free(), 8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..Default::default() })]

    /// Against a map of what is held.
    #[test]
    fn arenas_show_what_a_map_shows(
        capacity in 1_usize..9,
        script in prop::collection::vec((0_u8..4, 0_usize..20), 1..80),
    ) {
        let arena = Arena::new(capacity, || 0).unwrap();
        let (mut held, mut all) = (HashMap::new(), Vec::new());
        for (step, (op, which)) in script.into_iter().enumerate() {
            if op == 0 {
                let lease = arena.lease();
                prop_assert_eq!(lease.is_some(), held.len() < capacity);
                if let Some(mut lease) = lease {
                    *lease = step;
                    let handle = lease.hold();
                    prop_assert_eq!(held.insert(handle, step), None);
                    all.push(handle);
                }
            } else if let Some(handle) = all.get(which % all.len().max(1)) {
                let lease = arena.claim(*handle);
                prop_assert_eq!(lease.as_deref(), held.get(handle));
                match (lease, op) {
                    (Some(mut lease), 1) => {
                        *lease += 1;
                        held.insert(lease.hold(), *held.get(handle).unwrap() + 1);
                    }
                    (Some(lease), _) => {
                        held.remove(handle);
                        drop(lease);
                    }
                    (None, _) => {}
                }
            }
            prop_assert_eq!(arena.free(), capacity - held.len());
        }
    }
}
