//! Several producers, one of which dies with a claim in its hands, and three consumers on a small ring,
//! under random schedules: every wait may be given up, and in the end every stage has seen what was
//! published, once and in order. (Shuttle knows no weak orderings; those are loom's.)

use crate::{Beside, Builder, Closed, Consumer, Exclusive, Many, One, Producer, Shared};
use shuttle::{
    rand::{Rng, thread_rng},
    thread,
};
use std::{
    mem,
    pin::pin,
    task::{Context, Waker},
};

/// Eight threads, with the three that take.
const PRODUCERS: usize = 5;
/// Events of each producer.
const EVENTS: usize = 6;

#[derive(Clone, Copy, Default)]
struct Event {
    producer: usize,
    number: usize,
    checked: bool,
}

/// Schedules: a hundredth of what is asked for by hand.
fn schedules() -> usize {
    if std::env::var_os("AQUEDUCT_LONG").is_some_and(|v| v == "1") { 10_000 } else { 100 }
}

fn chance(of: u32) -> bool {
    thread_rng().gen_range(0..of) == 0
}

/// Polls a future once, with a waker that wakes nobody, and drops it.
fn give_up(future: impl Future) {
    let _ = pin!(future).poll(&mut Context::from_waker(Waker::noop()));
}

/// How many events it published.
fn produce(mut producer: Producer<Event, Many>, who: usize) -> usize {
    let mut number = 0;
    while number < EVENTS {
        if chance(4) {
            give_up(producer.claim_async());
        }
        if chance(8) {
            producer.claim().unwrap().abort();
        }
        // The dying one leaves in the midst of it.
        if who == 0 && number == EVENTS / 2 {
            mem::forget(producer.claim_many(2).unwrap());
            return number;
        }
        let mut claims = producer.claim_many(thread_rng().gen_range(1..=2)).unwrap();
        for (event, number) in claims.iter_mut().zip(number..) {
            *event = Event { producer: who, number, checked: false };
        }
        let count = thread_rng().gen_range(0..=claims.len()).min(EVENTS - number);
        claims.publish(count);
        number += count;
    }
    number
}

/// How many events of each producer came, in order.
fn count(seen: &mut [usize; PRODUCERS], event: Event) {
    assert_eq!(event.number, seen[event.producer]);
    seen[event.producer] += 1;
}

fn check(mut consumer: Consumer<Event, Exclusive>) -> [usize; PRODUCERS] {
    let mut seen = [0; PRODUCERS];
    loop {
        if chance(4) {
            give_up(consumer.take_async(1));
        }
        let mut batch = match consumer.take(thread_rng().gen_range(1..=3)) {
            Ok(batch) => batch,
            Err(closed) => return ended(closed, seen),
        };
        for event in &mut batch {
            assert!(!mem::replace(&mut event.checked, true));
            count(&mut seen, *event);
        }
    }
}

fn read(mut consumer: Consumer<Event, Shared>) -> [usize; PRODUCERS] {
    let mut seen = [0; PRODUCERS];
    loop {
        if chance(4) {
            give_up(consumer.take_async(1));
        }
        let mut batch = match consumer.take(thread_rng().gen_range(1..=3)) {
            Ok(batch) => batch,
            Err(closed) => return ended(closed, seen),
        };
        for event in &mut batch {
            assert!(event.checked);
            count(&mut seen, *event);
        }
    }
}

fn ended(closed: Closed, seen: [usize; PRODUCERS]) -> [usize; PRODUCERS] {
    assert!(!closed.panicked());
    seen
}

fn storm() {
    let ring = Builder::new(2).build_many::<Event, (One, Beside<2>)>(Event::default);
    let (producer, (first, readers)) = ring.unwrap();
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|who| {
            let producer = producer.clone();
            thread::spawn(move || produce(producer, who))
        })
        .collect();
    drop(producer);
    let mut consumers = vec![thread::spawn(move || check(first))];
    consumers.extend(readers.map(|reader| thread::spawn(move || read(reader))));
    let made: Vec<_> = producers.into_iter().map(|thread| thread.join().unwrap()).collect();
    for consumer in consumers {
        assert_eq!(consumer.join().unwrap(), *made);
    }
}

// twin: claim_in_two_steps
// twin: wait_looks_once
#[test]
fn storm_of_a_ring_in_random_schedules() {
    shuttle::check_random(storm, schedules());
}

// twin: claim_in_two_steps
// twin: wait_looks_once
#[test]
fn storm_of_a_ring_in_unlikely_schedules() {
    shuttle::check_pct(storm, schedules(), 3);
}
