//! Calls of `web serve` to the system that fail, one after the other: a client gets its answers or is cut
//! off, the others get theirs, and no descriptor stays open.

use aqueduct_testkit::{Faults, hide_dates, may_trace};

const SERVER: [&str; 6] =
    [env!("CARGO_BIN_EXE_web"), "serve", "--listen", "127.0.0.1:0", "--mode", "zero-copy"];

fn faults() -> Option<Faults<'static>> {
    let echo =
        [b"POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n", &[b'e'; 3000][..]];
    let stream = b"GET /stream?count=20 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let says = [crate::server::GET.to_vec(), echo.concat(), stream.to_vec()];
    may_trace().then(|| Faults::new(&SERVER, &says, hide_dates))
}

#[test]
fn what_is_interrupted_or_not_ready_is_done_again() {
    let Some(faults) = faults() else { return };
    let again = [
        ("recvfrom", "EINTR"),
        ("recvfrom", "EAGAIN"),
        ("sendto", "EINTR"),
        ("sendto", "EAGAIN"),
        ("writev", "EINTR"),
        ("writev", "EAGAIN"),
        ("accept4", "EINTR"),
        ("epoll_wait", "EINTR"),
    ];
    faults.try_all(&again, 0);
}

#[test]
fn a_connection_that_fails_takes_no_other_with_it() {
    let Some(faults) = faults() else { return };
    let calls = [
        ("recvfrom", "EIO"),
        ("sendto", "ECONNRESET"),
        ("writev", "ENOMEM"),
        ("epoll_ctl", "ENOSPC"),
    ];
    faults.try_all(&calls, 1);
}

/// It is only slower, or waits until there are descriptors again.
#[test]
fn what_can_be_done_without_costs_no_client() {
    let Some(faults) = faults() else { return };
    let calls = [
        ("accept4", "EMFILE"),
        ("accept4", "ECONNABORTED"),
        ("setsockopt", "EIO"),
        ("shutdown", "ENOTCONN"),
    ];
    faults.try_all(&calls, 0);
}
