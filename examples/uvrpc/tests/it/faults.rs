//! Calls of `uvrpc serve` to the system that fail, one after the other: a client gets its replies or is cut
//! off, the others get theirs, and no descriptor stays open.

use crate::{
    peer::{Served, patient, run, wait_for},
    raw::call,
    wire::{greeting, ready},
};
use aqueduct::{Pool, Slice};
use aqueduct_testkit::{Faults, for_every_k, may_trace};
use uvrpc::{CallError, Client, Options, Payload, Pending, Profile, await_all};

const SERVER: [&str; 4] = [env!("CARGO_BIN_EXE_uvrpc"), "serve", "--listen", "tcp://127.0.0.1:0"];

fn faults() -> Option<Faults<'static>> {
    let hello = [greeting(), ready(b"DEALER", b"")].concat();
    let says = [hello, call("echo", 1, &[7; 300]), call("len", 2, &[8; 3000])];
    may_trace().then(|| Faults::new(&SERVER, &says, |_| ()))
}

#[test]
fn what_is_interrupted_or_not_ready_is_done_again() {
    let Some(faults) = faults() else { return };
    let again = [
        ("recvfrom", "EINTR"),
        ("recvfrom", "EAGAIN"),
        ("sendto", "EINTR"),
        ("sendto", "EAGAIN"),
        ("accept4", "EINTR"),
        ("epoll_wait", "EINTR"),
    ];
    faults.try_all(&again, 0);
}

#[test]
fn a_connection_that_fails_takes_no_other_with_it() {
    let Some(faults) = faults() else { return };
    let calls = [("recvfrom", "EIO"), ("sendto", "ECONNRESET"), ("epoll_ctl", "ENOSPC")];
    faults.try_all(&calls, 1);
}

/// It is only slower, or waits until there are descriptors again.
#[test]
fn what_can_be_done_without_costs_no_client() {
    let Some(faults) = faults() else { return };
    let calls = [("accept4", "EMFILE"), ("accept4", "ECONNABORTED"), ("setsockopt", "EIO")];
    faults.try_all(&calls, 0);
}

/// A call for whose data there is no memory any more was not made: the next one is whole.
#[test]
fn a_call_without_memory_leaves_nothing_behind() {
    for len in 1..=Slice::INLINE {
        let pool = Pool::builder().largest_block(1 << 16).hard_limit(100_000).build().unwrap();
        let options = Options { pool, profile: Profile::HighThroughput, ..patient() };
        let address = format!("inproc://no memory {len}");
        let client = Client::connect_on_thread(address.parse().unwrap(), options).unwrap();
        let method = "m".repeat(500);
        let begin = || client.begin("echo", &method, Payload::from(vec![7; len]));
        let (made, refused) = loop_until_refused(begin);
        assert_eq!(refused, CallError::Memory, "{} were made", made.len());
        let served = Served::new(&address, Options::default());
        run(async {
            for outcome in await_all(made).await {
                assert_eq!(outcome.unwrap().data.unwrap(), [7; Slice::INLINE][..len]);
            }
            let next = client.call("echo", "", Payload::from(b"the next")).await;
            assert_eq!(next.unwrap().data.unwrap(), b"the next"[..]);
        });
        assert_eq!((client.stats().connections, client.stats().late), (1, 0), "{len}");
        drop((client, served));
    }
}

fn loop_until_refused(begin: impl Fn() -> Result<Pending, CallError>) -> (Vec<Pending>, CallError) {
    let mut made = Vec::new();
    loop {
        match begin() {
            Ok(pending) => made.push(pending),
            Err(refused) => return (made, refused),
        }
    }
}

/// Owners of data, callbacks, and what panics carry: whichever of them panics, it is one call's affair.
#[test]
fn t15_users_code_that_panics_takes_no_other_call_with_it() {
    for len in [10, 300] {
        for_every_k(|countdown| {
            let served = Served::new("tcp://127.0.0.1:0", Options::default());
            let client = Client::connect_on_thread(served.address.clone(), patient()).unwrap();
            let mine = |byte: u8| {
                let owner =
                    countdown.survive(|| Slice::from_owner(countdown.value(vec![byte; len])));
                Payload::from(owner.unwrap_or_default())
            };
            for byte in 0..3 {
                let (data, held) = (mine(byte), countdown.value(Vec::new()));
                countdown.survive(|| {
                    let then = move |_| {
                        held.as_ref();
                    };
                    let _ = client.call_then("echo", "", data, then);
                });
                let data = mine(byte + 100);
                let has = data.len();
                let outcome = countdown.survive(|| client.call_blocking("echo", "", data));
                match outcome {
                    Some(Ok(reply)) => {
                        assert_eq!(reply.data.unwrap_or_default(), vec![byte + 100; has][..])
                    }
                    // Of a panic in its own owner, or on the connection that it shared.
                    Some(Err(error)) => assert_eq!(error, CallError::Lost),
                    None => {}
                }
            }
            let last = client.call_blocking("echo", "", Payload::from(b"the last"));
            assert_eq!(last.unwrap().data.unwrap(), b"the last"[..]);
            drop((client, served));
            // The connection's thread lets go of what it has.
            wait_for(|| {
                let (made, dropped) = countdown.made_and_dropped();
                made == dropped
            });
        });
    }
}
