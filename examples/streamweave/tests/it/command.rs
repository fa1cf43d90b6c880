//! The program itself.

use crate::{processes::Process, random::Folder};
use aqueduct_testkit::skip;
use prometheus_parse::{Scrape, Value};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};
use streamweave::{Executor, Mode, Weave};

const GRAPH: &str = r#"
edges = ["lines -> words", "words -> key", "key -> total", "total -> out", "key -> \"quoted\" \\N"]
[[node]]
name = "lines"
operator = "lines"
path = "@/in"
[[node]]
name = "words"
operator = "flat-map"
split = " "
[[node]]
name = "key"
operator = "key"
[[node]]
name = "total"
operator = "reduce"
to = "count"
[[node]]
name = "out"
operator = "file"
path = "@/out"
[[node]]
name = "\"quoted\" \\N"
operator = "count"
thread = true
"#;

fn folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    let text = GRAPH.replace("@", folder.0.to_str().expect("UTF-8"));
    fs::write(folder.0.join("graph.toml"), text).expect("written");
    fs::write(folder.0.join("in"), "the cat and the dog\r\nand the bird").expect("written");
    folder
}

#[test]
fn words_of_a_file_are_counted_in_every_mode() {
    for mode in ["in-process", "copying", "distributed", "hybrid"] {
        let folder = folder("words");
        let process = Process::start(&folder.0.join("graph.toml"), &["--mode", mode]);
        let (status, said, wrong) = process.wait(Duration::from_secs(10));
        assert!(status.success() && wrong.is_empty(), "{wrong}");
        assert!(said.starts_with("lines: 2 items, ") && said.contains("\nkey: 8 items"), "{said}");
        // By key: and, bird, cat, dog, the.
        assert_eq!(fs::read_to_string(folder.0.join("out")).expect("written"), "2\n1\n1\n1\n3\n");
    }
}

#[test]
fn what_is_wrong_is_one_line_and_a_status() {
    let folder = folder("wrong");
    fs::remove_file(folder.0.join("in")).expect("there");
    let graph = folder.0.join("graph.toml");
    let (status, said, wrong) = Process::start(&graph, &[]).wait(Duration::from_secs(10));
    assert!(!status.success() && said.is_empty());
    assert!(
        wrong.starts_with("streamweave: node \"lines\": ") && wrong.lines().count() == 1,
        "{wrong}"
    );
    let (status, _, wrong) =
        Process::start(&folder.0.join("none"), &[]).wait(Duration::from_secs(10));
    assert!(!status.success() && wrong.contains("none: "), "{wrong}");
}

/// What a sink has taken is no item that a policy may skip.
#[test]
fn a_full_disk_loses_nothing_in_silence() {
    let folder = folder("full");
    let graph = folder.0.join("full.toml");
    for count in [10_000, 30_000] {
        let text = format!(
            "edges = [\"numbers -> out\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n\
             count = {count}\n[[node]]\nname = \"out\"\noperator = \"file\"\npath = \"/dev/full\"\n\
             policy = \"skip\"\n"
        );
        fs::write(&graph, text).expect("written");
        for mode in ["in-process", "distributed"] {
            let process = Process::start(&graph, &["--mode", mode]);
            let (status, _, wrong) = process.wait(Duration::from_secs(10));
            assert!(!status.success(), "{count}, {mode}");
            assert!(wrong.starts_with("streamweave: node \"out\": "), "{wrong}");
        }
    }
}

#[test]
fn metrics_are_what_a_parser_of_prometheus_reads() {
    let folder = folder("metrics");
    let graph = folder.0.join("endless.toml");
    let text = "edges = [\"numbers -> sink\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n\
        size = 100\nrate = 100000\n[[node]]\nname = \"sink\"\noperator = \"count\"\nthread = true\n";
    fs::write(&graph, text).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamweave"));
    command.arg("run").arg(&graph).args(["--metrics", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut said = Vec::new();
    let mut byte = [0];
    let stderr = child.stderr.as_mut().expect("piped");
    while stderr.read(&mut byte).expect("said") == 1 && byte != *b"\n" {
        said.extend(byte);
    }
    let said = String::from_utf8(said).expect("text");
    let address =
        said.strip_prefix("metrics at http://").and_then(|at| at.strip_suffix("/metrics"));
    let scrape = || {
        let mut client = TcpStream::connect(address.expect("said")).expect("served");
        client.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").expect("heard");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 OK") && head.contains("text/plain; version=0.0.4"));
        Scrape::parse(body.lines().map(|line| Ok(line.to_owned()))).expect("well formed")
    };
    let value = |scrape: &Scrape, name: &str, label: (&str, &str)| {
        let sample = scrape
            .samples
            .iter()
            .find(|sample| sample.metric == name && sample.labels.get(label.0) == Some(label.1));
        match sample.expect("served").value {
            Value::Counter(value) | Value::Gauge(value) => value,
            ref other => panic!("{other:?}"),
        }
    };
    let mut items = 0.0;
    while items < 1000.0 {
        let scrape = scrape();
        items = value(&scrape, "streamweave_node_items_total", ("node", "sink"));
        let edge = ("to", "sink:in");
        let sent = value(&scrape, "streamweave_edge_items_total", edge);
        assert_eq!(value(&scrape, "streamweave_edge_bytes_total", edge), 100.0 * sent);
        assert!((0.0..=2000.0).contains(&value(&scrape, "streamweave_queue_depth", edge)));
        assert_eq!(value(&scrape, "streamweave_node_failures_total", ("node", "sink")), 0.0);
    }
    child.kill().expect("it runs");
    child.wait().expect("it ran");
}

/// The Python with Prometheus' own client, made once.
fn prometheus_client() -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join("prometheus-client");
    let (python, complete) = (here.join("bin/python"), here.join("complete"));
    let run = |command: &mut Command| match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    };
    if !complete.exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&here))?;
        let pip = ["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "10"];
        run(Command::new(&python).args(pip).arg("prometheus-client==0.26.0"))?;
        fs::write(complete, "").map_err(|error| error.to_string())?;
    }
    Ok(python)
}

const PARSE: &str = "
import sys, json
from prometheus_client.parser import text_string_to_metric_families as families
for family in families(sys.stdin.read()):
    for sample in family.samples:
        print(json.dumps([family.type, sample.name, sample.labels, sample.value]))
";

/// Whatever nodes are called.
#[test]
fn prometheus_client_reads_the_metrics() {
    let python = match prometheus_client() {
        Ok(python) => python,
        Err(why) => return skip(&format!("no prometheus-client: {why}")),
    };
    let name = "a \"b\" \\n c\\\n{d=\"e\"} é";
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..5_u64);
    let sink = weave.sink(name, |_: u64| Ok(()));
    weave.connect(&numbers, sink);
    weave.own_thread(name);
    let mut executor = Executor::new(weave.build().expect("sound"), Mode::InProcess);
    executor.run().expect("it runs");
    let text = executor.metrics().prometheus();
    let mut parse = Command::new(python);
    parse.args(["-c", PARSE]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut parse = parse.spawn().expect("it starts");
    parse.stdin.take().expect("piped").write_all(text.as_bytes()).expect("read");
    let read = parse.wait_with_output().expect("it runs");
    assert!(read.status.success());
    let lines = String::from_utf8(read.stdout).expect("text");
    let samples: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let edge = serde_json::json!({"from": "numbers:out", "to": format!("{name}:in")});
    for want in [
        serde_json::json!(["counter", "streamweave_node_items_total", {"node": name}, 5]),
        serde_json::json!(["counter", "streamweave_node_failures_total", {"node": name}, 0]),
        serde_json::json!(["counter", "streamweave_edge_bytes_total", edge, 40]),
        serde_json::json!(["counter", "streamweave_moves_total", {}, 0]),
        serde_json::json!(["counter", "streamweave_queue_taken_total", edge, 5]),
        serde_json::json!(["gauge", "streamweave_queue_depth", edge, 0]),
    ] {
        assert!(samples.contains(&want), "{want} is not in {samples:?}");
    }
}

/// On a terminal, a run says how far it is and how fast.
#[test]
fn a_live_run_shows_a_line_with_rates() {
    let folder = folder("line");
    let graph = folder.0.join("slow.toml");
    let text = "edges = [\"numbers -> sink\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n\
        count = 800\nrate = 1000\n[[node]]\nname = \"sink\"\noperator = \"count\"\n";
    fs::write(&graph, text).expect("written");
    let program = format!("{} run {}", env!("CARGO_BIN_EXE_streamweave"), graph.display());
    let mut terminal = Command::new("script");
    terminal.args(["-qec", &program, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::null());
    let Ok(output) = terminal.output() else {
        return skip("util-linux's script is not there");
    };
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains(" through nodes, "), "{said}");
    let rates = said.split(" through nodes, ").skip(1).filter_map(|rest| rest.split_once("/s"));
    let rates: Vec<f64> = rates.filter_map(|(rate, _)| rate.parse().ok()).collect();
    assert!(rates.iter().any(|rate| (500.0..4000.0).contains(rate)), "{rates:?}");
}

#[test]
fn a_graph_is_a_picture() {
    let folder = folder("picture");
    let mut command = Command::new(env!("CARGO_BIN_EXE_streamweave"));
    let out = command.arg("dot").arg(folder.0.join("graph.toml")).output().expect("it runs");
    assert!(out.status.success());
    let text = String::from_utf8(out.stdout).expect("text");
    assert_eq!((text.matches(" -> ").count(), text.matches("label=").count()), (5, 6), "{text}");
    let render =
        Command::new("dot").arg("-Tsvg").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut render) = render else {
        return skip("graphviz is not installed");
    };
    render.stdin.take().expect("piped").write_all(text.as_bytes()).expect("read");
    let picture = render.wait_with_output().expect("it runs");
    let picture = String::from_utf8(picture.stdout).expect("text");
    assert_eq!(picture.matches("class=\"node\"").count(), 6);
    assert!(picture.contains("&quot;quoted&quot; \\N"), "{picture}");
}

#[test]
fn lines_come_over_tcp() {
    let folder = folder("tcp");
    let graph = folder.0.join("tcp.toml");
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("bound");
    let text = format!(
        "edges = [\"in -> out\"]\n[[node]]\nname = \"in\"\noperator = \"tcp-lines\"\n\
         listen = \"{port}\"\nconnections = 2\n[[node]]\nname = \"out\"\noperator = \"file\"\n\
         path = \"{}/tcp\"\n",
        folder.0.display()
    );
    fs::write(&graph, text).expect("written");
    let process = Process::start(&graph, &[]);
    let long = "x".repeat(200_000);
    for part in ["one\ntwo\r\n", &long] {
        let begun = std::time::Instant::now();
        let mut client = loop {
            match TcpStream::connect(port) {
                Ok(client) => break client,
                Err(error) => assert!(begun.elapsed().as_secs() < 5, "{error}"),
            }
        };
        for bytes in part.as_bytes().chunks(70_001) {
            client.write_all(bytes).expect("read");
        }
    }
    let (status, _, wrong) = process.wait(Duration::from_secs(10));
    assert!(status.success(), "{wrong}");
    let got = fs::read_to_string(folder.0.join("tcp")).expect("written");
    assert!(got == format!("one\ntwo\n{long}\n"), "{}", got.len());
}
