//! When the ring's core calls the kernel, how often, and when it is done.

use super::probe;
use crate::sys::{
    Call, Fault, script,
    uring::{Core, Key},
};
use aqueduct_testkit::skip;
use std::{
    cell::Cell,
    io,
    rc::Rc,
    time::{Duration, Instant},
};

/// Completions that nobody waits for.
const NOBODY: u64 = u64::MAX;

fn core(entries: u32) -> Option<Core> {
    match probe::open(entries) {
        Err(refused) if refused.kind() == io::ErrorKind::Unsupported => {
            skip(&refused.to_string());
            None
        }
        core => Some(core.unwrap()),
    }
}

/// With so many completions on their way.
fn busy(entries: u32, posts: usize) -> Option<Core> {
    let mut core = core(entries)?;
    (0..posts).for_each(|_| core.post(Key::from_bits(NOBODY)));
    Some(core)
}

#[test]
fn one_turn_submits_more_than_the_queue_has_room_for() {
    let Some(mut core) = busy(4, 50) else { return };
    assert!(core.is_stuck());
    core.submit(0, None).unwrap();
    assert!(!core.is_stuck(), "entries are left");
}

#[test]
fn completions_that_there_was_no_room_for_are_taken_up() {
    let Some(mut core) = busy(1, 50) else { return };
    core.submit(0, None).unwrap();
    let mut taken = 0;
    while core.complete().is_some() {
        taken += 1;
    }
    assert_eq!(taken, 50);
}

#[test]
fn who_waits_sleeps_for_a_completion_or_until_its_time_is_up() {
    let Some(mut core) = core(4) else { return };
    let (begun, most) = (Instant::now(), Duration::from_millis(20));
    core.submit(1, Some(most)).unwrap();
    assert!(begun.elapsed() >= most, "it did not sleep");
}

/// Who waits is asked first whether it still wants to; who only submits is not.
#[test]
fn an_interrupted_call_is_made_again_unless_it_waits() {
    for (want, calls) in [(0, 3), (1, 1)] {
        let Some(mut core) = busy(4, 1) else { return };
        let count = Rc::new(Cell::new(0));
        let counted = Rc::clone(&count);
        let _interrupted = script(move |call, _| {
            let fault = (call == Call::UringSubmit && counted.get() < 2)
                .then_some(Fault::Errno(libc::EINTR));
            counted.set(counted.get() + 1);
            fault
        });
        core.submit(want, None).unwrap();
        assert_eq!(count.get(), calls, "waiting for {want}");
    }
}
