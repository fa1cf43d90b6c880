//! Calls of `patterns relay` and `patterns serve` to the system that fail, one after the other: a client gets
//! all or is cut off, the others get theirs, and no descriptor stays open.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::Path,
    sync::LazyLock,
    thread,
};

use aqueduct_testkit::{Faults, hide_dates, may_trace, pattern};

const PROGRAM: &str = env!("CARGO_BIN_EXE_patterns");

/// Gives everybody back what they say, for as long as the tests run.
static ECHO: LazyLock<String> = LazyLock::new(|| {
    fn echo(mut socket: TcpStream) -> std::io::Result<()> {
        let mut room = [0; 4096];
        while let count @ 1.. = socket.read(&mut room)? {
            socket.write_all(&room[..count])?;
        }
        socket.shutdown(Shutdown::Write)
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        // Who is cut off is no affair of ours.
        listener.incoming().flatten().for_each(|socket| _ = thread::spawn(|| echo(socket)));
    });
    address
});

/// Has these calls fail, each with how many clients that may cost, while the relay works in this mode.
fn relay(mode: &str, calls: &[(&str, &str, usize)]) {
    if !may_trace() {
        return;
    }
    let server = [PROGRAM, "relay", "--listen", "127.0.0.1:0", "--to", &**ECHO, "--mode", mode];
    let says = [pattern(20, 1), pattern(20_000, 2), pattern(5, 3)];
    let faults = Faults::new(&server, &says, |_| ());
    calls.iter().for_each(|(call, error, costs)| faults.try_all(&[(call, error)], *costs));
}

/// Without EAGAIN: of a call that could have been done nobody tells later that it can, and a relay waits for one
/// side at a time.
#[test]
fn a_relay_through_blocks() {
    relay(
        "pipe",
        &[
            ("read", "EINTR", 0),
            ("read", "EIO", 1),
            ("sendto", "EINTR", 0),
            ("sendto", "ECONNRESET", 1),
        ],
    );
}

#[test]
fn a_relay_whose_connections_cannot_be_had() {
    relay(
        "pipe",
        &[
            ("accept4", "EMFILE", 0),
            ("accept4", "ECONNABORTED", 0),
            ("connect", "ENETUNREACH", 1),
            ("epoll_ctl", "ENOSPC", 1),
            ("setsockopt", "EIO", 0),
        ],
    );
}

#[test]
fn a_relay_that_splices() {
    relay(
        "splice",
        &[
            ("splice", "EINTR", 0),
            ("splice", "EIO", 1),
            ("splice", "ENOSYS", 0),
            ("pipe2", "EMFILE", 0),
        ],
    );
}

/// Has these calls fail, likewise, while files are served in this way.
fn serve(mode: &str, calls: &[(&str, &str, usize)]) {
    if !may_trace() {
        return;
    }
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("calls-{}-{mode}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("file"), pattern(300_000, 1)).unwrap();
    let root = folder.to_str().unwrap();
    let server = [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--mode", mode, "--root", root];
    let says = [
        b"GET /file HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(),
        b"GET /file HTTP/1.1\r\nhost: a\r\nrange: bytes=7-9\r\n\r\n".to_vec(),
    ];
    let faults = Faults::new(&server, &says, hide_dates);
    calls.iter().for_each(|(call, error, costs)| faults.try_all(&[(call, error)], *costs));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn files_that_the_system_moves() {
    serve(
        "sendfile",
        &[
            ("sendfile", "EINTR", 0),
            ("sendfile", "EAGAIN", 0),
            ("sendfile", "EIO", 1),
            ("sendfile", "ENOSYS", 0),
            ("sendfile", "ECONNRESET", 1),
        ],
    );
}

#[test]
fn files_that_a_ring_reads() {
    serve(
        "io-uring",
        &[
            ("io_uring_enter", "EINTR", 0),
            ("io_uring_enter", "EAGAIN", 0),
            ("io_uring_enter", "EBUSY", 0),
            ("io_uring_setup", "ENOMEM", 0),
        ],
    );
}
