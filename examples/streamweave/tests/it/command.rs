//! The program itself.

use crate::{processes::Process, random::Folder};
use prometheus_parse::{Scrape, Value};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    process::{Command, Stdio},
    time::Duration,
};

const GRAPH: &str = r#"
edges = ["lines -> words", "words -> key", "key -> total", "total -> out", "key -> \"quoted\""]
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
name = "\"quoted\""
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
    let (status, ..) = Process::start(&graph, &["-n", "2"]).wait(Duration::from_secs(10));
    assert!(!status.success());
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
        println!("skipped: graphviz is not installed");
        return;
    };
    render.stdin.take().expect("piped").write_all(text.as_bytes()).expect("read");
    let picture = render.wait_with_output().expect("it runs");
    let picture = String::from_utf8(picture.stdout).expect("text");
    assert_eq!(picture.matches("class=\"node\"").count(), 6);
    assert!(picture.contains("&quot;quoted&quot;"), "{picture}");
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
