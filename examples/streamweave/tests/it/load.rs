//! When hybrid moves work and when not, and a pause behind timely.

use crate::random::Folder;
use std::{
    fs,
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};
use streamweave::{
    Cluster, Executor, Failure, Item, Message, Meta, Metrics, Mode, Next, Node, Registry, Source,
    Weave,
};

const KEYS: u64 = 8;

#[test]
fn a_distributed_run_pauses_resumes_and_stops() {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0_u64..);
    let sink = weave.sink("sink", |n: u64| {
        u64::from_payload(n.into_payload())?;
        Ok(())
    });
    weave.connect(&numbers, sink);
    let graph = weave.build().expect("sound");
    let mut executor = Executor::new(graph, Mode::Distributed(Cluster::alone(2)));
    let metrics = executor.metrics();
    let items = || metrics.items("sink").expect("a node");
    let moving = |than: u64| {
        let begun = Instant::now();
        while items() <= than {
            assert!(begun.elapsed() < Duration::from_secs(5), "in vain");
            thread::sleep(Duration::from_millis(1));
        }
    };
    executor.start().expect("ready");
    moving(1000);
    executor.pause().expect("running");
    thread::sleep(Duration::from_millis(50));
    let still = items();
    thread::sleep(Duration::from_millis(50));
    assert_eq!(items(), still);
    executor.resume().expect("paused");
    moving(still + 1000);
    executor.stop(Duration::from_secs(5)).expect("running");
    assert_eq!(metrics.items("numbers"), metrics.items("sink"));
}

/// High until the work has moved; then one item of each key, long enough ahead of a second of each.
struct Turns {
    metrics: Arc<OnceLock<Arc<Metrics>>>,
    next: u64,
    moved: Option<u64>,
}

impl Source for Turns {
    fn next(&mut self) -> Result<Next, Failure> {
        let moves = self.metrics.get().expect("set before").moves();
        if self.moved.is_none() && moves > 0 && self.next.is_multiple_of(KEYS) {
            self.moved = Some(self.next);
        }
        match self.moved.map(|moved| self.next - moved) {
            Some(n) if n == 2 * KEYS => return Ok(Next::End),
            Some(KEYS) if moves == 1 => {
                // So few items are a low load, and those before are still on the other worker.
                thread::sleep(Duration::from_millis(80));
                return Ok(Next::Idle);
            }
            _ => {}
        }
        self.next += 1;
        let late = self.moved.is_some_and(|moved| self.next <= moved + KEYS);
        let meta = Meta::default().with_key((self.next % KEYS).to_string());
        let meta = if late { meta.with_header("late", "") } else { meta };
        Ok(Next::Item(Message { meta, ..Message::of(self.next * 2 + u64::from(late)) }))
    }
}

#[test]
fn hybrid_moves_nothing_before_what_is_under_way_is_through() {
    let (seen, metrics) = (Arc::new(Mutex::new(Vec::new())), Arc::new(OnceLock::new()));
    let mut weave = Weave::new();
    let own = metrics.clone();
    let make = Arc::new(move || -> Result<Box<dyn Source>, Failure> {
        Ok(Box::new(Turns { metrics: own.clone(), next: 0, moved: None }))
    });
    weave.add(Node::source("turns", std::any::type_name::<u64>(), make));
    let (map, mapped) = weave.map("map", |n: u64| {
        if n % 2 == 1 && thread::current().name() == Some("timely:work-1") {
            thread::sleep(Duration::from_millis(100));
        }
        n / 2
    });
    let kept = seen.clone();
    let sink = weave.sink("sink", move |n: u64| {
        kept.lock().expect("whole").push(n);
        Ok(())
    });
    let turns = weave.output("turns", 0);
    weave.connect(&turns, map);
    weave.connect(&mapped, sink);
    let graph = weave.build().expect("sound");
    let mut executor = Executor::new(graph, Mode::Hybrid(Cluster::alone(2), 1000.0));
    metrics.set(executor.metrics()).expect("once");
    executor.run().expect("it runs");
    let seen = seen.lock().expect("whole");
    let mut last = [0; KEYS as usize];
    for n in &*seen {
        let before = std::mem::replace(&mut last[(n % KEYS) as usize], *n);
        assert!(before == 0 || before + KEYS == *n, "{n} after {before}");
    }
    assert_eq!(executor.metrics().items("turns"), Some(seen.len() as u64));
    assert_eq!(executor.metrics().moves(), 2, "there and back");
}

/// A new key is not what the items were spread by: their order by it would be lost.
#[test]
fn hybrid_keeps_the_order_of_a_key_that_is_given_on_the_way() {
    let folder = Folder::new("rekeyed");
    let text = format!(
        "edges = [\"numbers -> tag\", \"tag -> key\", \"key -> out\"]\n[[node]]\nname = \"numbers\"\n\
         operator = \"generate\"\ncount = 60000\nkeys = 16\n[[node]]\nname = \"tag\"\noperator = \"map\"\n\
         suffix = \" all\"\n[[node]]\nname = \"key\"\noperator = \"key\"\nfield = 1\n[[node]]\n\
         name = \"out\"\noperator = \"file\"\npath = \"{}/out\"\n",
        folder.0.display()
    );
    let graph = Registry::default().graph(&text).expect("sound");
    let mode = Mode::Hybrid(Cluster::alone(3), 1000.0);
    Executor::new(graph, mode).run().expect("it runs");
    let got = fs::read_to_string(folder.0.join("out")).expect("written");
    let want = (0..60_000).map(|n| format!("{n} all"));
    assert!(got.lines().map(str::to_owned).eq(want), "out of order, or not all");
}
