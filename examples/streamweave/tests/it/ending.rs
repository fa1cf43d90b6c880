//! Signals: the first ends a run in order, the second at once.

use crate::{
    processes::{Process, both, hosts},
    random::Folder,
};
use std::{
    fs,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(10);

/// A source, and a file behind a thread of its own, on the second worker.
fn graph(folder: &Folder, source: &str) -> PathBuf {
    let (path, at) = (folder.0.join("graph.toml"), folder.0.display());
    let text = format!(
        "edges = [\"in -> out\"]\n[[node]]\nname = \"in\"\n{source}\n[[node]]\nname = \"out\"\n\
         operator = \"file\"\npath = \"{at}/out\"\nworker = 1\nthread = true\n"
    );
    fs::write(&path, text.replace('@', &at.to_string())).expect("written");
    path
}

/// The lines that came to the file so far.
fn lines(folder: &Folder) -> usize {
    fs::read_to_string(folder.0.join("out")).map_or(0, |text| text.lines().count())
}

fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < SOON, "in vain");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Items that a summary says of a node.
fn items(summary: &str, node: &str) -> usize {
    let line = summary.lines().find_map(|line| line.strip_prefix(&format!("{node}: ")));
    let count = line.and_then(|line| line.split_once(" items")).expect(summary).0;
    count.parse().expect("a number")
}

#[test]
fn a_signal_ends_a_run_in_order() {
    let folder = Folder::new("signal");
    // 100 short items a second would stay in the file's buffer for a minute.
    let graph = graph(&folder, "operator = \"generate\"\nrate = 100");
    for mode in ["in-process", "distributed"] {
        let process = Process::start(&graph, &["--mode", mode]);
        until(|| lines(&folder) > 20);
        thread::sleep(Duration::from_millis(100));
        process.terminate();
        let (status, said, wrong) = process.wait(SOON);
        assert!(status.success() && wrong.is_empty(), "{mode}: {wrong}");
        assert_eq!([items(&said, "in"), items(&said, "out")], [lines(&folder); 2], "{mode}");
        fs::remove_file(folder.0.join("out")).expect("written");
    }
}

/// Whichever of them it comes to.
#[test]
fn a_signal_to_one_process_ends_both_in_order() {
    for signalled in [0, 1] {
        let folder = Folder::new(&format!("signalled{signalled}"));
        let graph = graph(&folder, "operator = \"generate\"\nsize = 100");
        let processes = both(&folder, &graph, &["--mode", "distributed"]);
        until(|| lines(&folder) > 1000);
        processes[signalled].terminate();
        let [one, two] = processes.map(|process| {
            let (status, said, wrong) = process.wait(SOON);
            assert!(status.success() && wrong.is_empty(), "{signalled}: {wrong}");
            said
        });
        assert_eq!([items(&one, "in"), items(&two, "out")], [lines(&folder); 2], "{signalled}");
    }
}

#[test]
fn who_waits_for_peers_ends_at_a_signal() {
    let folder = Folder::new("waiting");
    let (graph, hosts) = (graph(&folder, "operator = \"generate\""), hosts(&folder));
    for index in ["0", "1"] {
        let own = ["--mode", "distributed", "-n", "2", "-h", &hosts, "-p", index];
        let process = Process::start(&graph, &own);
        thread::sleep(Duration::from_millis(300));
        process.terminate();
        let (status, _, wrong) = process.wait(Duration::from_secs(5));
        assert!(!status.success(), "{wrong}");
    }
}

/// A source that hangs, here in a pipe that nobody opens, hears the first one too late.
#[test]
fn a_second_signal_ends_at_once() {
    let folder = Folder::new("twice");
    let graph = graph(&folder, "operator = \"lines\"\npath = \"@/pipe\"");
    let pipe = folder.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it runs").success());
    // Held open, so that it is reading that waits.
    let _held = fs::File::options().read(true).write(true).open(&pipe).expect("a pipe");
    let mut process = Process::start(&graph, &[]);
    until(|| folder.0.join("out").exists());
    thread::sleep(Duration::from_millis(100));
    process.terminate();
    thread::sleep(Duration::from_millis(300));
    assert!(process.runs(), "it waits for its source");
    process.terminate();
    let (status, _, wrong) = process.wait(SOON);
    assert!(!status.success() && wrong.contains("stopped at once"), "{wrong}");
}
