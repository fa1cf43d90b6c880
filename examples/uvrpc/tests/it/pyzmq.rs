//! libzmq and msgpack, by way of Python, on the other side of the wire.

use crate::peer::{ANY, MODES, Served, patient, run, wait_for};
use aqueduct_testkit::{pattern, python, skip};
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};
use uvrpc::{Address, CallError, Client, Options, Payload, await_all};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peer")
}

/// A script that runs; it ends with this.
pub struct Script {
    child: Child,
    stdin: Option<ChildStdin>,
    said: BufReader<ChildStdout>,
}

impl Script {
    /// Starts it, or says in one line why it cannot.
    pub fn start(args: &[&str]) -> Option<Self> {
        let list = folder().join("requirements.txt");
        let python = python(Path::new(env!("CARGO_TARGET_TMPDIR")), &list, &[]);
        let python = python.map_err(|why| skip(&format!("no libzmq to talk to: {why}"))).ok()?;
        let mut command = Command::new(python);
        command.arg("-B").args(args).current_dir(folder());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take();
        let said = BufReader::new(child.stdout.take().unwrap());
        Some(Self { child, stdin, said })
    }

    /// What it says next.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn ends_well(mut self) {
        assert_eq!(self.line(), "well");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a case of the client's against this server.
pub fn judge(case: &str, address: &Address, more: &[&str]) -> bool {
    let address = address.to_string();
    let script = Script::start(&[&["client.py", case, &address], more].concat());
    script.map(Script::ends_well).is_some()
}

/// A server of pyzmq's at this address.
pub fn server(address: &str) -> Option<(Script, Address)> {
    let mut script = Script::start(&["server.py", address])?;
    let address = script.line().parse().expect("an address");
    Some((script, address))
}

#[test]
fn replies_are_libzmqs_and_msgpacks_byte_for_byte() {
    for mode in MODES {
        let served = Served::new(ANY, Options { mode, ..Options::default() });
        judge("golden", &served.address, &[]);
    }
}

#[test]
fn data_of_every_size_comes_back() {
    for mode in MODES {
        let served = Served::new(ANY, Options { mode, ..Options::default() });
        judge("sizes", &served.address, &[]);
    }
}

#[test]
fn what_is_malformed_is_refused_and_forgotten() {
    let served = Served::new(ANY, Options::default());
    judge("malformed", &served.address, &[]);
}

#[test]
fn data_above_the_limit_is_refused_with_its_id() {
    let served = Served::new(ANY, Options { largest: 100_000, ..Options::default() });
    judge("too_large", &served.address, &["1000000"]);
}

#[test]
fn five_thousand_calls_over_fifty_clients() {
    for mode in MODES {
        let served = Served::new(ANY, Options { mode, ..Options::default() });
        judge("pipelined", &served.address, &[]);
    }
}

#[test]
fn ipc_is_the_same() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("libzmq.sock");
    let served = Served::new(&format!("ipc://{}", path.display()), Options::default());
    judge("golden", &served.address, &[]);
    judge("pipelined", &served.address, &[]);
}

#[test]
fn a_quiet_connection_lives_on_pings() {
    let heartbeat = Duration::from_millis(60);
    let served = Served::new(ANY, Options { heartbeat, ..Options::default() });
    judge("heartbeats", &served.address, &[]);
}

#[test]
fn a_client_that_dies_in_the_middle_of_its_calls_costs_nothing() {
    let served = Served::new(ANY, Options::default());
    let Some(mut script) = Script::start(&["client.py", "dies", &served.address.to_string()])
    else {
        return;
    };
    assert!(script.child.wait().unwrap().success());
    wait_for(|| served.pool.outstanding() == 0);
    judge("golden", &served.address, &[]);
}

#[test]
fn libzmq_connects_again_when_the_server_is_another() {
    let served = Served::new(ANY, Options::default());
    let address = served.address.to_string();
    let Some(mut script) = Script::start(&["client.py", "restarted", &address]) else { return };
    assert_eq!(script.line(), "answered");
    drop(served);
    let _second = Served::new(&address, Options::default());
    script.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    script.ends_well();
}

#[test]
fn calls_are_libzmqs_and_msgpacks_byte_for_byte() {
    let Some((_script, address)) = server("tcp://127.0.0.1:*") else { return };
    for mode in MODES {
        let options = Options { mode, first_id: u32::MAX - 60, ..patient() };
        run(async {
            let client = Client::connect(address.clone(), options);
            let edges =
                [0, 256, 4096, 65536].into_iter().flat_map(|n: usize| n.saturating_sub(30)..n + 3);
            for len in edges.chain([1 << 20, 1 << 24]) {
                let data = pattern(len, len);
                let reply = client.call("echo", "m", Payload::from(data.clone())).await.unwrap();
                assert!(reply.is_ok() && reply.error.is_none(), "{reply:?}");
                assert!(reply.data.is_some_and(|got| got == *data), "{len} bytes");
            }
            // Nil and empty differ.
            assert!(client.call("echo", "m", None).await.unwrap().data.is_none());
            let empty = client.call("echo", "m", Payload::default()).await.unwrap().data;
            assert!(empty.unwrap().is_empty());
            let absent = client.call("nobody", "m", None).await.unwrap();
            assert_eq!((absent.status, absent.error.as_deref()), (-4, Some("Service not found")));
            let text = client.call("text", "m", None).await.unwrap();
            assert_eq!((text.status, text.error.as_deref()), (3, Some("a reason\u{2026}")));
            let long = "m".repeat(300);
            assert!(client.call("echo", &long, None).await.unwrap().is_ok());
        });
    }
}

#[test]
fn fifty_clients_call_a_libzmq_server_at_once() {
    let Some((_script, address)) = server("tcp://127.0.0.1:*") else { return };
    run(async {
        let clients: Vec<_> =
            (0..50).map(|_| Client::connect(address.clone(), patient())).collect();
        let mut calls = Vec::new();
        for i in 0..5000_usize {
            let data = Payload::from(pattern(i % 2000, i));
            calls.push(clients[i % 50].begin("echo", "m", data).unwrap());
        }
        for (i, outcome) in await_all(calls).await.into_iter().enumerate() {
            assert!(outcome.unwrap().data.unwrap() == *pattern(i % 2000, i), "call {i}");
        }
    });
}

#[test]
fn a_libzmq_server_learns_the_clients_name() {
    let Some((_script, address)) = server("tcp://127.0.0.1:*") else { return };
    run(async {
        let named = Options { identity: b"a name of its own".into(), ..patient() };
        let reply = Client::connect(address, named).call("who", "", None).await.unwrap();
        assert_eq!(reply.data.unwrap().as_slice(), Some(&b"a name of its own"[..]));
    });
}

#[test]
fn replies_that_are_none_and_late_ones_are_dropped_and_counted() {
    let Some((_script, address)) = server("tcp://127.0.0.1:*") else { return };
    run(async {
        let client = Client::connect(address, patient());
        assert_eq!(client.call("frames", "", None).await.unwrap_err(), CallError::Malformed);
        assert!(client.call("junk", "", None).await.unwrap().is_ok());
        assert_eq!(client.stats().malformed, 2);
        let short = client.with_timeout(Duration::from_millis(30));
        let late = short.call("late", "", Payload::from(b"0.3")).await;
        assert_eq!((late.unwrap_err(), client.stats().late), (CallError::Timeout, 0));
        assert!(client.call("echo", "", None).await.unwrap().is_ok());
        assert_eq!(client.stats().late, 1);
    });
}

#[test]
fn a_server_of_libzmqs_that_dies_loses_the_calls_and_no_more() {
    let Some((script, address)) = server("tcp://127.0.0.1:*") else { return };
    run(async {
        let client = Client::connect(address.clone(), patient());
        assert!(client.call("echo", "", None).await.unwrap().is_ok());
        assert_eq!(client.call("die", "", None).await.unwrap_err(), CallError::Lost);
        let waiting = client.begin("echo", "", Payload::from(b"for the next")).unwrap();
        drop(script);
        let _second = server(&address.to_string()).expect("as before");
        assert_eq!(waiting.await.unwrap().data.unwrap().as_slice(), Some(&b"for the next"[..]));
        assert_eq!(client.stats().connections, 2);
    });
}
