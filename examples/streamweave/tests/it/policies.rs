//! Stop, skip, retry and custom, for sources, operators with and without state, and sinks, in every mode.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering::SeqCst},
};
use streamweave::{
    Action, Error, Executor, Failure, Graph, Message, Mode, Next, Node, Operator, Outputs, Policy,
    Source, Weave,
};

/// Which node fails, for item 3, and how many times.
#[derive(Clone)]
struct Faulty {
    at: &'static str,
    left: Arc<AtomicU32>,
}

impl Faulty {
    fn try_at(&self, at: &str, item: u64) -> Result<(), Failure> {
        let fails = at == self.at && item == 3 && self.left.load(SeqCst) > 0;
        if fails {
            self.left.fetch_sub(1, SeqCst);
            return Err(Failure::new("item 3"));
        }
        Ok(())
    }
}

struct Numbers(Faulty, u64);

impl Source for Numbers {
    fn next(&mut self) -> Result<Next, Failure> {
        self.0.try_at("source", self.1)?;
        self.1 += 1;
        Ok(if self.1 > 6 { Next::End } else { Next::Item(Message::of(self.1 - 1)) })
    }
}

/// Emits before it fails, and keeps a sum: what it emitted must not go on twice.
struct Doubled(Faulty, u64);

impl Operator for Doubled {
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure> {
        let item = number(&message);
        out.emit(0, message.clone())?;
        self.0.try_at("state", item)?;
        self.1 += item;
        out.emit(0, message)
    }

    fn on_end(&mut self, out: &mut Outputs<'_>) -> Result<(), Failure> {
        out.emit(0, Message::of(100 + self.1))?;
        self.0.try_at("end", 3)
    }
}

fn number(message: &Message) -> u64 {
    <u64 as streamweave::Item>::from_payload(message.payload.clone()).expect("a number")
}

fn graph(at: &'static str, times: u32, policy: Policy) -> (Graph, Arc<Mutex<Vec<u64>>>) {
    let faulty = Faulty { at, left: Arc::new(AtomicU32::new(times)) };
    let (mut weave, seen) = (Weave::new(), Arc::new(Mutex::new(Vec::new())));
    let kind = std::any::type_name::<u64>();
    let own = faulty.clone();
    weave.add(Node::source(
        "source",
        kind,
        Arc::new(move || Ok(Box::new(Numbers(own.clone(), 0)))),
    ));
    let own = faulty.clone();
    let (map, mapped) = weave.try_map("map", move |n: u64| own.try_at("map", n).map(|()| n));
    let own = faulty.clone();
    let make = Arc::new(move || -> Result<Box<dyn Operator>, Failure> {
        Ok(Box::new(Doubled(own.clone(), 0)))
    });
    weave.add(Node::operator("state", kind, kind, make));
    let kept = seen.clone();
    let sink = weave.sink("sink", move |n: u64| {
        faulty.try_at("sink", n)?;
        kept.lock().expect("whole").push(n);
        Ok(())
    });
    let source = weave.output::<u64>("source", 0);
    weave.connect(&source, map);
    let (pass, passed) = weave.map("pass", |n: u64| n);
    weave.connect(&mapped, pass);
    let state = weave.input("state", 0);
    weave.connect(&passed, state);
    let doubled = weave.output("state", 0);
    weave.connect(&doubled, sink);
    weave.policy(if at == "end" { "state" } else { at }, policy);
    (weave.build().expect("sound"), seen)
}

fn run(
    at: &'static str,
    times: u32,
    policy: Policy,
    mode: &Mode,
) -> (Result<(), Error>, Vec<u64>, u64) {
    let (graph, seen) = graph(at, times, policy);
    let mut executor = Executor::new(graph, mode.clone());
    let ended = executor.run();
    let failures = ["source", "map", "state", "sink"].map(|at| executor.metrics().failures(at));
    let seen = seen.lock().expect("whole").clone();
    (ended, seen, failures.into_iter().flatten().sum())
}

const ALL: [u64; 13] = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 115];

fn each_mode(check: impl Fn(&Mode)) {
    for mode in [Mode::InProcess, Mode::Copying, Mode::Distributed(streamweave::Cluster::alone(1))]
    {
        check(&mode);
    }
}

#[test]
fn stop_ends_the_run_and_names_the_node() {
    each_mode(|mode| {
        for at in ["source", "map", "state", "end", "sink"] {
            let (ended, _, failures) = run(at, 1, Policy::Stop, mode);
            let Err(Error::Node { node, failure }) = ended else { panic!("{ended:?}") };
            assert_eq!(node, if at == "end" { "state" } else { at });
            assert_eq!((failure.to_string().as_str(), failures), ("item 3", 1));
        }
    });
}

#[test]
fn skip_goes_on_without_the_item() {
    each_mode(|mode| {
        let without: Vec<u64> = ALL.into_iter().filter(|n| *n != 3).collect();
        let less = |n: u64| if n == 115 { 112 } else { n };
        let lessened: Vec<u64> = without.iter().copied().map(less).collect();
        // A source that fails is asked again: it had not given the item.
        for (at, times, want) in [
            ("source", 2, ALL.to_vec()),
            ("map", 1, lessened.clone()),
            ("state", 1, lessened),
            ("end", 1, ALL[..12].to_vec()),
            ("sink", 2, without),
        ] {
            let (ended, seen, failures) = run(at, times, Policy::Skip, mode);
            ended.unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!((seen, failures), (want, u64::from(times)), "{at}");
        }
    });
}

#[test]
fn retry_doubles_nothing_and_gives_up() {
    each_mode(|mode| {
        for at in ["source", "map", "state", "end", "sink"] {
            let (ended, seen, failures) = run(at, 2, Policy::Retry(2), mode);
            ended.unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!((seen, failures), (ALL.to_vec(), 2), "{at}");
            let (ended, _, failures) = run(at, 9, Policy::Retry(2), mode);
            assert!(matches!(ended, Err(Error::Node { .. })), "{at}: {ended:?}");
            assert_eq!(failures, 3, "two tries after the first");
        }
    });
}

#[test]
fn custom_decides_by_what_happened() {
    each_mode(|mode| {
        for at in ["source", "map", "state", "sink"] {
            let told = Arc::new(Mutex::new(Vec::new()));
            let kept = told.clone();
            let decide = move |failure: &Failure, tried: u32| {
                let item = failure.item().map(number);
                kept.lock().expect("whole").push((failure.to_string(), item, tried));
                if tried < 1 { Action::Retry } else { Action::Skip }
            };
            let (ended, _, failures) = run(at, 2, Policy::Custom(Arc::new(decide)), mode);
            ended.unwrap_or_else(|error| panic!("{at}: {error}"));
            let item = Some(3).filter(|_| at != "source");
            let want = [0, 1].map(|tried| ("item 3".to_owned(), item, tried));
            assert_eq!((&told.lock().expect("whole")[..], failures), (&want[..], 2), "{at}");
        }
    });
}
