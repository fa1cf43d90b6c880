//! What was found wrong once.

use crate::{
    processes::{Process, hosts},
    random::Folder,
};
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};
use streamweave::{
    Action, BuildError, Cluster, Codec, Error, Executor, Failure, Graph, Message, Meta, Metrics,
    Mode, Next, Node, Policy, Registry, Source, State, Typed, Weave,
};

const SOON: Duration = Duration::from_secs(2);

/// Both ends of a run between two processes, in this one.
pub(crate) fn pair(make: impl Fn() -> Graph, mode: impl Fn(Cluster) -> Mode) -> [Executor; 2] {
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let addresses = ports.map(|port| port.local_addr().expect("bound").to_string());
    [0, 1].map(|index| {
        let cluster = Cluster::new(index, addresses.to_vec()).expect("below two");
        Executor::new(make(), mode(cluster))
    })
}

/// How a run ends that must not take long.
fn ended(mut executor: Executor) -> Result<(), Error> {
    let (sender, result) = std::sync::mpsc::channel();
    thread::spawn(move || sender.send(executor.wait()));
    result.recv_timeout(SOON).expect("it hangs")
}

/// Numbers without end, and a sink on the last of two workers that cannot take one of them.
fn failing(panics: bool) -> Graph {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0_u64..);
    let sink = weave.sink("sink", move |n: u64| match n {
        3000 if panics => panic!("on purpose"),
        3000 => Err(Failure::new("on purpose")),
        _ => Ok(()),
    });
    weave.place("sink", 1);
    weave.connect(&numbers, sink);
    weave.build().expect("sound")
}

#[test]
fn a_panic_on_one_worker_ends_the_others() {
    let mut executor = Executor::new(failing(true), Mode::Distributed(Cluster::alone(2)));
    executor.start().expect("ready");
    let result = ended(executor);
    assert!(matches!(result, Err(Error::Panicked)), "{result:?}");
}

/// A failed run says so to its peers though its process lives on, and leaves no thread behind.
#[test]
fn a_failed_run_ends_its_peers_and_its_own_threads() {
    for panics in [false, true] {
        let [mut one, mut two] = pair(|| failing(panics), Mode::Distributed);
        one.start().expect("ready");
        two.start().expect("ready");
        let [one, two] = [one, two].map(ended);
        assert!(matches!(one, Err(Error::Peer { index: 1, .. })), "{one:?}");
        assert!(matches!(two, Err(Error::Node { .. } | Error::Panicked)), "{two:?}");
    }
    let begun = Instant::now();
    let left = || {
        let tasks = fs::read_dir("/proc/self/task").expect("Linux").flatten();
        let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
        // Of other tests of this process there are more, but they come and go.
        names.filter(|name| name.starts_with("timely:")).count()
    };
    while left() > 0 {
        assert!(begun.elapsed() < 4 * SOON, "{} threads", left());
        thread::sleep(Duration::from_millis(5));
    }
}

/// Says hello as the peer did, and then what it is told to.
fn handshaken(folder: &Folder, said: &[u8]) -> String {
    let path = folder.0.join("graph.toml");
    let text = "edges = [\"numbers -> sink\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n\
        rate = 10\n[[node]]\nname = \"sink\"\noperator = \"count\"\nworker = 1\n";
    fs::write(&path, text).expect("written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let hosts = folder.0.join("hosts");
    fs::write(&hosts, format!("{address}\n127.0.0.1:1")).expect("written");
    let hosts = hosts.to_str().expect("UTF-8");
    let arguments = ["--mode", "distributed", "-p", "1", "-n", "2", "-h", hosts];
    let process = Process::start(&path, &arguments);
    let (mut client, _) = listener.accept().expect("it comes");
    let mut hello = [0; 36];
    client.read_exact(&mut hello).expect("said");
    hello[16] = 0;
    client.write_all(&hello).expect("heard");
    // It may be gone before all is said.
    let _ = client.write_all(said);
    let (status, out, wrong) = process.wait(SOON);
    assert!(!status.success() && out.is_empty(), "{out}");
    assert!(wrong.lines().count() == 1, "{wrong}");
    assert!(wrong.contains("peer 0 at 127.0.0.1:"), "{wrong}");
    wrong
}

#[test]
fn a_peer_that_sends_anything_else_is_named() {
    let folder = Folder::new("garbage");
    let header = |words: [u64; 6]| words.map(u64::to_be_bytes).concat();
    for said in [
        vec![0xa5; 4096],
        header([0, 0, 1, 2, 1 << 63, 0]),
        header([0, 0, 1, 2, u64::MAX - 20, 0]),
        // To a worker that is not here, from one that is not there.
        header([0, 0, 0, 1, 8, 0]),
        header([0, 1, 1, 2, 8, 0]),
        header([0, 0, 2, 1, 8, 0]),
        // More behind the end.
        [header([0; 6]), vec![1; 8]].concat(),
    ] {
        let wrong = handshaken(&folder, &said);
        assert!(wrong.contains("what it sends"), "{wrong}");
    }
}

/// One byte at a time is no answer either, and a stranger that does so holds nobody up for long.
#[test]
fn t19_a_hello_a_byte_at_a_time_is_over_at_the_deadline() {
    let folder = Folder::new("slowly");
    let graph = folder.0.join("graph.toml");
    let text = "edges = [\"numbers -> sink\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n\
        count = 1\n[[node]]\nname = \"sink\"\noperator = \"count\"\n";
    fs::write(&graph, text).expect("written");
    let drip = |mut socket: TcpStream| {
        for byte in *b"AQWEAVE1" {
            let _ = socket.write_all(&[byte]);
            thread::sleep(Duration::from_millis(300));
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let path = folder.0.join("dripping");
    let address = listener.local_addr().expect("bound");
    fs::write(&path, format!("{address}\n127.0.0.1:1")).expect("written");
    thread::spawn(move || drip(listener.accept().expect("somebody").0));
    let start = |hosts: &str, index: &str| {
        let arguments =
            ["--mode", "distributed", "-p", index, "-n", "2", "-h", hosts, "--deadline", "1"];
        Process::start(&graph, &arguments)
    };
    let (status, _, said) = start(path.to_str().expect("UTF-8"), "1").wait(SOON);
    assert!(!status.success() && said.contains("it does not answer"), "{said}");
    let hosts = hosts(&folder);
    let first = fs::read_to_string(&hosts).expect("written").lines().next().map(str::to_owned);
    let one = start(&hosts, "0");
    let begun = Instant::now();
    let stranger = loop {
        match TcpStream::connect(first.as_ref().expect("two")) {
            Ok(stranger) => break stranger,
            Err(error) => assert!(begun.elapsed() < SOON, "{error}"),
        }
    };
    thread::spawn(move || drip(stranger));
    let (status, _, said) = one.wait(SOON);
    assert!(!status.success() && said.contains("not connected in time"), "{said}");
}

/// A slow sink on one worker, and how many items were under way at most.
fn slow(bound: usize, thread: bool, seen: &Arc<[AtomicU64; 3]>) -> Graph {
    let (at_map, at_sink) = (seen.clone(), seen.clone());
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..1500_i64);
    let (map, mapped) = weave.map("map", move |n: i64| {
        at_map[0].fetch_add(1, SeqCst);
        n
    });
    let sink = weave.sink("sink", move |n: i64| {
        if n % 128 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        let under_way = at_sink[0].load(SeqCst) - at_sink[1].fetch_add(1, SeqCst);
        at_sink[2].fetch_max(under_way, SeqCst);
        Ok(())
    });
    weave.place("sink", 1);
    weave.connect(&numbers, map);
    weave.connect(&mapped, sink);
    if thread {
        weave.own_thread("sink");
    }
    weave.build().expect("sound").with_bound(bound)
}

#[test]
fn no_more_than_the_bound_is_under_way_whatever_it_is() {
    for bound in [1, 2, 3, 48, 100] {
        let most = |run: &dyn Fn(&Arc<[AtomicU64; 3]>)| {
            let seen = Arc::new([(); 3].map(|()| AtomicU64::new(0)));
            run(&seen);
            assert_eq!(seen[1].load(SeqCst), 1500);
            seen[2].load(SeqCst)
        };
        let within = |mode: Mode| {
            most(&|seen| {
                Executor::new(slow(bound, true, seen), mode.clone()).run().expect("it runs")
            })
        };
        // One more is in the hands of the thread that waits for room.
        for mode in [Mode::InProcess, Mode::Copying] {
            let got = within(mode);
            assert!(got <= bound as u64 + 1, "{got} in process, not {bound}");
        }
        let got = within(Mode::Distributed(Cluster::alone(2)));
        assert!(got <= bound as u64, "{got} on two workers, not {bound}");
        let got = most(&|seen| {
            let mut both = pair(|| slow(bound, false, seen), Mode::Distributed);
            both.iter_mut().for_each(|executor| executor.start().expect("ready"));
            both.iter_mut().for_each(|executor| executor.wait().expect("it runs"));
        });
        assert!(got <= bound as u64, "{got} between two processes, not {bound}");
        assert!(bound < 40 || got >= bound as u64 / 4, "{got} are too few to say anything");
    }
}

/// High until the work has moved; then one item of each key, long enough ahead of a second of each.
struct Turns {
    metrics: Arc<OnceLock<Arc<Metrics>>>,
    next: u64,
    moved: Option<u64>,
}

const KEYS: u64 = 8;

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

/// A serializer that refuses one value, some times.
enum Picky {}

static REFUSALS: Mutex<u32> = Mutex::new(0);
/// One test at a time has them.
static REFUSING: Mutex<()> = Mutex::new(());

impl Codec for Picky {
    fn encode<T: serde::Serialize>(value: &T) -> Result<aqueduct::Slice, Failure> {
        let bytes = streamweave::Json::encode(value)?;
        let mut left = REFUSALS.lock().expect("whole");
        if bytes == *b"3" && *left > 0 {
            *left -= 1;
            return Err(Failure::new("not that one"));
        }
        Ok(bytes)
    }

    fn decode<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Failure> {
        streamweave::Json::decode(bytes)
    }
}

/// Values that must be encoded behind a source and behind a map.
fn encoded(seen: &Arc<Mutex<Vec<u64>>>, policy: &Policy) -> Graph {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", (0..6_u64).map(Typed::<u64, Picky>::new));
    let (map, mapped) = weave.map("map", |n: Typed<u64, Picky>| n);
    let kept = seen.clone();
    let sink = weave.sink("sink", move |n: Typed<u64, Picky>| {
        kept.lock().expect("whole").push(*n);
        Ok(())
    });
    weave.connect(&numbers, map);
    weave.connect(&mapped, sink);
    for name in ["numbers", "map"] {
        weave.policy(name, policy.clone());
    }
    weave.place("sink", 1);
    weave.build().expect("sound")
}

#[test]
fn what_cannot_be_encoded_goes_through_the_policy_of_who_gave_it() {
    let _one = REFUSING.lock().expect("whole");
    let custom = Policy::Custom(Arc::new(|_: &Failure, tried| match tried {
        0 => Action::Retry,
        _ => Action::Skip,
    }));
    let (all, without) = ([0, 1, 2, 3, 4, 5].to_vec(), [0, 1, 2, 4, 5].to_vec());
    for (policy, times, want) in [
        (Policy::Stop, 1, None),
        (Policy::Skip, 1, Some(&without)),
        (Policy::Retry(2), 2, Some(&all)),
        (Policy::Retry(1), 2, None),
        (custom, 2, Some(&without)),
    ] {
        for copying in [true, false] {
            let seen = Arc::default();
            *REFUSALS.lock().expect("whole") = times;
            let (result, failures) = if copying {
                let mut executor = Executor::new(encoded(&seen, &policy), Mode::Copying);
                let result = executor.run();
                (result, executor.metrics().failures("numbers"))
            } else {
                let [mut one, mut two] = pair(|| encoded(&seen, &policy), Mode::Distributed);
                let metrics = one.metrics();
                one.start().expect("ready");
                two.start().expect("ready");
                let (result, _) = (ended(one), ended(two));
                (result, metrics.failures("map"))
            };
            let seen = seen.lock().expect("whole").clone();
            match (want, result) {
                (Some(want), Ok(())) => assert_eq!(&seen, want, "{policy:?}, copying {copying}"),
                (None, Err(Error::Node { .. })) => {}
                (_, result) => panic!("{policy:?}, copying {copying}: {result:?}"),
            }
            assert_eq!(failures, Some(u64::from(times)), "{policy:?}, copying {copying}");
        }
    }
}

/// What a node gave before it failed was not sent: it is not counted either.
#[test]
fn what_is_taken_back_is_not_counted() {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..100_u64);
    let left = Arc::new(AtomicU64::new(50));
    let (twice, doubled) = weave.flat_map("twice", |n: u64| [n, n]);
    let (fails, passed) = weave.try_map("fails", move |n: u64| {
        let fails = left.try_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails { Err(Failure::new("not yet")) } else { Ok(n) }
    });
    let make = Arc::new(move || -> Result<Box<dyn streamweave::Operator>, Failure> {
        Ok(Box::new(Hasty(50)))
    });
    let kind = std::any::type_name::<u64>();
    weave.add(Node::operator("hasty", kind, kind, make));
    let sink = weave.sink("sink", |_: u64| Ok(()));
    weave.connect(&numbers, twice);
    weave.connect(&doubled, fails);
    let hasty = weave.input("hasty", 0);
    weave.connect(&passed, hasty);
    let given = weave.output("hasty", 0);
    weave.connect(&given, sink);
    weave.own_thread("sink");
    for name in ["fails", "hasty"] {
        weave.policy(name, Policy::Retry(100));
    }
    let mut executor = Executor::new(weave.build().expect("sound"), Mode::InProcess);
    executor.run().expect("it runs");
    let text = executor.metrics().prometheus();
    let edge = "{from=\"hasty:out\",to=\"sink:in\"}";
    for want in [
        format!("streamweave_edge_items_total{edge} 200\n"),
        format!("streamweave_edge_bytes_total{edge} 1600\n"),
        format!("streamweave_queue_depth{edge} 0\n"),
    ] {
        assert!(text.contains(&want), "{want}{text}");
    }
}

/// Emits, and then fails some times.
struct Hasty(u64);

impl streamweave::Operator for Hasty {
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        out: &mut streamweave::Outputs<'_>,
    ) -> Result<(), Failure> {
        out.emit(0, message)?;
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                Err(Failure::new("too soon"))
            }
            None => Ok(()),
        }
    }
}

#[test]
fn numbers_that_nothing_has_so_many_of_are_refused() {
    for (node, name) in [
        ("operator = \"broadcast\"\noutputs = 9000000000000000000", "outputs"),
        ("operator = \"merge\"\ninputs = 9000000000000000000", "inputs"),
        ("operator = \"generate\"\nrate = 0", "rate"),
        ("operator = \"generate\"\nkeys = 9000000000", "keys"),
        ("operator = \"generate\"\nsize = 9000000000", "size"),
    ] {
        let wrong = Registry::default().graph(&format!("[[node]]\nname = \"n\"\n{node}"));
        let Err(BuildError::BadParameter(node, why)) = wrong else { panic!("{wrong:?}") };
        assert!(node == "n" && why.contains(name), "{why}");
    }
    let folder = Folder::new("count");
    let path = folder.0.join("graph.toml");
    fs::write(&path, "").expect("written");
    let (status, _, said) = Process::start(&path, &["-n", "99999999999999"]).wait(SOON);
    assert!(!status.success() && said.contains("--processes"), "{said}");
}

#[test]
fn t20_a_graph_nested_a_million_deep_is_an_error() {
    let text = format!("edges = {}", "[".repeat(1_000_000));
    let read = move || Registry::default().graph(&text).map(drop);
    assert!(matches!(read(), Err(BuildError::Text(_))));
}

/// A client that says nothing holds up no other source of its worker.
#[test]
fn a_silent_client_holds_up_no_other_source() {
    let folder = Folder::new("silent");
    let port = TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("bound");
    let text = format!(
        "edges = [\"in -> out\", \"numbers -> count\"]\n[[node]]\nname = \"in\"\noperator = \"tcp-lines\"\n\
         listen = \"{port}\"\nconnections = 1\n[[node]]\nname = \"out\"\noperator = \"file\"\n\
         path = \"{}/out\"\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\ncount = 5000\n\
         [[node]]\nname = \"count\"\noperator = \"count\"\n",
        folder.0.display()
    );
    let graph = Registry::default().graph(&text).expect("sound");
    let mut executor = Executor::new(graph, Mode::Distributed(Cluster::alone(1)));
    let metrics = executor.metrics();
    executor.start().expect("ready");
    let begun = Instant::now();
    let mut client = loop {
        match TcpStream::connect(port) {
            Ok(client) => break client,
            Err(error) => assert!(begun.elapsed() < SOON, "{error}"),
        }
    };
    while metrics.items("count") < Some(5000) {
        assert!(begun.elapsed() < SOON, "{:?} of 5000", metrics.items("count"));
        thread::sleep(Duration::from_millis(1));
    }
    client.write_all(b"last\n").expect("heard");
    drop(client);
    assert_eq!(executor.state(), State::Running);
    executor.wait().expect("it runs");
    assert_eq!(fs::read_to_string(folder.0.join("out")).expect("written"), "last\n");
}
