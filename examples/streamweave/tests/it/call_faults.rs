//! Calls of the program at its sockets that fail, one after the other: nothing is lost in silence, and nobody
//! waits for ever.

use crate::{
    processes::{Process, free, hosts},
    random::Folder,
};
use aqueduct_testkit::{injected, injections, may_trace, scale};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(20);

/// Every so many calls fail.
fn every() -> impl Iterator<Item = usize> {
    (1..).step_by(if scale(1) > 1 { 1 } else { 3 })
}

fn traced(inject: &str, log: &Path, arguments: &[&str]) -> Process {
    let mut strace: Command = injected(inject, log);
    Process::of(strace.args([env!("CARGO_BIN_EXE_streamweave"), "run"]).args(arguments))
}

fn lines(folder: &Folder) -> Vec<String> {
    let text = fs::read_to_string(folder.0.join("out")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

const OUT: &str = "[[node]]\nname = \"out\"\noperator = \"file\"\npath = \"@/out\"\nworker = 1\n";

/// A source, and a file.
fn graph(folder: &Folder, source: &str) -> String {
    let (path, at) = (folder.0.join("graph.toml"), folder.0.display().to_string());
    let text = format!("edges = [\"in -> out\"]\n[[node]]\nname = \"in\"\n{source}\n{OUT}");
    fs::write(&path, text.replace('@', &at)).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

/// Two processes, of which one's calls fail: of that kind with that error.
fn distributed(call: &str, error: &str, is_harmless: bool) {
    if !may_trace() {
        return;
    }
    for at in [0, 1] {
        let mut failed = 0;
        for k in every() {
            let folder = Folder::new(&format!("calls-{call}-{error}-{at}-{k}"));
            let graph = graph(&folder, "operator = \"generate\"\ncount = 200\nsize = 50");
            let (hosts, log) = (hosts(&folder), folder.0.join("strace"));
            let processes = [0, 1].map(|index| {
                let own = [&graph, "--mode", "distributed", "--deadline", "3", "-n", "2", "-h"];
                let own = [&own[..], &[&hosts, "-p"]].concat();
                let own = [&own[..], &[["0", "1"][index]]].concat();
                let inject = match index == at {
                    true => format!("{call}:error={error}:when={k}"),
                    false => "getppid:error=EPERM".to_owned(),
                };
                let log = if index == at { log.clone() } else { folder.0.join("other") };
                traced(&inject, &log, &own)
            });
            let id = processes[at].id();
            let [one, two] = processes.map(|process| process.wait(SOON));
            let injected = injections(id, &log);
            let what = format!("process {at}, {call} {k}, {error}");
            for (status, _, said) in [&one, &two] {
                assert!(status.success() || said.starts_with("streamweave: "), "{what}: {said}");
                assert!(status.success() || injected > 0 && !is_harmless, "{what}: {said}");
            }
            // Who has all says so, and nobody else.
            let all = lines(&folder).len() == 200;
            assert!(all || !two.0.success(), "{what}: {} lines", lines(&folder).len());
            failed += injected;
            if injected == 0 {
                break;
            }
        }
        assert!(failed > 0, "{call} never fails with {error}");
    }
}

#[test]
fn what_is_interrupted_between_processes_is_done_again() {
    distributed("recvfrom", "EINTR", true);
    distributed("sendto", "EINTR", true);
}

#[test]
fn a_socket_between_processes_that_fails_ends_both() {
    distributed("recvfrom", "ECONNRESET", false);
    distributed("sendto", "EPIPE", false);
}

const CLIENTS: usize = 3;
const LINES: usize = 5;

/// Clients of a source of lines, one after the other; a call of that kind fails. Whether the run ended well,
/// what it said, the lines that came, and whether a call failed.
fn clients(inject: &str, policy: &str) -> (bool, String, Vec<String>, usize) {
    let folder = Folder::new(&format!("clients-{}", inject.replace([':', '='], "-")));
    let [address] = free();
    let graph = graph(
        &folder,
        &format!(
            "operator = \"tcp-lines\"\nlisten = \"{address}\"\nconnections = {CLIENTS}\n\
             policy = \"{policy}\""
        ),
    );
    let log = folder.0.join("strace");
    let mut process = traced(inject, &log, &[&graph]);
    let begun = Instant::now();
    for client in 0..CLIENTS {
        let mut socket = loop {
            match TcpStream::connect(&address) {
                Ok(socket) => break Some(socket),
                Err(_) if process.runs() && begun.elapsed() < SOON => {
                    thread::sleep(Duration::from_millis(5));
                }
                Err(_) => break None,
            }
        };
        for line in 0..LINES {
            let text = format!("{client} {line}\n");
            // Who is cut off says no more.
            let _ = socket.as_mut().map(|socket| socket.write_all(text.as_bytes()));
            thread::sleep(Duration::from_millis(2));
        }
    }
    let id = process.id();
    let (status, _, said) = process.wait(SOON);
    (status.success(), said, lines(&folder), injections(id, &log))
}

fn all() -> Vec<String> {
    (0..CLIENTS).flat_map(|client| (0..LINES).map(move |line| format!("{client} {line}"))).collect()
}

#[test]
fn clients_whose_calls_are_interrupted_lose_no_line() {
    if !may_trace() {
        return;
    }
    for (call, error) in [
        ("recvfrom", "EINTR"),
        ("recvfrom", "EAGAIN"),
        ("accept4", "EINTR"),
        ("accept4", "ECONNABORTED"),
    ] {
        for k in [1, 2, 3, 7] {
            let inject = format!("{call}:error={error}:when={k}");
            let (well, said, lines, _) = clients(&inject, "stop");
            assert!(well, "{inject}: {said}");
            assert_eq!(lines, all(), "{inject}");
        }
    }
}

#[test]
fn a_client_that_fails_is_named_or_skipped() {
    if !may_trace() {
        return;
    }
    for k in [1, 2, 5, 8] {
        let inject = format!("recvfrom:error=ECONNRESET:when={k}");
        let (well, said, lines, failed) = clients(&inject, "stop");
        assert!(!well && failed > 0 && said.starts_with("streamweave: node \"in\": "), "{said}");
        assert!(all().starts_with(&lines), "{lines:?}");
        let (well, said, lines, _) = clients(&inject, "skip");
        assert!(well, "{said}");
        let lost: Vec<_> = all().into_iter().filter(|line| !lines.contains(line)).collect();
        let of = lost.first().map(|line| line.split(' ').next().unwrap_or_default().to_owned());
        assert!(lost.iter().all(|line| Some(&line[..1]) == of.as_deref()), "of one: {lost:?}");
    }
}

/// Who asks for metrics is answered, if not the first time.
#[test]
fn metrics_are_told_though_calls_fail() {
    if !may_trace() {
        return;
    }
    for (inject, most) in [("recvfrom:error=EINTR:when=1", 1), ("accept4:error=EMFILE:when=1", 1)] {
        let (folder, [address]) = (Folder::new("metrics-fail"), free());
        let graph = graph(&folder, "operator = \"generate\"\nrate = 100");
        let mut process =
            traced(inject, &folder.0.join("strace"), &[&graph, "--metrics", &address]);
        let (begun, mut asked) = (Instant::now(), 0);
        loop {
            assert!(process.runs() && begun.elapsed() < SOON, "nobody answers");
            let Ok(mut socket) = TcpStream::connect(&address) else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            asked += 1;
            let (mut told, ask) = (String::new(), b"GET /metrics HTTP/1.1\r\n\r\n");
            let heard = socket.write_all(ask).and_then(|()| socket.read_to_string(&mut told));
            if heard.is_ok() && told.starts_with("HTTP/1.1 200 OK\r\n") {
                break;
            }
        }
        assert!(asked <= most, "{inject}: asked {asked} times");
        // Not by a signal, of which tokio tells itself by the call that fails.
        process.kill();
    }
}
