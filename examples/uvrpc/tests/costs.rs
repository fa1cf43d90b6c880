//! What a round trip allocates and copies, counted on the threads of the server and of the client.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
#![allow(dead_code, reason = "a module of other tests")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

#[path = "it/wire.rs"]
mod wire;

use aqueduct::{Pool, meter, pipe};
use aqueduct_testkit::CountingAlloc;
use std::{
    future::pending,
    sync::{Arc, Mutex, mpsc},
};
use tokio::runtime::{Builder, Runtime};
use uvrpc::{
    Call, Client, Listener, Mode, Options, Payload, Profile, Reply, Services, serve, zmtp::Session,
};
use wire::{MOST, dealer, hear, open};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const WARM: usize = 2000;
const WINDOW: usize = 50;

/// Of one thread: allocations, copies, bytes copied.
type Cost = [f64; 3];

fn reading() -> [u64; 3] {
    let copied = meter::thread();
    [CountingAlloc::thread().allocations, copied.copies, copied.bytes]
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// What one of `calls` round trips in steady state costs the server and the client.
fn costs(mode: Mode, size: usize, calls: usize) -> [Cost; 2] {
    let options = || {
        let profile = Profile::HighThroughput;
        Options { mode, profile, pool: Pool::new(), ..Options::default() }
    };
    let readings = Arc::new(Mutex::new(Vec::with_capacity(WARM + calls)));
    let mut services = Services::new();
    let mine = Arc::clone(&readings);
    let echo = move |call: Call<'_>| {
        mine.lock().unwrap().push(reading());
        Reply::ok(call.data)
    };
    services.register("echo", echo).unwrap();
    let (tell, told) = mpsc::channel();
    let serving = options();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
            tell.send(listener.address().unwrap()).unwrap();
            serve(listener, Arc::new(services), serving, pending::<()>()).await;
        });
    });
    let address = told.recv().unwrap();
    let client = runtime().block_on(async {
        let client = Client::connect(address, options());
        let data = Payload::from(vec![7; size]);
        let mut pending = std::collections::VecDeque::with_capacity(WINDOW);
        let mut before = reading();
        for i in 0..WARM + calls {
            if i == WARM {
                before = reading();
            }
            if pending.len() == WINDOW {
                let next: uvrpc::Pending = pending.pop_front().unwrap();
                assert_eq!(next.await.unwrap().data.unwrap().len(), size);
            }
            pending.push_back(client.begin("echo", "echo", data.clone()).unwrap());
        }
        each(before, reading(), calls)
    });
    let readings = readings.lock().unwrap();
    let last = readings.len() - 1;
    [each(readings[WARM], readings[last], last - WARM), client]
}

fn each(before: [u64; 3], after: [u64; 3], calls: usize) -> Cost {
    [0, 1, 2].map(|i| (after[i] - before[i]) as f64 / calls as f64)
}

/// Copies nothing but, of a few of the payloads that end in another block than they began in, the few bytes
/// that would fit into a handle. Allocates nothing on the server, and on the client the channel that what
/// comes of a call is told by.
#[test]
fn no_payload_is_copied_and_one_allocation_is_made() {
    for (size, calls) in [(1 << 10, 20_000), (100 << 10, 2000)] {
        let [server, client] = costs(Mode::ZeroCopy, size, calls);
        println!("{size}: server {server:?}, client {client:?}");
        for [_, _, bytes] in [server, client] {
            assert!(bytes < 0.1, "{bytes} bytes copied for each call of {size}");
        }
        assert!(server[0] < 0.02, "{} allocations on the server, {size}", server[0]);
        assert!(client[0] < 1.02, "{} allocations on the client, {size}", client[0]);
    }
}

/// Two for the call and two for the reply, each of all bytes; one for the handler, one for its answer, two
/// for whom the answer is for.
#[test]
fn the_documents_eight_copies() {
    const SIZE: usize = 1000;
    let [server, client] = costs(Mode::Copying, SIZE, 5000);
    println!("server {server:?}, client {client:?}");
    for [_, copies, bytes] in [server, client] {
        assert!((3.99..4.1).contains(&copies), "{copies}");
        assert!((bytes - (4 * SIZE) as f64).abs() < 100.0, "{bytes}");
    }
}

/// Passed over as it comes: nothing of it is kept, and no room made for it.
#[test]
fn t18_a_frame_that_claims_more_than_there_is_costs_nothing() {
    const PIECE: usize = 10_000;
    for claim in [1_u64 << 63, u64::MAX, (1 << 63) - 1, (1 << 33) + 1, 1 << 33] {
        let options = aqueduct::Options::builder().pool(&Pool::new()).build().unwrap();
        let (mut writer, mut reader) = pipe(options);
        let (mut session, mut all) = (Session::new(dealer(), MOST), Vec::with_capacity(10));
        let input = [&open()[..], &[1, 0, 2], &claim.to_be_bytes(), &[7; 5000]].concat();
        let before = CountingAlloc::thread().live_bytes();
        let goes_on = hear(&mut session, &mut writer, &mut reader, &input, &mut all);
        assert_eq!(goes_on, claim <= 1 << 33, "{claim}");
        for _ in 0..if goes_on { 1000 } else { 0 } {
            assert!(hear(&mut session, &mut writer, &mut reader, &[7; PIECE], &mut all));
            assert_eq!(reader.stats().buffered, 0);
            let held = CountingAlloc::thread().live_bytes() - before;
            assert!(held <= (PIECE + (64 << 10)) as i64, "{held} bytes");
        }
    }
}
