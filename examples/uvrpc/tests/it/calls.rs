//! Our client and our server, in every mode, style and transport.

use crate::peer::{ANY, MODES, PATIENCE, Served, patient, run, wait_for};
use aqueduct_testkit::{pattern, scale};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};
use uvrpc::{
    Answer, Call, CallError, Client, Options, Payload, Profile, Reply, Services, await_all,
    await_any,
};

/// One address for each transport, not used by any other test of this name.
fn transports(name: &str) -> [String; 3] {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).display();
    [ANY.to_owned(), format!("ipc://{folder}/{name}.sock"), format!("inproc://{name}")]
}

#[test]
fn every_size_over_every_transport_in_both_modes() {
    for (mode, client_mode) in MODES.into_iter().flat_map(|mode| MODES.map(|other| (mode, other))) {
        for address in transports("every_size") {
            let served = Served::new(&address, Options { mode, ..Options::default() });
            run(async {
                let options = Options { mode: client_mode, ..patient() };
                let client = Client::connect(served.address.clone(), options);
                for len in
                    [0, 1, 22, 23, 24, 200, 255, 256, 4095, 4096, 4097, 65_536, 1 << 20, 1 << 24]
                {
                    let data = pattern(len, len);
                    let reply =
                        client.call("echo", "m", Payload::from(data.clone())).await.unwrap();
                    assert!(reply.data.unwrap() == *data, "{address}, {mode:?}, {len} bytes");
                    let len = (len as u64).to_le_bytes();
                    let counted = client.call("len", "m", Payload::from(data)).await.unwrap();
                    assert!(counted.data.unwrap() == len[..]);
                }
                let failed = client.call("fail", "m", Payload::from(b"through")).await.unwrap();
                assert_eq!((failed.status, failed.error), (7, None));
                assert!(failed.data.unwrap() == b"through"[..]);
            });
        }
    }
}

/// Twenty runs of a thousand calls, in every style; by `cargo xtask long hang-uvrpc` a thousand runs.
#[test]
fn hang_uvrpc() {
    hang(scale(10).max(20));
}

fn hang(runs: usize) {
    const CALLS: usize = 1000;
    const WINDOW: usize = 50;
    let served = Served::new(ANY, Options::default());
    for round in 0..runs {
        let profile = [Profile::LowLatency, Profile::Balanced, Profile::HighThroughput][round % 3];
        let options = Options { profile, ..patient() };
        match round % 4 {
            0 => serial(&served, options, CALLS),
            1 => called_back(&served, options, CALLS, WINDOW),
            2 => run(async {
                let client = Client::connect(served.address.clone(), options);
                let one = |i: usize| client.call("echo", "", Payload::from(pattern(i, i)));
                for i in 0..CALLS {
                    assert!(one(i).await.unwrap().data.unwrap() == *pattern(i, i));
                }
            }),
            _ => run(async {
                let client = Client::connect(served.address.clone(), options);
                for first in (0..CALLS).step_by(WINDOW) {
                    let calls = (first..first + WINDOW)
                        .map(|i| client.begin("echo", "", Payload::from(pattern(i, i))).unwrap());
                    let outcomes = await_all(calls.collect::<Vec<_>>()).await;
                    for (i, outcome) in (first..).zip(outcomes) {
                        assert!(outcome.unwrap().data.unwrap() == *pattern(i, i));
                    }
                }
            }),
        }
    }
}

/// One at a time, from a thread without a runtime.
fn serial(served: &Served, options: Options, calls: usize) {
    let client = Client::connect_on_thread(served.address.clone(), options).unwrap();
    for i in 0..calls {
        let reply = client.call_blocking("echo", "", Payload::from(pattern(i, i))).unwrap();
        assert!(reply.data.unwrap() == *pattern(i, i));
    }
}

/// So many at a time: each reply makes another call.
fn called_back(served: &Served, options: Options, calls: usize, window: usize) {
    struct Run {
        client: Client,
        begun: AtomicUsize,
        calls: usize,
        done: mpsc::Sender<usize>,
    }
    fn next(run: &Arc<Run>) {
        let i = run.begun.fetch_add(1, SeqCst);
        if i < run.calls {
            let mine = Arc::clone(run);
            let then = move |outcome: uvrpc::Outcome| {
                assert!(outcome.unwrap().data.unwrap() == *pattern(i, i));
                mine.done.send(i).unwrap();
                next(&mine);
            };
            run.client.call_then("echo", "", Payload::from(pattern(i, i)), then).unwrap();
        }
    }
    let client = Client::connect_on_thread(served.address.clone(), options).unwrap();
    let (done, told) = mpsc::channel();
    let run = Arc::new(Run { client, begun: AtomicUsize::new(0), calls, done });
    (0..window).for_each(|_| next(&run));
    let mut all: Vec<_> = (0..calls).map(|_| told.recv_timeout(PATIENCE).unwrap()).collect();
    all.sort_unstable();
    assert_eq!(all, (0..calls).collect::<Vec<_>>());
}

#[test]
fn the_first_of_several_is_there_before_the_others() {
    let served = Served::new(ANY, Options::default());
    run(async {
        let client = Client::connect(served.address.clone(), patient());
        let slow = |millis: &'static [u8]| client.begin("slow", "", Payload::from(millis)).unwrap();
        let mut calls = vec![slow(b"400"), slow(b"1"), slow(b"200")];
        let (at, first) = await_any(&mut calls).await;
        assert_eq!((at, first.unwrap().data.unwrap().as_slice()), (1, Some(&b"1"[..])));
        let (_, second) = await_any(&mut calls).await;
        assert_eq!(second.unwrap().data.unwrap().as_slice(), Some(&b"200"[..]));
        assert_eq!(calls.len(), 1);
    });
}

#[test]
fn a_call_in_time_and_one_that_is_not() {
    let served = Served::new(ANY, Options::default());
    run(async {
        let client = Client::connect(served.address.clone(), patient());
        let (short, begun) = (client.with_timeout(Duration::from_millis(50)), Instant::now());
        let slow = short.begin("slow", "", Payload::from(b"300")).unwrap();
        let quick = client.begin("slow", "", Payload::from(b"100")).unwrap();
        assert_eq!(slow.await.unwrap_err(), CallError::Timeout);
        assert!((50..250).contains(&begun.elapsed().as_millis()));
        assert!(quick.await.unwrap().is_ok());
        // Forgotten, and late as well.
        drop(client.begin("slow", "", Payload::from(b"10")).unwrap());
        assert_eq!(client.stats().pending, 0);
        while client.stats().late < 2 {
            assert!(client.call("slow", "", Payload::from(b"20")).await.unwrap().is_ok());
        }
        assert_eq!(client.stats().late, 2);
    });
}

#[test]
fn calls_beyond_the_mark_wait_or_are_refused() {
    let profile = Profile::LowLatency;
    let served = Served::new(ANY, Options { profile, ..Options::default() });
    run(async {
        let client = Client::connect(served.address.clone(), Options { profile, ..patient() });
        let slow = || client.begin("slow", "", Payload::from(b"100"));
        let calls: Vec<_> = (0..100).map(|_| slow().unwrap()).collect();
        assert_eq!(slow().unwrap_err(), CallError::Full);
        let waits = client.call("echo", "", Payload::from(b"a word"));
        assert!(waits.await.unwrap().is_ok());
        assert!(await_all(calls).await.iter().all(Result::is_ok));
    });
}

#[test]
fn a_call_that_is_too_large_is_not_sent_and_a_reply_not_read() {
    let served = Served::new(ANY, Options::default());
    run(async {
        let options = Options { largest: 1000, ..patient() };
        let client = Client::connect(served.address.clone(), options);
        let large = client.call("echo", "", Payload::from(vec![0; 1001])).await;
        assert_eq!(large.unwrap_err(), CallError::TooLarge);
        assert!(client.call("echo", "", Payload::from(vec![0; 1000])).await.unwrap().is_ok());
    });
    let mut services = Services::new();
    services.register("large", |_: Call<'_>| Reply::ok(Payload::from(vec![7; 200_000]))).unwrap();
    let served = Served::with(ANY, services, Options::default());
    run(async {
        let options = Options { largest: 1000, ..patient() };
        let client = Client::connect(served.address.clone(), options);
        for _ in 0..3 {
            let large = client.call("large", "", None).await;
            assert_eq!(large.unwrap_err(), CallError::TooLarge);
        }
        assert_eq!(client.stats().connections, 1);
    });
    // Nor sent, by a server that is not to.
    let mut services = Services::new();
    services.register("large", |_: Call<'_>| Reply::ok(Payload::from(vec![7; 2000]))).unwrap();
    let served = Served::with(ANY, services, Options { largest: 1000, ..Options::default() });
    run(async {
        let client = Client::connect(served.address.clone(), patient());
        let refused = client.call("large", "", None).await.unwrap();
        assert_eq!((refused.status, refused.error.as_deref()), (-1, Some("Reply too large")));
    });
}

#[test]
fn a_service_has_one_handler_and_may_answer_later_or_panic() {
    let mut services = Services::demo();
    assert!(services.register("echo", |_: Call<'_>| Reply::default()).is_err());
    services
        .register("later", |call: Call<'_>| {
            let method = call.method.to_owned();
            Answer::later(async move { Reply::ok(Payload::from(method.into_bytes())) })
        })
        .unwrap();
    services.register("panic", |_: Call<'_>| -> Reply { panic!("on purpose") }).unwrap();
    services
        .register("panic later", |_: Call<'_>| Answer::later(async { panic!("on purpose") }))
        .unwrap();
    let served = Served::with(ANY, services, Options::default());
    run(async {
        let client = Client::connect(served.address.clone(), patient());
        let said = client.call("later", "what is said", None).await.unwrap();
        assert_eq!(said.data.unwrap().as_slice(), Some(&b"what is said"[..]));
        for name in ["panic", "panic later"] {
            let panicked = client.call(name, "", None).await.unwrap();
            assert_eq!(panicked.status, Reply::ERROR);
            assert_eq!(panicked.error.as_deref(), Some("The handler panicked"));
        }
        assert!(client.call("echo", "", None).await.unwrap().is_ok());
        assert_eq!(client.stats().connections, 1);
    });
}

#[test]
fn ids_wrap_and_pass_those_over_that_are_under_way() {
    let served = Served::new(ANY, Options::default());
    run(async {
        let options = Options { first_id: u32::MAX - 1, ..patient() };
        let client = Client::connect(served.address.clone(), options);
        let calls = (0..5).map(|_| client.begin("slow", "", Payload::from(b"30")).unwrap());
        assert!(await_all(calls.collect::<Vec<_>>()).await.iter().all(Result::is_ok));
    });
}

#[test]
fn a_stop_answers_what_is_under_way_and_no_more() {
    let mut served = Served::new(ANY, Options::default());
    run(async {
        let client = Client::connect(served.address.clone(), patient());
        let slow: Vec<_> =
            (0..50).map(|_| client.begin("slow", "", Payload::from(b"200")).unwrap()).collect();
        // Behind them, so that they are there.
        assert!(client.call("echo", "", None).await.unwrap().is_ok());
        served.serving.tell_to_stop();
        assert!(await_all(slow).await.iter().all(Result::is_ok));
        let after = client.with_timeout(Duration::from_millis(200)).call("echo", "", None).await;
        assert!(matches!(after, Err(CallError::Timeout | CallError::Lost)));
    });
    wait_for(|| served.serving.is_over());
}

#[test]
fn a_client_that_is_dropped_ends_its_calls() {
    let served = Served::new(ANY, Options::default());
    run(async {
        let client = Client::connect(served.address.clone(), patient());
        let slow = client.begin("slow", "", Payload::from(b"5000")).unwrap();
        let (tell, told) = mpsc::channel();
        client
            .call_then("slow", "", Payload::from(b"5000"), move |o| tell.send(o).unwrap())
            .unwrap();
        drop(client);
        assert_eq!(slow.await.unwrap_err(), CallError::Closed);
        assert_eq!(told.recv().unwrap().unwrap_err(), CallError::Closed);
    });
}
