//! What a reader who did not believe it found.

use crate::{
    peers::{SOON, ended, pair},
    processes::Process,
    random::Folder,
};
use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};
use streamweave::{
    ANY, BuildError, Cluster, Error, Executor, Graph, Message, Mode, Node, Operator, Outputs,
    Parameters, Registry,
};

/// Lines from somewhere to a sink.
fn from_to(source: &str, sink: &str) -> String {
    format!(
        "edges = [\"in -> out\"]\n[[node]]\nname = \"in\"\n{source}\n[[node]]\nname = \"out\"\n{sink}\n"
    )
}

fn graph(text: &str) -> Graph {
    Registry::default().graph(text).expect("sound")
}

/// Asked again, the source would give the line behind the one that is gone.
#[test]
fn another_try_at_a_line_that_is_gone_does_not_lose_it_in_silence() {
    let folder = Folder::new("gone");
    let at = folder.0.join("in");
    fs::write(&at, format!("a\n{}\nb\n", "x".repeat(40 << 20))).expect("written");
    let lines = format!("operator = \"lines\"\npath = {at:?}\npolicy = \"retry 3\"");
    let mut executor =
        Executor::new(graph(&from_to(&lines, "operator = \"count\"")), Mode::InProcess);
    let result = executor.run();
    assert!(matches!(result, Err(Error::Node { .. })), "{result:?}");
    assert_eq!(executor.metrics().failures("in"), Some(1));
}

/// A folder opens as a file does, and cannot be read.
#[test]
fn what_cannot_be_read_is_skipped_once() {
    let folder = Folder::new("folder");
    let lines = format!("operator = \"lines\"\npath = {:?}\npolicy = \"skip\"", folder.0);
    for mode in [Mode::InProcess, Mode::Distributed(Cluster::alone(1))] {
        let mut executor =
            Executor::new(graph(&from_to(&lines, "operator = \"count\"")), mode.clone());
        let metrics = executor.metrics();
        executor.start().expect("ready");
        ended(executor).expect("skipped");
        assert_eq!((metrics.failures("in"), metrics.items("in")), (Some(1), Some(0)), "{mode:?}");
    }
}

#[test]
fn a_hybrid_graph_of_a_thousand_nodes_begins_soon() {
    let nodes = |n: usize| format!("[[node]]\nname = \"n{n}\"\noperator = \"pass\"\n");
    let edges: Vec<String> = (0..1000).map(|n| format!("n{n} -> n{}", n + 1)).collect();
    let text = format!(
        "edges = {edges:?}\n[[node]]\nname = \"n0\"\noperator = \"generate\"\ncount = 10\n{}",
        (1..=1000).map(nodes).collect::<String>()
    );
    let graph = graph(&text);
    let begun = Instant::now();
    let mut executor = Executor::new(graph, Mode::Hybrid(Cluster::alone(2), 1.0));
    executor.run().expect("it runs");
    assert_eq!(executor.metrics().items("n1000"), Some(10));
    assert!(begun.elapsed() < SOON / 2, "{:?}", begun.elapsed());
}

/// Graphviz does not know what `\u{301}` would be, and reads `&amp;` as a sign.
#[test]
fn a_picture_has_the_names_of_any_language() {
    let names = ["हिन्दी", "e\u{301}", "\u{2764}\u{fe0f}", "a &amp; b", "back\\slash \"quoted\""];
    let mut text = "[[node]]\nname = \"in\"\noperator = \"generate\"\n".to_owned();
    for name in names {
        text += &format!("[[node]]\nname = '''{name}'''\noperator = \"count\"\n");
    }
    let edges: Vec<String> = names.iter().map(|name| format!("'''in -> {name}'''")).collect();
    let dot = graph(&format!("edges = [{}]\n{text}", edges.join(", "))).dot();
    for name in [
        "\"हिन्दी\\n",
        "\"e\u{301}\\n",
        "\"\u{2764}\u{fe0f}\\n",
        "\"a &amp;amp; b\\n",
        "\"back\\\\slash \\\"quoted\\\"\\n",
    ] {
        assert!(dot.contains(name), "{name} {dot}");
    }
}

/// What goes between processes is copied once for its edge, and what stays is not.
#[test]
fn metrics_say_what_was_copied_between_processes() {
    let text = from_to(
        "operator = \"generate\"\ncount = 500\nsize = 1000",
        "operator = \"count\"\nworker = 1",
    );
    let [mut one, mut two] = pair(|| graph(&text), Mode::Distributed);
    let metrics = one.metrics();
    one.start().expect("ready");
    two.start().expect("ready");
    ended(one).expect("it runs");
    ended(two).expect("it runs");
    let own = Executor::new(graph(&text), Mode::Distributed(Cluster::alone(2)));
    for (metrics, want) in [(metrics, 500_000), (run(own), 0)] {
        let row = "streamweave_edge_copied_bytes_total{from=\"in:out\",to=\"out:in\"}";
        let text = metrics.prometheus();
        assert!(text.contains(&format!("{row} {want}\n")), "{text}");
    }
}

fn run(mut executor: Executor) -> Arc<streamweave::Metrics> {
    let metrics = executor.metrics();
    executor.start().expect("ready");
    ended(executor).expect("it runs");
    metrics
}

static SEEN: Mutex<Vec<u64>> = Mutex::new(Vec::new());

struct Noted;

impl Operator for Noted {
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        _: &mut Outputs<'_>,
    ) -> Result<(), streamweave::Failure> {
        SEEN.lock().expect("whole").push(message.sequence);
        Ok(())
    }
}

fn noted(parameters: &mut Parameters) -> Result<Node, BuildError> {
    Ok(Node::sink(parameters.name(), ANY, Arc::new(|| Ok(Box::new(Noted)))))
}

fn reached(address: SocketAddr) -> TcpStream {
    let begun = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Ok(client) => return client,
            Err(error) => assert!(begun.elapsed() < SOON, "{error}"),
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// A message's sequence is its place at its source, and who it is where nothing else says that.
#[test]
fn lines_of_several_clients_have_places_of_their_own() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("bound");
    drop(free);
    let tcp = format!("operator = \"tcp-lines\"\nlisten = \"{address}\"\nconnections = 3");
    let mut registry = Registry::default();
    registry.register("noted", noted);
    let graph = registry.graph(&from_to(&tcp, "operator = \"noted\"")).expect("sound");
    let mut executor = Executor::new(graph, Mode::InProcess);
    executor.start().expect("ready");
    for text in ["a\nb\n", "", "c\nd"] {
        reached(address).write_all(text.as_bytes()).expect("heard");
    }
    ended(executor).expect("it runs");
    assert_eq!(*SEEN.lock().expect("whole"), [0, 1, 2, 3]);
}

#[test]
fn what_a_mode_does_not_have_is_refused() {
    let folder = Folder::new("refused");
    let at = folder.0.join("graph.toml");
    let text = from_to("operator = \"generate\"\ncount = 1", "operator = \"count\"");
    fs::write(&at, text).expect("written");
    for (arguments, want) in [
        (&["-p", "3"][..], "distributed and hybrid"),
        (&["-n", "2"], "distributed and hybrid"),
        (&["-w", "2"], "distributed and hybrid"),
        (&["--lz4", "1"], "distributed and hybrid"),
        (&["-h", "hosts"], "distributed and hybrid"),
        (&["--mode", "copying", "-p", "1"], "distributed and hybrid"),
        (&["--mode", "hybrid", "--threshold", "nan"], "--threshold"),
        (&["--mode", "hybrid", "--threshold=-1"], "--threshold"),
    ] {
        let (status, _, said) = Process::start(&at, arguments).wait(SOON);
        assert!(!status.success() && said.contains(want), "{arguments:?}: {said}");
    }
}
