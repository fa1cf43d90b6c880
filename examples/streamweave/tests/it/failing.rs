//! What goes wrong between processes is said at once, and by name.

use crate::{
    processes::{Process, both, hosts, hosts_of},
    random::Folder,
};
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(10);

/// Numbers that go from the first process to the second.
fn graph(folder: &Folder, name: &str, count: &str) -> PathBuf {
    let path = folder.0.join(name);
    let text = format!(
        "edges = [\"numbers -> sink\"]\n[[node]]\nname = \"numbers\"\noperator = \"generate\"\n{count}\n\
         [[node]]\nname = \"sink\"\noperator = \"file\"\npath = \"{}/sink\"\nworker = 1\n",
        folder.0.display()
    );
    fs::write(&path, text).expect("written");
    path
}

#[test]
fn a_killed_process_is_named_within_two_seconds() {
    for killed in [0, 1] {
        let folder = Folder::new(&format!("killed{killed}"));
        let graph = graph(&folder, "graph.toml", "size = 100");
        let mut both = both(&folder, &graph, &["--mode", "distributed"]).map(Some);
        let begun = Instant::now();
        while fs::metadata(folder.0.join("sink")).map_or(0, |file| file.len()) < 1 << 20 {
            assert!(begun.elapsed() < SOON, "nothing comes");
            thread::sleep(Duration::from_millis(5));
        }
        both[killed].as_mut().expect("it runs").kill();
        let other = both[1 - killed].take().expect("it runs");
        let (status, _, said) = other.wait(Duration::from_secs(2));
        assert!(!status.success(), "{said}");
        let hosts = fs::read_to_string(folder.0.join("hosts")).expect("written");
        let address = hosts.lines().nth(killed).expect("two");
        let want = format!("streamweave: peer {killed} at {address}: it is gone");
        assert!(said.starts_with(&want) && said.lines().count() == 1, "{said}");
    }
}

/// The others name it, and not one another, though each ends because of it.
#[test]
fn of_three_processes_all_others_name_the_killed_one() {
    for killed in [0, 1, 2, 2, 1, 0] {
        let folder = Folder::new(&format!("three{killed}"));
        let graph = graph(&folder, "graph.toml", "size = 100");
        let hosts = hosts_of::<3>(&folder);
        let mut all = ["0", "1", "2"].map(|index| {
            let own = ["--mode", "distributed", "-n", "3", "-h", &hosts, "-p", index];
            Some(Process::start(&graph, &own))
        });
        let begun = Instant::now();
        while fs::metadata(folder.0.join("sink")).map_or(0, |file| file.len()) < 1 << 20 {
            assert!(begun.elapsed() < SOON, "nothing comes");
            thread::sleep(Duration::from_millis(5));
        }
        all[killed].as_mut().expect("it runs").kill();
        for other in [(killed + 1) % 3, (killed + 2) % 3] {
            let other = all[other].take().expect("it runs");
            let (status, _, said) = other.wait(Duration::from_secs(2));
            let want = format!("streamweave: peer {killed} at ");
            assert!(!status.success() && said.starts_with(&want), "{killed}: {said}");
        }
    }
}

#[test]
fn a_node_that_fails_ends_all_processes() {
    let folder = Folder::new("failing");
    let path = folder.0.join("graph.toml");
    let text = "edges = [\"numbers -> take\", \"take -> square\", \"square -> sink\"]\n\
        [[node]]\nname = \"numbers\"\noperator = \"generate\"\nsize = 30\n\
        [[node]]\nname = \"take\"\noperator = \"take\"\ncount = 1000000\nworker = 1\n\
        [[node]]\nname = \"square\"\noperator = \"map\"\nto = \"square\"\n\
        [[node]]\nname = \"sink\"\noperator = \"count\"\nworker = 1\n";
    fs::write(&path, text).expect("written");
    let [one, two] = both(&folder, &path, &["--mode", "distributed"]).map(|process| {
        let (status, _, said) = process.wait(SOON);
        assert!(!status.success());
        said
    });
    assert!(one.contains("peer 1 at 127.0.0.1:") && one.contains("it is gone"), "{one}");
    assert!(two.starts_with("streamweave: node \"square\": "), "{two}");
}

fn alone(index: &str, folder: &Folder, hosts: &str) -> (String, Duration) {
    let graph = graph(folder, "alone.toml", "count = 1");
    let common = ["--mode", "distributed", "-n", "2", "-h", hosts, "--deadline", "1", "-p", index];
    let begun = Instant::now();
    let (status, _, said) = Process::start(&graph, &common).wait(SOON);
    assert!(!status.success());
    (said, begun.elapsed())
}

#[test]
fn who_is_not_there_or_does_not_answer_is_an_error_within_the_deadline() {
    let folder = Folder::new("absent");
    let closed = hosts(&folder);
    let (said, time) = alone("1", &folder, &closed);
    assert!(said.contains("peer 0 at 127.0.0.1:") && said.contains("cannot be reached"), "{said}");
    assert!(time < Duration::from_secs(3), "{time:?}");
    let (said, time) = alone("0", &folder, &closed);
    assert!(
        said.contains("peer 1 at 127.0.0.1:") && said.contains("not connected in time"),
        "{said}"
    );
    assert!(time < Duration::from_secs(3), "{time:?}");
    // One that listens and says nothing, and one that is something else.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("bound");
    fs::write(&closed, format!("{address}\n127.0.0.1:1\n")).expect("written");
    let (said, time) = alone("1", &folder, &closed);
    assert!(said.contains("does not answer: timed out"), "{said}");
    assert!(time < Duration::from_secs(3), "{time:?}");
    let other = thread::spawn(move || {
        // The first has connected above.
        for _ in 0..2 {
            let (mut client, _) = silent.accept().expect("somebody");
            let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            let _ = client.read(&mut [0; 64]);
        }
    });
    let (said, _) = alone("1", &folder, &closed);
    assert!(said.contains("it is no streamweave"), "{said}");
    other.join().expect("it ends");
}

#[test]
fn a_peer_with_another_graph_is_refused_by_both() {
    let folder = Folder::new("another");
    let hosts = hosts(&folder);
    let graphs = [graph(&folder, "a", "count = 1"), graph(&folder, "b", "count = 2")];
    let common = ["--mode", "distributed", "-n", "2", "-h", &hosts, "-p"];
    let both =
        [0, 1].map(|at| Process::start(&graphs[at], &[&common[..], &[["0", "1"][at]]].concat()));
    for process in both {
        let (status, _, said) = process.wait(SOON);
        assert!(!status.success() && said.contains("it runs another graph"), "{said}");
    }
}

#[test]
fn strangers_do_not_keep_processes_from_one_another() {
    let folder = Folder::new("strangers");
    let hosts = hosts(&folder);
    let graph = graph(&folder, "graph.toml", "count = 1000");
    let common = ["--mode", "distributed", "-n", "2", "-h", &hosts, "-p"];
    let first = Process::start(&graph, &[&common[..], &["0"]].concat());
    let address = fs::read_to_string(&hosts).expect("written").lines().next().map(str::to_owned);
    let address = address.expect("two");
    let begun = Instant::now();
    let mut stranger = loop {
        match TcpStream::connect(&address) {
            Ok(stranger) => break stranger,
            Err(error) => assert!(begun.elapsed() < SOON, "{error}"),
        }
    };
    stranger.write_all(&[b'x'; 36]).expect("heard");
    let _silent = TcpStream::connect(&address).expect("it listens");
    let second = Process::start(&graph, &[&common[..], &["1"]].concat());
    for process in [first, second] {
        let (status, _, said) = process.wait(SOON);
        assert!(status.success(), "{said}");
    }
    let written = fs::read_to_string(folder.0.join("sink")).expect("written");
    assert!(written.lines().map(str::to_owned).eq((0..1000).map(|n| n.to_string())));
}

#[test]
fn an_index_that_is_not_below_the_count_is_refused() {
    let folder = Folder::new("index");
    let graph = graph(&folder, "graph.toml", "count = 1");
    let process = Process::start(&graph, &["--mode", "distributed", "-p", "2", "-n", "2"]);
    let (status, _, said) = process.wait(SOON);
    assert!(!status.success());
    assert_eq!(said, "streamweave: process 2 is not below their number, 2\n");
}
