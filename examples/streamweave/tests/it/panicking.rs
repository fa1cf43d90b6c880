//! Users' code that panics, at every one of its calls, in every mode: the run ends with an error, or all items
//! came to their sink.

use aqueduct::Slice;
use aqueduct_testkit::{Countdown, Tracked, for_every_k, pattern};
use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};
use streamweave::{
    Cluster, Error, Executor, Failure, Graph, Message, Mode, Next, Node, Operator, Outputs, Policy,
    Source, Weave,
};

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);
const ITEMS: usize = 4;

fn item(countdown: &Countdown, number: usize) -> Slice {
    Slice::from_owner(countdown.value(pattern(100, number)))
}

struct Items(Countdown, usize, #[allow(dead_code, reason = "dropped")] Tracked);

impl Source for Items {
    fn next(&mut self) -> Result<Next, Failure> {
        self.0.tick();
        self.1 += 1;
        let next = self.1 - 1;
        if next == ITEMS {
            return Ok(Next::End);
        }
        Ok(Next::Item(Message::of(item(&self.0, next))))
    }
}

/// Keeps an item until the next has come.
struct Late(Countdown, Option<Message>, #[allow(dead_code, reason = "dropped")] Tracked);

impl Operator for Late {
    fn on_item(&mut self, _: usize, item: Message, out: &mut Outputs<'_>) -> Result<(), Failure> {
        self.0.tick();
        let before = self.1.replace(item);
        before.map_or(Ok(()), |before| out.emit(0, before))?;
        self.0.tick();
        Ok(())
    }

    fn on_end(&mut self, out: &mut Outputs<'_>) -> Result<(), Failure> {
        self.0.tick();
        self.1.take().map_or(Ok(()), |last| out.emit(0, last))
    }
}

type Seen = Arc<Mutex<Vec<Vec<u8>>>>;

fn graph(countdown: &Countdown, policy: &Policy) -> (Graph, Seen) {
    let (mut weave, seen) = (Weave::new(), Seen::default());
    let kind = std::any::type_name::<Slice>();
    let own = countdown.clone();
    let make = move || -> Result<Box<dyn Source>, Failure> {
        own.tick();
        Ok(Box::new(Items(own.clone(), 0, own.value(Vec::new()))))
    };
    weave.add(Node::source("source", kind, Arc::new(make)));
    let own = countdown.clone();
    let (mapped, out) = weave.map("map", move |slice: Slice| {
        own.tick();
        let bytes = slice.to_vec();
        // Now: Rust forgets what is returned past a destructor that panics.
        drop(slice);
        Slice::from_owner(own.value(bytes))
    });
    weave.connect(&weave.output::<Slice>("source", 0), mapped);
    let own = countdown.clone();
    let make = move || -> Result<Box<dyn Operator>, Failure> {
        own.tick();
        Ok(Box::new(Late(own.clone(), None, own.value(Vec::new()))))
    };
    weave.add(Node::operator("late", kind, kind, Arc::new(make)));
    weave.connect(&out, weave.input("late", 0));
    weave.own_thread("late");
    let (own, kept) = (countdown.clone(), Arc::clone(&seen));
    let sink = weave.sink("sink", move |slice: Slice| {
        // Under a lock of the user's own, which others take all the same.
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        own.tick();
        kept.push(slice.to_vec());
        own.tick();
        Ok(())
    });
    weave.connect(&weave.output::<Slice>("late", 0), sink);
    weave.own_thread("sink");
    for node in ["source", "map", "late", "sink"] {
        weave.policy(node, policy.clone());
    }
    (weave.build().expect("sound"), seen)
}

/// Runs it, unless it hangs.
fn run(graph: Graph, mode: Mode) -> Result<(), Error> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut executor = Executor::new(graph, mode);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| executor.run()));
        let _ = tell.send(ended.unwrap_or(Err(Error::Panicked)));
    });
    told.recv_timeout(PATIENCE).expect("it hangs")
}

#[test]
fn t15_users_code_that_panics_ends_the_run_and_loses_nothing_in_silence() {
    let policies = [Policy::Stop, Policy::Skip, Policy::Retry(2)];
    let modes = || {
        vec![
            Mode::InProcess,
            Mode::Copying,
            Mode::Cloning,
            Mode::Distributed(Cluster::alone(1)),
            Mode::Distributed(Cluster::alone(2)),
            Mode::Hybrid(Cluster::alone(2), 0.0),
        ]
    };
    for at in 0..modes().len() {
        for policy in &policies {
            let calls = for_every_k(|countdown| {
                let (graph, seen) = graph(countdown, policy);
                let ended = run(graph, modes().swap_remove(at));
                let all: Vec<_> = (0..ITEMS).map(|number| pattern(100, number)).collect();
                let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
                match ended {
                    Ok(()) => assert_eq!(seen, all),
                    Err(error) => {
                        assert!(countdown.fired(), "{error}");
                        assert!(all.starts_with(&seen), "in order, each once");
                    }
                }
                let since = Instant::now();
                while countdown.made_and_dropped().0 != countdown.made_and_dropped().1 {
                    assert!(since.elapsed() < PATIENCE, "something is kept");
                    thread::yield_now();
                }
            });
            assert!(calls > 20, "{calls}");
        }
    }
}
