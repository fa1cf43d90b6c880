//! The program.

use crate::pyzmq::Script;
use aqueduct_testkit::Process;
use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_uvrpc");

/// `uvrpc serve` as a process of its own.
pub fn serve(listen: &str, options: &[&str]) -> Process {
    let mut command = Command::new(PROGRAM);
    Process::start(command.args(["serve", "--listen", listen]).args(options))
}

/// Ends it by a signal: it has nothing more to say.
pub fn end(server: Process, signal: &str) {
    assert_eq!(server.end(signal).0, "");
}

fn uvrpc(args: &[&str]) -> Output {
    Command::new(PROGRAM).args(args).output().unwrap()
}

#[test]
fn it_serves_and_calls_in_every_mode_and_profile() {
    for mode in ["zero-copy", "copying"] {
        for profile in ["low-latency", "balanced", "high-throughput"] {
            let server = serve("tcp://127.0.0.1:0", &["--mode", mode, "--profile", profile]);
            let call = |args: &[&str]| uvrpc(&[&["call", &server.address], args].concat());
            let echo = call(&["echo", "m", "hello"]);
            assert_eq!((&echo.stdout[..], echo.status.code()), (&b"hello"[..], Some(0)));
            let absent = call(&["nobody", "m", "hello"]);
            assert_eq!(absent.status.code(), Some(1));
            let said = String::from_utf8(absent.stderr).unwrap();
            assert_eq!(said, "uvrpc: status -4: Service not found\n");
            let failed = call(&["fail", "m", "hello"]);
            assert_eq!((&failed.stdout[..], failed.status.code()), (&b"hello"[..], Some(1)));
            let late = call(&["slow", "m", "2000", "--timeout", "50"]);
            assert_eq!(String::from_utf8(late.stderr).unwrap(), "uvrpc: no reply in time\n");
            end(server, "TERM");
        }
    }
}

#[test]
fn a_signal_drains_and_ends_with_0() {
    for signal in ["TERM", "INT"] {
        let server = serve("tcp://127.0.0.1:0", &[]);
        let mut call = Command::new(PROGRAM);
        call.args(["call", &server.address, "slow", "m", "600"]).stdout(Stdio::piped());
        let call = call.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(250));
        end(server, signal);
        let output = call.wait_with_output().unwrap();
        assert_eq!((&output.stdout[..], output.status.code()), (&b"600"[..], Some(0)));
    }
}

#[test]
fn a_socket_that_was_left_behind_is_taken_over_and_one_in_use_is_not() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("left.sock");
    let address = format!("ipc://{}", path.display());
    // It is killed.
    drop(serve(&address, &[]));
    assert!(path.exists());
    let server = serve(&address, &[]);
    let second = uvrpc(&["serve", "--listen", &address]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8(second.stderr).unwrap().starts_with(&format!("uvrpc: {address}: ")));
    assert_eq!(uvrpc(&["call", &address, "echo", "", "x"]).stdout, b"x");
    end(server, "TERM");
    assert!(!path.exists());
}

#[test]
fn bad_addresses_are_one_line() {
    for address in ["", "tcp://", "tcp://host", "tcp://:1", "tcp://h:99999", "udp://h:1", "ipc://"]
    {
        let output = uvrpc(&["call", address, "echo", "", ""]);
        assert_eq!(output.status.code(), Some(2), "{address}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("is no tcp://HOST:PORT, ipc://PATH or inproc://NAME"), "{said}");
    }
}

#[test]
fn it_calls_a_server_of_libzmqs() {
    let Some((_script, address)) = crate::pyzmq::server("tcp://127.0.0.1:*") else { return };
    let _: &Script = &_script;
    let output = uvrpc(&["call", &address.to_string(), "echo", "m", "to libzmq"]);
    assert_eq!(output.stdout, b"to libzmq");
}
