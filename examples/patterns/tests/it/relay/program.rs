//! `patterns relay` as a process of its own.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use aqueduct_testkit::{Process, pattern};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;

use super::PATIENCE;

const MODES: [&str; 3] = ["copying", "pipe", "splice"];

/// Starts it on some port.
fn start(target: SocketAddr, mode: &str, more: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patterns"));
    command.args(["relay", "--listen", "127.0.0.1:0", "--to", &target.to_string()]);
    Process::start(command.args(["--mode", mode, "--json"]).args(more).stderr(Stdio::piped()))
}

fn connect(relay: &Process) -> TcpStream {
    let socket = TcpStream::connect(&relay.address).expect("it listens");
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.set_write_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Its last words, and what it logged.
fn end(relay: Process, signal: &str) -> (Value, String) {
    let (said, log) = relay.end(signal);
    (serde_json::from_str(&said).expect("one object"), log)
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A client of it, and its other end; both have heard of each other.
fn pair(relay: &Process, target: &TcpListener) -> (TcpStream, TcpStream) {
    let (client, other) = (connect(relay), target.accept().unwrap().0);
    other.set_read_timeout(Some(PATIENCE)).unwrap();
    for (mut from, mut to) in [(&client, &other), (&other, &client)] {
        from.write_all(b"hello\n").unwrap();
        let mut some = [0; 6];
        to.read_exact(&mut some).unwrap();
        assert_eq!(&some, b"hello\n");
    }
    (client, other)
}

fn reset(socket: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&socket, Some(Duration::ZERO)).unwrap();
}

fn wait_until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < PATIENCE, "it never is");
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn it_says_what_it_did() {
    for (mode, signal) in MODES.into_iter().zip(["TERM", "INT", "TERM"]) {
        let (target, address) = listener();
        let relay = start(address, mode, &["--threads", "2"]);
        drop(pair(&relay, &target));
        let (done, log) = end(relay, signal);
        assert_eq!(log, "");
        assert_eq!((&done["connections"], &done["aborted"]), (&1.into(), &0.into()));
        assert_eq!(
            (&done["bytes_to_target"], &done["bytes_to_clients"], &done["mode"]),
            (&6.into(), &6.into(), &mode.into())
        );
        let (lines, copied) = (done["lines"].as_u64(), done["bytes_copied_per_byte"].as_f64());
        match mode {
            // Bytes as few as these are moved once more, into a block.
            "copying" => assert_eq!((lines, copied), (Some(2), Some(3.0))),
            "pipe" => assert_eq!((lines, copied), (Some(2), Some(0.0))),
            _ => assert_eq!((lines, copied), (None, Some(0.0))),
        }
        assert!(done["cpu_ms"].as_f64() > Some(0.0));
    }
}

/// However connections end, their descriptors come back.
#[test]
fn no_descriptor_is_left_behind() {
    for mode in MODES {
        let (target, address) = listener();
        let relay = start(address, mode, &[]);
        // Those that it needs once, whatever comes, are not meant.
        drop(pair(&relay, &target));
        sleep(Duration::from_millis(200));
        let before = relay.descriptors();
        let pairs: Vec<_> = (0..100).map(|_| pair(&relay, &target)).collect();
        assert!(relay.descriptors() >= before + 200);
        for (at, (client, other)) in pairs.into_iter().enumerate() {
            match at % 4 {
                0 => reset(client),
                1 => reset(other),
                2 => drop((client, other)),
                _ => {
                    client.shutdown(std::net::Shutdown::Write).unwrap();
                    drop(other);
                }
            }
        }
        // A thread keeps a few empty pipes of the kernel's for the next.
        let kept = if mode == "splice" { 16 } else { 0 };
        wait_until(|| relay.descriptors() <= before + kept);
        let (done, _) = end(relay, "TERM");
        assert_eq!(done["connections"], 101);
        assert_eq!(done["aborted"], 50);
    }
}

/// Some are accepted, the others wait, and have their turn when the first are gone.
#[test]
fn without_descriptors_clients_wait() {
    for mode in MODES {
        let (target, address) = listener();
        let relay = start(address, mode, &[]);
        let few = Some(relay.descriptors() as u64 + 30);
        let id = Pid::from_raw(relay.id().try_into().unwrap());
        prlimit(id, Resource::Nofile, Rlimit { current: few, maximum: few }).unwrap();
        let mut clients: Vec<_> = (0..40).map(|_| connect(&relay)).collect();
        for client in &mut clients {
            client.write_all(b"hello").unwrap();
        }
        target.set_nonblocking(true).unwrap();
        let mut met = 0;
        let start = Instant::now();
        let mut most = 0;
        while met < 40 {
            let mut others = Vec::new();
            // All who get through at once.
            let quiet = Instant::now();
            while quiet.elapsed() < Duration::from_millis(100) {
                if let Ok((other, _)) = target.accept() {
                    others.push(other);
                }
                sleep(Duration::from_millis(1));
            }
            assert!(start.elapsed() < PATIENCE, "{met} of 40 are through");
            most = most.max(others.len());
            for mut other in others {
                other.set_nonblocking(false).unwrap();
                let mut some = [0; 5];
                other.read_exact(&mut some).unwrap();
                assert_eq!(&some, b"hello");
                met += 1;
                reset(other);
            }
        }
        assert!((3..40).contains(&most), "{most} at once");
        drop(clients);
        let (done, _) = end(relay, "TERM");
        assert_eq!((&done["connections"], &done["unreachable"]), (&40.into(), &0.into()));
    }
}

#[test]
fn clients_that_never_read_bound_resident_memory() {
    const CLIENTS: usize = 8;
    const CAP: usize = 256 << 10;
    for mode in MODES {
        let (target, address) = listener();
        let relay = start(address, mode, &[]);
        drop(pair(&relay, &target));
        let Some(before) = relay.resident() else { return };
        let mut pairs: Vec<_> = (0..CLIENTS).map(|_| pair(&relay, &target)).collect();
        let bytes = pattern(1 << 20, 1);
        let mut stalled = Instant::now();
        for (_, other) in &pairs {
            other.set_nonblocking(true).unwrap();
        }
        while stalled.elapsed() < Duration::from_millis(300) {
            for (_, other) in &mut pairs {
                if other.write(&bytes).is_ok() {
                    stalled = Instant::now();
                }
            }
        }
        let grown = relay.resident().unwrap_or(before).saturating_sub(before);
        let most = CLIENTS * (CAP + (192 << 10)) + (1 << 20);
        eprintln!("{mode}: {} KiB for {CLIENTS} clients that do not read", grown >> 10);
        assert!(grown <= most, "{grown} of {most} bytes");
    }
}

#[test]
fn a_target_that_is_not_there_is_a_line_in_the_log() {
    let (target, address) = listener();
    drop(target);
    let relay = start(address, "pipe", &[]);
    let read = connect(&relay).read(&mut [0; 1]);
    assert!(read.is_err(), "{read:?}");
    let (done, log) = end(relay, "TERM");
    assert_eq!(done["unreachable"], 1);
    assert!(log.starts_with(&format!("relay: no connection to {address}: ")), "{log}");
    assert_eq!(log.lines().count(), 1);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let run = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_patterns"));
        let out = command.arg("relay").args(args).output().expect("the program runs");
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let addresses = ["--listen", "127.0.0.1:0", "--to", "127.0.0.1:9"];
    for more in [
        &["--transform", "rot13"][..],
        &["--transform", "xor:256"],
        &["--transform", "xor5"],
        &["--cap", "0"],
        &["--mode", "zero-copy"],
        &["--threads", "0"],
        &["--idle", "-1"],
    ] {
        assert_eq!(run(&[&addresses, more].concat()).0, Some(2), "{more:?}");
    }
    let (code, said) = run(&[&addresses[..], &["--mode", "splice", "--transform", "xor"]].concat());
    assert_eq!((code, said.lines().count()), (Some(1), 1));
    assert!(said.contains("a transform needs to see the bytes"), "{said}");
    let (_taken, address) = listener();
    let (code, said) = run(&["--listen", &address.to_string(), "--to", "127.0.0.1:9"]);
    assert_eq!((code, said.lines().count()), (Some(1), 1));
    assert!(said.starts_with(&format!("patterns: {address}: ")), "{said}");
}
