//! Hybrid under a load that changes, many times by `cargo xtask long hybrid`: each item comes to each sink
//! once, in the order of its source and key, while work moves there and back.

use crate::processes::{Process, free};
use aqueduct_testkit::scale;
use std::{
    env,
    process::Command,
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};
use streamweave::{
    Cluster, Executor, Failure, Graph, Message, Meta, Metrics, Mode, Next, Node, Source, Weave,
};

/// Set in a process of the test: its index, and the addresses of both.
const TASK: &str = "AQUEDUCT_HYBRID";
const KEYS: u64 = 8;
/// Between two items of a key under a low load: two thousand items a second.
const LOW: Duration = Duration::from_millis(4);
const THRESHOLD: f64 = 5_000.0;
/// An item under a low load, on a worker that is not its source's: what is left there when the work moves back
/// comes late, if it is not waited for.
const SLOW: Duration = Duration::from_micros(1500);

/// How often the work of each source moves at least.
fn changes() -> u64 {
    scale(4) as u64
}

/// Items of a high load at least, which comes as fast as it is taken: six million by `cargo xtask long`, from
/// each source.
fn high() -> u64 {
    scale(300) as u64
}

/// Gives numbers from 0 on, with a bit each for a low load and for its side. The load changes when the work
/// has moved, and so as often as is wanted on a machine of any speed.
struct Load {
    side: u64,
    metrics: Arc<OnceLock<Arc<Metrics>>>,
    keys: Vec<Meta>,
    next: u64,
    /// Since the load changed.
    given: u64,
    changed: u64,
    last: Instant,
}

impl Load {
    fn new(side: u64, metrics: Arc<OnceLock<Arc<Metrics>>>) -> Self {
        let keys = (0..KEYS).map(|key| Meta::default().with_key(key.to_string())).collect();
        Self { side, metrics, keys, next: 0, given: 0, changed: 0, last: Instant::now() }
    }
}

impl Source for Load {
    fn next(&mut self) -> Result<Next, Failure> {
        let low = self.changed % 2 == 1;
        if self.next.is_multiple_of(KEYS) {
            let moved = self.metrics.get().expect("set before").moves() % 2 == 1;
            if moved != low && (low || self.given >= high()) {
                (self.changed, self.given) = (self.changed + 1, 0);
                return Ok(if self.changed == changes() { Next::End } else { Next::Idle });
            }
            if low && self.last.elapsed() < LOW {
                return Ok(Next::Idle);
            }
            self.last = Instant::now();
        }
        let payload = self.next << 2 | u64::from(low) << 1 | self.side;
        let meta = self.keys[(self.next % KEYS) as usize].clone();
        (self.next, self.given) = (self.next + 1, self.given + 1);
        Ok(Next::Item(Message { meta, ..Message::of(payload) }))
    }
}

/// A source on each side, whose items go through a node that may move, and to a sink on either worker.
fn graph(sides: u64, process: u64, metrics: &Arc<OnceLock<Arc<Metrics>>>) -> Graph {
    let mut weave = Weave::new();
    for side in 0..sides {
        let (source, own) = (format!("source {side}"), metrics.clone());
        let make = Arc::new(move || -> Result<Box<dyn Source>, Failure> {
            Ok(Box::new(Load::new(side, own.clone())))
        });
        weave.add(Node::source(&*source, std::any::type_name::<u64>(), make));
        weave.place(&source, side as usize);
        let (map, mapped) = weave.map(&format!("map {side}"), move |item: u64| {
            if item & 2 == 2 {
                let second = thread::current().name() == Some("timely:work-1");
                if process + u64::from(second) != side {
                    thread::sleep(SLOW);
                }
            }
            item
        });
        let given = weave.output::<u64>(&source, 0);
        weave.connect(&given, map);
        for worker in 0..2 {
            let wanted = Arc::new(Mutex::new([0, 1, 2, 3, 4, 5, 6, 7_u64]));
            let name = format!("sink {side} {worker}");
            let sink = weave.sink(&name, move |item: u64| {
                let number = item >> 2;
                let wanted = &mut wanted.lock().expect("whole")[(number % KEYS) as usize];
                if (number, item & 1) != (*wanted, side) {
                    return Err(Failure::new(format!("{number}, not {wanted}")));
                }
                *wanted += KEYS;
                Ok(())
            });
            weave.connect(&mapped, sink);
            weave.place(&name, worker);
        }
    }
    weave.build().expect("sound")
}

fn run(cluster: Cluster, sides: u64) -> Arc<Metrics> {
    let metrics = Arc::default();
    let graph = graph(sides, cluster.index as u64, &metrics);
    let mut executor = Executor::new(graph, Mode::Hybrid(cluster, THRESHOLD));
    metrics.set(executor.metrics()).expect("once");
    executor.run().expect("it runs");
    executor.metrics()
}

#[test]
fn hybrid_between_workers_loses_doubles_and_overtakes_nothing() {
    let metrics = run(Cluster::alone(2), 1);
    assert!(metrics.moves() >= changes(), "{} moves", metrics.moves());
    let items = ["source 0", "sink 0 0", "sink 0 1"].map(|name| metrics.items(name));
    assert!(items[0] >= Some(high()) && items[1..] == [items[0]; 2], "lost: {items:?}");
}

/// One of two processes: not a test where nobody asked for one.
#[test]
fn hybrid_as_one_of_two_processes() {
    let Ok(task) = env::var(TASK) else { return };
    let words: Vec<_> = task.split(' ').map(str::to_owned).collect();
    let index = words[0].parse().expect("a number");
    let metrics = run(Cluster::new(index, words[1..].to_vec()).expect("below two"), 2);
    let items = |name: String| metrics.items(&name).expect("a node");
    let [own, zero, one] =
        ["source", "sink 0", "sink 1"].map(|name| items(format!("{name} {index}")));
    let mapped = items("map 0".into()) + items("map 1".into());
    println!("\nhybrid: {} {own} {zero} {one} {mapped}", metrics.moves());
}

#[test]
fn hybrid_between_processes_loses_doubles_and_overtakes_nothing() {
    let (begun, [one, two]) = (Instant::now(), free());
    let processes = [0, 1].map(|index| {
        let mut command = Command::new(env::current_exe().expect("we are one"));
        command.args(["--exact", "hybrid::hybrid_as_one_of_two_processes", "--nocapture"]);
        Process::of(command.env(TASK, format!("{index} {one} {two}")))
    });
    let said = processes.map(|process| {
        let (status, out, err) = process.wait(Duration::from_secs(600));
        assert!(status.success(), "{out} {err}");
        let line = out.lines().find_map(|line| line.strip_prefix("hybrid: ")).expect("it says");
        let mut numbers = line.split(' ').map(|number| number.parse::<u64>().expect("a number"));
        [(); 5].map(|()| numbers.next().expect("five"))
    });
    let given = said.map(|[_, given, ..]| given);
    for [moves, _, zero, one, mapped] in said {
        assert!(moves >= changes(), "{moves} moves");
        assert_eq!([zero, one], given, "lost or doubled");
        assert!(mapped > 0, "all the work was the other's");
    }
    let moves = said.map(|[moves, ..]| moves);
    println!("{given:?} items, {moves:?} moves, {:?}", begun.elapsed());
}
