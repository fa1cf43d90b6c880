//! `exchange serve` as a process of its own.

use super::{PING, answer, ask, frame, place, rest, say};
use aqueduct_testkit::skip;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

/// Ends with the test.
pub struct Process {
    pub address: SocketAddr,
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(options: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_exchange"));
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(options);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("cargo has built it");
        let mut said = BufReader::new(child.stdout.take().expect("piped above"));
        let mut line = String::new();
        said.read_line(&mut line).expect("it says something");
        let address = line.trim_end().strip_prefix("listening on ").expect("an address");
        Self { address: address.parse().expect("an address"), child, said }
    }

    /// Ends it by a signal, and gives its last words.
    pub fn end(mut self, signal: Signal) -> String {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("text");
        assert!(self.child.wait().expect("it ends").success());
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_client_in_python_trades_in_both_forms() {
    let process = Process::start(&[]);
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/client.py");
    let (host, port) = (process.address.ip().to_string(), process.address.port().to_string());
    let Ok(out) = Command::new("python3").arg(client).args([host, port]).output() else {
        return skip("python3 is not installed");
    };
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.stdout, b"ok\n");
    let said = process.end(Signal::TERM);
    assert_eq!(
        said.trim_end(),
        "trades=2 accepted=6 rejected=0 resting=0 connections=8 malformed=2 slow=0 idle=0"
    );
}

/// What was sent before the signal is answered, then it ends.
#[test]
fn a_signal_ends_it_when_all_is_answered() {
    for signal in [Signal::TERM, Signal::INT] {
        let process = Process::start(&[]);
        let [mut busy, mut idle] = [(); 2].map(|()| TcpStream::connect(process.address).unwrap());
        say(&mut idle, &[ask(PING, 1)]);
        assert_eq!(answer(&mut idle), (1, 0));
        let orders: Vec<_> = (1..=500).map(|id| place(id, id, 1, 0, 10, 5)).collect();
        say(&mut busy, &orders);
        let address = process.address;
        let said = process.end(signal);
        assert_eq!((rest(&mut busy).len(), rest(&mut idle).len()), (500 * 64, 0));
        assert!(TcpStream::connect(address).is_err());
        let last = "trades=0 accepted=500 rejected=0 resting=500 connections=2 malformed=0 slow=0 idle=0\n";
        assert_eq!(said, last);
    }
}

#[test]
fn orders_of_a_user_that_rest_have_a_limit() {
    let process = Process::start(&["--most-resting", "2"]);
    let mut socket = TcpStream::connect(process.address).unwrap();
    let orders = [1, 2, 3].map(|id| place(id, id, 1, 0, 10, 5));
    let cancel = frame([2, 0, 4, 2, 1, 0, 0, 0, 0, 0, 0]);
    say(&mut socket, &[&orders[..], &[cancel, place(5, 5, 1, 0, 10, 5)]].concat());
    let told = [(); 5].map(|()| answer(&mut socket));
    assert_eq!(told, [(1, 0), (2, 0), (3, 11), (4, 0), (5, 0)]);
    let mut lines = TcpStream::connect(process.address).unwrap();
    let order = br#"{"type":"place","id":6,"user":1,"side":"buy","price":10,"qty":5}"#;
    lines.write_all(&[order, &b"\n"[..]].concat()).unwrap();
    lines.shutdown(Shutdown::Write).unwrap();
    let said = String::from_utf8(rest(&mut lines)).unwrap();
    assert!(said.ends_with("\"code\":11,\"reason\":\"too many orders rest\"}\n"), "{said}");
    drop(socket);
    assert!(process.end(Signal::TERM).contains("accepted=3 rejected=2 resting=2 "));
}

#[test]
fn how_long_a_client_may_be_idle_is_said() {
    let process = Process::start(&["--idle", "1"]);
    let mut socket = TcpStream::connect(process.address).unwrap();
    say(&mut socket, &[ask(PING, 1)]);
    assert_eq!(rest(&mut socket).len(), 64);
    assert!(process.end(Signal::TERM).ends_with("connections=1 malformed=0 slow=0 idle=1\n"));
}

#[test]
fn balances_come_from_a_folder() {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("serve-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = "user_id,asset_id,avail,frozen,version\n7,1,5,0,0\n";
    std::fs::write(folder.join("balances_init.csv"), text).unwrap();
    let process = Process::start(&["--balances", folder.to_str().unwrap()]);
    let mut socket = TcpStream::connect(process.address).unwrap();
    say(
        &mut socket,
        &[place(1, 1, 7, 1, 10, 5), place(2, 2, 7, 1, 10, 1), place(3, 3, 1, 1, 10, 1)],
    );
    assert_eq!([(); 3].map(|()| answer(&mut socket)), [(1, 0), (2, 6), (3, 2)]);
    drop(socket);
    assert!(process.end(Signal::TERM).contains("accepted=1 rejected=2 resting=1 "));
    std::fs::remove_dir_all(folder).unwrap();
}
