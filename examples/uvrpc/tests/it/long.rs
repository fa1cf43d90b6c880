//! What takes long: by `cargo xtask long uvrpc`; here a hundredth of it.

use crate::{
    command::{end, serve},
    peer::{ANY, MODES, PATIENCE, Served, patient, run},
    pyzmq,
};
use aqueduct_testkit::{pattern, resident_bytes, scale};
use std::time::Instant;
use uvrpc::{CallError, Client, Options, Payload, await_all};

/// A million calls: neither the server nor, when nothing else runs here, the client grows.
#[test]
fn rss_uvrpc() {
    const WINDOW: usize = 100;
    let rounds = scale(10_000) / WINDOW;
    for mode in ["zero-copy", "copying"] {
        let server = serve(ANY, &["--mode", mode]);
        let sizes = || (server.resident(), resident_bytes());
        let (mut before, mut after) = ((None, None), (None, None));
        run(async {
            let client = Client::connect(server.address.parse().unwrap(), patient());
            let data = Payload::from(pattern(1 << 10, 1));
            for round in 0..rounds {
                if round == rounds / 5 {
                    before = sizes();
                }
                let calls = (0..WINDOW).map(|_| client.begin("echo", "", data.clone()).unwrap());
                for outcome in await_all(calls.collect::<Vec<_>>()).await {
                    assert_eq!(outcome.unwrap().data.unwrap().len(), 1 << 10);
                }
            }
            after = sizes();
        });
        println!("{mode}: {before:?} bytes became {after:?}");
        let grown = |before: Option<usize>, after: Option<usize>| {
            before.zip(after).map_or(0, |(before, after)| after.saturating_sub(before))
        };
        assert!(grown(before.0, after.0) < 2 << 20, "{mode}, server: {before:?}, {after:?}");
        if scale(1) > 1 {
            assert!(grown(before.1, after.1) < 2 << 20, "{mode}, client: {before:?}, {after:?}");
        }
        end(server, "TERM");
    }
}

/// 64 MiB through libzmq and back, both ways.
#[test]
fn large_uvrpc() {
    let len = scale(1 << 20).min(64 << 20);
    for mode in MODES {
        let served = Served::new(ANY, Options { mode, ..Options::default() });
        if !pyzmq::judge("large", &served.address, &[&len.to_string()]) {
            return;
        }
        let (_script, address) = pyzmq::server("tcp://127.0.0.1:*").expect("as before");
        for address in [address, served.address.clone()] {
            run(async {
                let client = Client::connect(address, Options { mode, ..patient() });
                let data = pattern(len, 1);
                let reply = client.call("echo", "", Payload::from(data.clone())).await.unwrap();
                assert!(reply.data.unwrap() == *data);
            });
        }
    }
}

/// A server that is asked to stop by those who go on calling: each call is answered or said to be lost, or
/// waits for the next server.
#[test]
fn sigterm_uvrpc() {
    for signal in ["TERM", "INT"].repeat(scale(1)) {
        let server = serve(ANY, &[]);
        let address = server.address.clone();
        let callers: Vec<_> = (0..8)
            .map(|n| {
                let address = address.parse().unwrap();
                std::thread::spawn(move || {
                    let options = Options { timeout: PATIENCE / 8, ..Options::default() };
                    let client = Client::connect_on_thread(address, options).unwrap();
                    for i in 0.. {
                        let data = pattern(500 + i % 500, n);
                        let one =
                            |_| client.begin("echo", "", Payload::from(data.clone())).unwrap();
                        let calls: Vec<_> = (0..20).map(one).collect();
                        for outcome in run(await_all(calls)) {
                            match outcome {
                                Ok(reply) => assert!(reply.data.unwrap() == *data),
                                Err(error) => {
                                    assert!(matches!(error, CallError::Lost | CallError::Timeout));
                                    return i;
                                }
                            }
                        }
                    }
                    0
                })
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(300));
        let begun = Instant::now();
        end(server, signal);
        assert!(begun.elapsed() < PATIENCE / 3, "{:?}", begun.elapsed());
        for caller in callers {
            assert!(caller.join().unwrap() > 0);
        }
    }
}
