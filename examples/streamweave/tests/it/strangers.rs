//! Clients of `tcp-lines`, who may be anybody: what one of them does ends nobody's run but by a policy that
//! says so.

use crate::{processes::Process, random::Folder};
use rustix::net::sockopt::set_socket_linger;
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};
use streamweave::{Cluster, Error, Executor, Mode, Registry};

const SOON: Duration = Duration::from_secs(10);

fn free() -> SocketAddr {
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    free.local_addr().expect("bound")
}

/// Lines of so many clients into a file of the folder.
fn graph(folder: &Folder, address: SocketAddr, more: &str) -> String {
    format!(
        "edges = [\"in -> out\"]\n[[node]]\nname = \"in\"\noperator = \"tcp-lines\"\n\
         listen = \"{address}\"\n{more}\n[[node]]\nname = \"out\"\noperator = \"file\"\n\
         path = \"{}/out\"\n",
        folder.0.display()
    )
}

fn executor(text: &str, mode: Mode) -> Executor {
    let mut executor = Executor::new(Registry::default().graph(text).expect("sound"), mode);
    executor.start().expect("ready");
    executor
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

fn says(address: SocketAddr, text: &str) {
    reached(address).write_all(text.as_bytes()).expect("heard");
}

/// Ends by a reset, behind half a line.
fn resets(address: SocketAddr) {
    let mut client = reached(address);
    client.write_all(b"one\nhalf").expect("heard");
    // What is on its way is lost with it.
    thread::sleep(Duration::from_millis(100));
    set_socket_linger(&client, Some(Duration::ZERO)).expect("a socket");
}

/// A line without an end, until it is not listened to any more.
fn endless(address: SocketAddr) {
    let (mut client, block) = (reached(address), vec![b'x'; 1 << 20]);
    let begun = Instant::now();
    while client.write_all(&block).is_ok() {
        assert!(begun.elapsed() < SOON, "it is listened to for ever");
    }
}

#[test]
fn a_client_that_breaks_ends_its_own_connection() {
    for mode in [Mode::InProcess, Mode::Distributed(Cluster::alone(1))] {
        for breaks in [resets, endless] {
            let (folder, address) = (Folder::new("breaks"), free());
            let mut executor = executor(&graph(&folder, address, "connections = 3"), mode.clone());
            let metrics = executor.metrics();
            says(address, "before\n");
            breaks(address);
            says(address, "behind\n");
            executor.wait().expect("the clients' own affair");
            let got = fs::read_to_string(folder.0.join("out")).expect("written");
            assert!(["before\nbehind\n", "before\none\nbehind\n"].contains(&&got[..]), "{got}");
            assert_eq!(metrics.failures("in"), Some(1));
        }
    }
}

#[test]
fn it_ends_the_run_where_the_policy_says_so() {
    for policy in ["stop", "retry 3"] {
        for breaks in [resets, endless] {
            let (folder, address) = (Folder::new("stops"), free());
            let more = format!("policy = \"{policy}\"");
            let mut executor = executor(&graph(&folder, address, &more), Mode::InProcess);
            breaks(address);
            let ended = executor.wait();
            assert!(matches!(ended, Err(Error::Node { .. })), "{policy}: {ended:?}");
        }
    }
}

fn written(folder: &Folder, address: SocketAddr, more: &str) -> PathBuf {
    let path = folder.0.join("graph.toml");
    fs::write(&path, graph(folder, address, more)).expect("written");
    path
}

#[test]
fn who_breaks_is_said_in_one_line() {
    let (folder, address) = (Folder::new("said"), free());
    let process = Process::start(&written(&folder, address, "connections = 2"), &[]);
    endless(address);
    says(address, "behind\n");
    let (status, _, said) = process.wait(SOON);
    assert!(status.success(), "{said}");
    let says = said.strip_prefix("streamweave: node \"in\": 127.0.0.1:").expect(&said);
    assert!(says.ends_with(": a line of more than 16777216 bytes\n"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
}

/// Others wait behind it.
#[test]
fn a_client_may_be_silent_for_as_long_as_it_is_said() {
    let (folder, address) = (Folder::new("idle"), free());
    let mut executor =
        executor(&graph(&folder, address, "connections = 2\nidle = 1"), Mode::InProcess);
    let metrics = executor.metrics();
    let mut silent = reached(address);
    // Now and then a line, for longer than that; and then no more than the half of one.
    for line in ["a\n", "b\n", "c\n", "ha"] {
        silent.write_all(line.as_bytes()).expect("heard");
        thread::sleep(Duration::from_millis(400));
    }
    says(address, "behind\n");
    assert_eq!(silent.read(&mut [0]).ok(), Some(0), "it is let go");
    executor.wait().expect("the client's own affair");
    let got = fs::read_to_string(folder.0.join("out")).expect("written");
    assert_eq!((&got[..], metrics.failures("in")), ("a\nb\nc\nbehind\n", Some(1)));
}
