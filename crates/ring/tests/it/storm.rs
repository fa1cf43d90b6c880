//! Real threads for a while: all that was published is seen, once, in order, and by every stage.

use aqueduct_ring::{Beside, Builder, Consumer, Exclusive, One, Shared, Wait};
use aqueduct_testkit::{Random, scale};
use std::{
    thread,
    time::{Duration, Instant},
};

#[derive(Default)]
struct Event {
    producer: usize,
    number: u64,
    stamped: u64,
}

fn long() -> Duration {
    Duration::from_millis(400 * u64::try_from(scale(1)).unwrap_or(1))
}

/// What a producer published, and what each consumer saw of each producer.
fn storm(wait: Wait, producers: usize, capacity: usize) {
    let ring = Builder::new(capacity).wait(wait);
    let ring = ring.build_many::<Event, (One, Beside<2>, One)>(Event::default).unwrap();
    let (producer, (first, [left, right], last)) = ring;
    let made: Vec<_> = (0..producers).map(|_| producer.clone()).collect();
    drop(producer);
    let made = made.into_iter().enumerate().map(|(who, mut producer)| {
        thread::spawn(move || {
            let (mut random, mut number, until) =
                (Random::new(who as u64 + 1), 0, Instant::now() + long());
            while Instant::now() < until {
                let count = 1 + random.below(producer.capacity());
                let mut claims = producer.claim_many(count).unwrap();
                for (event, number) in claims.iter_mut().zip(number..) {
                    *event = Event { producer: who, number, stamped: 0 };
                }
                let publish = random.below(count + 1);
                number += publish as u64;
                if random.one_in(20) {
                    drop(claims);
                    number -= publish as u64;
                } else {
                    claims.publish(publish);
                }
            }
            number
        })
    });
    let made: Vec<_> = made.collect();
    let stamp = |mut it: Consumer<Event, Exclusive>, add: u64| {
        thread::spawn(move || {
            let mut next = vec![0; producers];
            while let Ok(mut batch) = it.take(7) {
                for event in &mut batch {
                    assert_eq!((event.number, event.stamped), (next[event.producer], add));
                    next[event.producer] += 1;
                    event.stamped += 1;
                }
            }
            next
        })
    };
    let look = |mut it: Consumer<Event, Shared>| {
        thread::spawn(move || {
            let mut next = vec![0; producers];
            while let Ok(mut batch) = it.take(5) {
                for event in &mut batch {
                    assert_eq!((event.number, event.stamped), (next[event.producer], 1));
                    next[event.producer] += 1;
                }
            }
            next
        })
    };
    let consumers = [stamp(first, 0), look(left), look(right), stamp(last, 1)];
    let made: Vec<u64> = made.into_iter().map(|producer| producer.join().unwrap()).collect();
    for consumer in consumers {
        assert_eq!(consumer.join().unwrap(), made);
    }
}

#[test]
fn a_storm_of_threads_that_sleep() {
    storm(Wait::Park, 2, 8);
    storm(Wait::Park, 1, 1);
}

#[test]
fn a_storm_of_threads_that_yield() {
    storm(Wait::Yield, 2, 4);
}

/// A consumer that panics: producers are told, those before it go on, those behind it take what it did.
#[test]
fn who_panics_is_missed_by_all() {
    let (mut producer, (mut first, mut second)) =
        Builder::new(4).build::<u64, (One, One)>(|| 0).unwrap();
    let made = thread::spawn(move || {
        let mut number = 0;
        let closed = loop {
            match producer.claim() {
                Ok(mut claim) => *claim = number,
                Err(closed) => break closed,
            }
            if let Ok(claim) = producer.claim() {
                claim.publish();
            }
            number += 1;
        };
        assert!(closed.panicked());
    });
    let panics = thread::spawn(move || {
        loop {
            for number in &mut first.take(1).unwrap() {
                assert!(*number < 10, "on purpose");
            }
        }
    });
    let mut seen = 0;
    let closed = loop {
        match second.take(1) {
            Ok(mut batch) => seen += batch.iter_mut().count(),
            Err(closed) => break closed,
        }
    };
    assert_eq!((seen, closed.panicked()), (10, true), "not the one that it was at");
    assert!(panics.join().is_err());
    made.join().unwrap();
}
