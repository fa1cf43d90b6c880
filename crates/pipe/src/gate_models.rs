//! Loom models of the gates alone, with their twins as those of the [pipe](crate::models).

use crate::gate::{CLOSED, END, Gate, INTERRUPT, NEVER, NONE, Raiser, Waiter, Word};
use aqueduct_base::sync::block_on;
use loom::{
    model,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
};
use std::task::{Poll, Waker};

/// Waits of two kinds.
const ONE: usize = 1;
const OTHER: usize = 2;

/// Sleeps until the gate's total is `target` or a flag is up.
fn wait(gate: &Gate, waiter: &mut Waiter, target: u64) -> Word {
    block_on(|context| {
        let word = gate.park(waiter, context.waker(), ONE, target);
        if word.total() < target && !word.has(CLOSED.and(INTERRUPT)) {
            return Poll::Pending;
        }
        gate.unpark(waiter, ONE);
        Poll::Ready(word)
    })
}

fn gate() -> (Arc<Gate>, Arc<Gate>, Waiter) {
    let gate = Arc::new(Gate::new());
    (gate.clone(), gate, Waiter::default())
}

// twin: park_seen_apart
// twin: park_on_a_load
// twin: park_cleared_late
#[test]
fn model_18_no_wake_up_is_lost() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let raiser = thread::spawn(move || {
            raised.raise(1, NONE, &mut Raiser::default());
            raised.raise(1, NONE, &mut Raiser::default());
        });
        for target in [1, 2] {
            assert!(wait(&waited, &mut waiter, target).total() >= target);
        }
        raiser.join().unwrap();
    });
}

/// The payload is an atomic that orders nothing by itself.
// twin: raise_relaxed
// twin: gate_load_relaxed
#[test]
fn model_18_what_was_done_before_is_seen() {
    model(|| {
        let (raised, waited, _) = gate();
        let payload = Arc::new(AtomicU32::new(0));
        let written = payload.clone();
        // (Loom shows no stale value to the thread that made it, once that has yielded.)
        let reader = thread::spawn(move || {
            while waited.load().total() == 0 {
                thread::yield_now();
            }
            assert_eq!(payload.load(Relaxed), 7);
        });
        written.store(7, Relaxed);
        raised.raise(1, NONE, &mut Raiser::default());
        reader.join().unwrap();
    });
}

// twin: target_read_once
#[test]
fn model_18_a_wait_that_is_given_up_for_another() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let raiser = thread::spawn(move || raised.raise(1, NONE, &mut Raiser::default()));
        if waited.park(&mut waiter, Waker::noop(), ONE, 2).total() < 1 {
            wait(&waited, &mut waiter, 1);
        }
        raiser.join().unwrap();
    });
}

/// Whether the raise comes before the second poll, in the midst of it or after it.
// twin: wait_forgotten
#[test]
fn model_18_a_wait_for_the_end_beside_another() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let raiser = thread::spawn(move || raised.raise(1, NONE, &mut Raiser::default()));
        block_on(|context| {
            if waited.park(&mut waiter, context.waker(), ONE, 1).total() == 1 {
                return Poll::Ready(());
            }
            let _ = waited.park(&mut waiter, context.waker(), END, NEVER);
            Poll::Pending
        });
        raiser.join().unwrap();
    });
}

// twin: others_given_up
#[test]
fn model_18_a_wait_is_given_up_but_for_the_end() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let raiser = thread::spawn(move || {
            raised.raise(1, NONE, &mut Raiser::default());
            raised.raise(0, CLOSED, &mut Raiser::default());
        });
        block_on(|context| {
            let _ = waited.park(&mut waiter, context.waker(), ONE, 1);
            let word = waited.park(&mut waiter, context.waker(), END, NEVER);
            waited.unpark(&mut waiter, ONE);
            if word.has(CLOSED) { Poll::Ready(()) } else { Poll::Pending }
        });
        raiser.join().unwrap();
    });
}

/// The same where the wait for the end was first, and beside one for more.
// twin: others_given_up
#[test]
fn model_18_a_wait_that_is_over_leaves_those_before_it() {
    for kind in [END, OTHER] {
        model(move || {
            let (raised, waited, mut waiter) = gate();
            let raiser = thread::spawn(move || {
                raised.raise(1, NONE, &mut Raiser::default());
                raised.raise(1, CLOSED, &mut Raiser::default());
            });
            block_on(|context| {
                let target = if kind == END { NEVER } else { 2 };
                let word = waited.park(&mut waiter, context.waker(), kind, target);
                let _ = waited.park(&mut waiter, context.waker(), ONE, 0);
                waited.unpark(&mut waiter, ONE);
                if word.has(CLOSED) { Poll::Ready(()) } else { Poll::Pending }
            });
            raiser.join().unwrap();
        });
    }
}

// twin: wait_forgotten
#[test]
fn model_18_the_nearest_of_two_waits_is_told() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let raiser = thread::spawn(move || raised.raise(1, NONE, &mut Raiser::default()));
        block_on(|context| {
            for (kind, target) in [(OTHER, 1), (ONE, 2)] {
                if waited.park(&mut waiter, context.waker(), kind, target).total() == 1 {
                    return Poll::Ready(());
                }
            }
            Poll::Pending
        });
        raiser.join().unwrap();
    });
}

// twin: park_seen_apart
// twin: park_on_a_load
#[test]
fn model_18_an_interrupt_and_a_raise_and_another_waker() {
    model(|| {
        let (raised, waited, mut waiter) = gate();
        let interrupted = raised.clone();
        let raiser = thread::spawn(move || raised.raise(1, NONE, &mut Raiser::default()));
        let other = thread::spawn(move || interrupted.nudge(INTERRUPT));
        // The first waker is never waited with: the newest is to be called.
        let _ = waited.park(&mut waiter, Waker::noop(), ONE, NEVER);
        while !wait(&waited, &mut waiter, NEVER).has(INTERRUPT) {}
        waited.clear(INTERRUPT);
        assert_eq!(wait(&waited, &mut waiter, 1).total(), 1);
        raiser.join().unwrap();
        other.join().unwrap();
    });
}

// twin: raiser_keeps
// twin: wakers_read_late
#[test]
fn model_09_who_woke_one_waker_wakes_the_next() {
    model(|| {
        let (gate, raised, mut waiter) = gate();
        let raiser = thread::spawn(move || {
            let mut raiser = Raiser::default();
            raised.raise(1, NONE, &mut raiser);
            raised.raise(1, NONE, &mut raiser);
        });
        let _ = gate.park(&mut waiter, Waker::noop(), ONE, 1);
        assert_eq!(wait(&gate, &mut waiter, 2).total(), 2);
        raiser.join().unwrap();
    });
}
