//! Peers that fail, and peers that send what is no message.

use crate::{
    processes::{Process, free, hosts},
    random::Folder,
};
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use streamweave::{Cluster, Error, Executor, Failure, Graph, Mode, Registry, Weave};

/// What hangs takes longer.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// Both ends of a run between two processes, in this one.
pub(crate) fn pair(make: impl Fn() -> Graph, mode: impl Fn(Cluster) -> Mode) -> [Executor; 2] {
    let addresses = free::<2>();
    [0, 1].map(|index| {
        let cluster = Cluster::new(index, addresses.to_vec()).expect("below two");
        Executor::new(make(), mode(cluster))
    })
}

/// How a run ends that must not take long.
pub(crate) fn ended(mut executor: Executor) -> Result<(), Error> {
    let (sender, result) = mpsc::channel();
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
        assert!(begun.elapsed() < SOON, "{} threads", left());
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
    let common = ["--mode", "distributed", "-p", "1", "-n", "2", "-h", hosts];
    let arguments = [&common[..], &["--deadline", "1"]].concat();
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
    let wrong = handshaken(&folder, &header([0; 6]));
    assert!(wrong.contains("it ended before its time"), "{wrong}");
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
        for byte in b"AQWEAVE1".iter().cycle().take(100) {
            let _ = socket.write_all(&[*byte]);
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
    let (status, _, said) = start(path.to_str().expect("UTF-8"), "1").wait(SOON / 2);
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
    let (status, _, said) = one.wait(SOON / 2);
    assert!(!status.success() && said.contains("not connected in time"), "{said}");
}

/// A sink whose file cannot be is the second worker's, or process', failure.
#[test]
fn a_node_that_cannot_be_made_ends_all() {
    let text = "edges = [\"numbers -> sink\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n\
        [[node]]\nname = \"sink\"\noperator = \"file\"\npath = \"/no/such/folder\"\nworker = 1\n";
    let graph = || Registry::default().graph(text).expect("sound");
    let mut executor = Executor::new(graph(), Mode::Distributed(Cluster::alone(2)));
    executor.start().expect("ready");
    let result = ended(executor);
    assert!(matches!(&result, Err(Error::Node { node, .. }) if node == "sink"), "{result:?}");
    let mut both = pair(graph, Mode::Distributed);
    both.iter_mut().for_each(|executor| executor.start().expect("ready"));
    let [one, two] = both.map(ended);
    assert!(matches!(one, Err(Error::Peer { index: 1, .. })), "{one:?}");
    assert!(matches!(two, Err(Error::Node { .. })), "{two:?}");
}

/// Whoever has no sources may pause: it goes on with what others send.
#[test]
fn a_peer_that_pauses_holds_up_nobody() {
    for bound in [1, 1024] {
        let graph = || {
            let mut weave = Weave::new();
            let numbers = weave.source("numbers", 0..20_000_u64 / (1024 / bound as u64));
            let sink = weave.sink("sink", |_: u64| Ok(()));
            weave.place("sink", 1);
            weave.connect(&numbers, sink);
            weave.build().expect("sound").with_bound(bound)
        };
        let mut both = pair(graph, Mode::Distributed);
        both.iter_mut().for_each(|executor| executor.start().expect("ready"));
        both[1].pause().expect("running");
        let [one, mut two] = both;
        let items = [one.metrics(), two.metrics()];
        // The other's end is not yet its own, which waits to go on.
        let begun = Instant::now();
        while items[1].items("sink") != items[0].items("numbers")
            || items[1].items("sink") == Some(0)
        {
            assert!(begun.elapsed() < SOON, "{:?}", items[1].items("sink"));
            thread::sleep(Duration::from_millis(1));
        }
        two.resume().expect("paused");
        ended(one).expect("it ran");
        ended(two).expect("it ran");
    }
}

/// Items of many megabytes go as they are.
#[test]
fn large_items_go_between_processes() {
    let text = "bound = 4\nedges = [\"numbers -> sink\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n\
        count = 3\nsize = 50000000\n[[node]]\nname = \"sink\"\noperator = \"count\"\nworker = 1\n";
    let mut both = pair(|| Registry::default().graph(text).expect("sound"), Mode::Distributed);
    both.iter_mut().for_each(|executor| executor.start().expect("ready"));
    let items = both.each_ref().map(Executor::metrics);
    both.iter_mut().for_each(|executor| executor.wait().expect("it runs"));
    assert_eq!(items[1].items("sink"), Some(3));
}
