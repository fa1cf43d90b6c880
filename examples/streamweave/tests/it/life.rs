//! Starting, pausing, resuming, stopping: each in each state.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use streamweave::{Error, Executor, Mode, State, Weave};

const GRACE: Duration = Duration::from_secs(5);

/// Numbers without end, counted.
fn endless() -> (Executor, Arc<AtomicU64>) {
    let (mut weave, seen) = (Weave::new(), Arc::new(AtomicU64::new(0)));
    let numbers = weave.source("numbers", 0_u64..);
    let counted = seen.clone();
    let sink = weave.sink("sink", move |_: u64| {
        counted.fetch_add(1, SeqCst);
        Ok(())
    });
    weave.connect(&numbers, sink);
    weave.own_thread("sink");
    (Executor::new(weave.build().expect("sound"), Mode::InProcess), seen)
}

fn call(executor: &mut Executor, what: &str) -> Result<(), Error> {
    match what {
        "start" => executor.start(),
        "pause" => executor.pause(),
        "resume" => executor.resume(),
        "stop" => executor.stop(GRACE),
        "stop at once" => executor.stop_now(),
        "wait" => executor.wait(),
        _ => unreachable!("{what}"),
    }
}

#[test]
fn each_call_in_each_state() {
    use State::{Paused, Ready, Running, Stopped};
    let ways: [(State, &[&str], &str); 4] = [
        (Ready, &[], "not started"),
        (Running, &["start"], "running"),
        (Paused, &["start", "pause"], "paused"),
        (Stopped, &["start", "stop"], "stopped"),
    ];
    // What a call leads to, in the order of `ways`; `None` is refused.
    let table: [(&str, [Option<State>; 4]); 6] = [
        ("start", [Some(Running), None, None, None]),
        ("pause", [None, Some(Paused), None, None]),
        ("resume", [None, None, Some(Running), None]),
        ("stop", [None, Some(Stopped), Some(Stopped), None]),
        ("stop at once", [None, Some(Stopped), Some(Stopped), None]),
        // Running, it would wait for ever: asked below, where sources end.
        ("wait", [None, Some(Running), None, None]),
    ];
    for (what, row) in table {
        for ((state, way, name), leads) in ways.iter().zip(row) {
            if (what, *state) == ("wait", Running) {
                continue;
            }
            let (mut executor, _) = endless();
            for step in *way {
                call(&mut executor, step).expect("allowed");
            }
            assert_eq!(executor.state(), *state);
            match (call(&mut executor, what), leads) {
                (Ok(()), Some(next)) => assert_eq!(executor.state(), next, "{what}, {name}"),
                (Err(error @ Error::State { .. }), None) => {
                    let said = format!("cannot {what}: the executor is {name}");
                    assert_eq!((error.to_string(), executor.state()), (said, *state));
                }
                (got, want) => panic!("{what}, {name}: {got:?}, not {want:?}"),
            }
        }
    }
}

fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < GRACE, "in vain");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_pause_lasts_until_it_is_over() {
    let (mut executor, seen) = endless();
    executor.start().expect("ready");
    until(|| seen.load(SeqCst) > 1000);
    executor.pause().expect("running");
    // What is in the queue goes on.
    let still = || {
        let before = seen.load(SeqCst);
        thread::sleep(Duration::from_millis(30));
        seen.load(SeqCst) == before
    };
    until(still);
    let before = seen.load(SeqCst);
    executor.resume().expect("paused");
    until(|| seen.load(SeqCst) > before + 1000);
    executor.stop(GRACE).expect("running");
    let after = executor.metrics().items("sink").expect("a node");
    assert_eq!((seen.load(SeqCst), executor.metrics().items("numbers")), (after, Some(after)));
}

#[test]
fn a_stop_waits_for_what_is_under_way_but_not_for_ever() {
    let slow = |time| {
        let mut weave = Weave::new();
        let numbers = weave.source("numbers", 0_u64..);
        let sink = weave.sink("sink", move |_: u64| {
            thread::sleep(time);
            Ok(())
        });
        weave.connect(&numbers, sink);
        weave.own_thread("sink");
        let graph = weave.build().expect("sound").with_bound(64);
        let mut executor = Executor::new(graph, Mode::InProcess);
        executor.start().expect("ready");
        thread::sleep(Duration::from_millis(20));
        executor
    };
    let mut executor = slow(Duration::from_millis(1));
    executor.stop(GRACE).expect("64 items are 64 ms");
    let metrics = executor.metrics();
    assert_eq!(metrics.items("sink"), metrics.items("numbers"));
    let mut executor = slow(Duration::from_millis(10));
    let begun = Instant::now();
    let stopped = executor.stop(Duration::from_millis(30));
    assert!(matches!(stopped, Err(Error::Aborted)), "{stopped:?}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    let mut executor = slow(Duration::from_millis(10));
    executor.stop_now().expect("running");
    assert_eq!(executor.state(), State::Stopped);
}

#[test]
fn a_panic_ends_the_run_with_an_error() {
    for own_thread in [false, true] {
        let mut weave = Weave::new();
        let numbers = weave.source("numbers", 0_u64..);
        let sink =
            weave.sink("sink", |n: u64| if n < 5000 { Ok(()) } else { panic!("on purpose") });
        weave.connect(&numbers, sink);
        if own_thread {
            weave.own_thread("sink");
        }
        let ended = Executor::new(weave.build().expect("sound"), Mode::InProcess).run();
        assert!(matches!(ended, Err(Error::Panicked)), "{ended:?}");
    }
}
