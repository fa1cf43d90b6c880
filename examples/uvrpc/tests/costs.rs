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
    collections::VecDeque,
    future::{Future, pending},
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
};
use tokio::runtime::{Builder, Runtime};
use uvrpc::{
    Address, Call, Client, Listener, Mode, Options, Outcome, Payload, Pending, Profile, Reply,
    Services, serve, zmtp::Session,
};
use wire::{MOST, dealer, hear, open};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const WARM: usize = 2000;
const WINDOW: usize = 50;
/// Lists that may turn out to be longer than ever before, in all calls together.
const GROWN: u64 = 4;

/// Of one thread: allocations, copies, bytes copied.
type Cost = [u64; 3];

fn reading() -> Cost {
    let copied = meter::thread();
    [CountingAlloc::thread().allocations, copied.copies, copied.bytes]
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A pool that has all blocks that it will ever need, for the calling thread.
fn filled(pool: Pool) -> Pool {
    for size in (12..=17).map(|bits| (1 << bits) - 64) {
        drop((0..2 * WINDOW).map(|_| pool.get(size)).collect::<Vec<_>>());
    }
    pool
}

fn options(mode: Mode) -> Options {
    let profile = Profile::HighThroughput;
    Options { mode, profile, pool: filled(Pool::new()), ..Options::default() }
}

/// A server of `echo` on a thread of its own, which notes what that thread has spent at each call.
fn serving(mode: Mode, readings: &Arc<Mutex<Vec<Cost>>>) -> Address {
    let mut services = Services::new();
    let mine = Arc::clone(readings);
    let echo = move |call: Call<'_>| {
        mine.lock().unwrap().push(reading());
        Reply::ok(call.data)
    };
    services.register("echo", echo).unwrap();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).await.unwrap();
            tell.send(listener.address().unwrap()).unwrap();
            serve(listener, Arc::new(services), options(mode), pending::<()>()).await;
        });
    });
    told.recv().unwrap()
}

/// A client in one of the styles: makes so many calls of `data`, with so many under way, and waits for all.
type Style =
    for<'a> fn(&'a Client, &'a Payload, usize, usize) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

fn awaited<'a>(
    client: &'a Client,
    data: &'a Payload,
    window: usize,
    calls: usize,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    let mut under_way = VecDeque::with_capacity(window);
    Box::pin(async move {
        for call in 0..calls + window {
            if call >= window {
                let next: Pending = under_way.pop_front().unwrap();
                assert_eq!(next.await.unwrap().data.unwrap().len(), data.len());
            }
            if call < calls {
                under_way.push_back(client.begin("echo", "echo", data.clone()).unwrap());
            }
        }
    })
}

fn called_back<'a>(
    client: &'a Client,
    data: &'a Payload,
    window: usize,
    calls: usize,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    let done = Arc::new(AtomicUsize::new(0));
    Box::pin(async move {
        for call in 0..calls {
            while call - done.load(Relaxed) >= window {
                tokio::task::yield_now().await;
            }
            let (done, len) = (Arc::clone(&done), data.len());
            let then = move |outcome: Outcome| {
                assert_eq!(outcome.unwrap().data.unwrap().len(), len);
                done.fetch_add(1, Relaxed);
            };
            client.call_then("echo", "echo", data.clone(), then).unwrap();
        }
        while done.load(Relaxed) < calls {
            tokio::task::yield_now().await;
        }
    })
}

/// What `calls` round trips in steady state cost the server and the client: all of the calls for the client,
/// and all but one for the server.
fn costs(mode: Mode, style: Style, size: usize, calls: usize) -> [Cost; 2] {
    let readings = Arc::new(Mutex::new(Vec::with_capacity(WARM + calls)));
    let address = serving(mode, &readings);
    let client = runtime().block_on(async {
        let client = Client::connect(address, options(mode));
        let data = Payload::from(vec![7; size]);
        // With more under way than later, so that all lists are long enough.
        style(&client, &data, 4 * WINDOW, WARM).await;
        // What the style itself allocates is not in it.
        let measured = style(&client, &data, WINDOW, calls);
        let before = reading();
        measured.await;
        difference(before, reading())
    });
    let readings = readings.lock().unwrap();
    assert_eq!(readings.len(), WARM + calls);
    [difference(readings[WARM], readings[WARM + calls - 1]), client]
}

fn difference(before: Cost, after: Cost) -> Cost {
    [0, 1, 2].map(|i| after[i] - before[i])
}

/// Not one byte of payload is copied. The server allocates nothing; the client, for each call, what comes of it
/// is told by: the channel of a call that is awaited, the box of a callback.
#[test]
fn no_payload_is_copied_and_one_allocation_is_made() {
    for style in [awaited as Style, called_back] {
        for (size, calls) in [(1 << 10, 20_000), (100 << 10, 2000)] {
            let [server, client] = costs(Mode::ZeroCopy, style, size, calls);
            println!("{calls} calls of {size}: server {server:?}, client {client:?}");
            assert_eq!([server, client].map(|[_, copies, bytes]| [copies, bytes]), [[0; 2]; 2]);
            assert!(server[0] <= GROWN);
            assert!((calls as u64..=calls as u64 + GROWN).contains(&client[0]));
        }
    }
}

/// Two for the call and two for the reply, each of all bytes; one for the handler, one for its answer, two
/// for whom the answer is for.
#[test]
fn the_documents_eight_copies() {
    const SIZE: usize = 1000;
    const CALLS: usize = 5000;
    let [server, client] = costs(Mode::Copying, awaited, SIZE, CALLS);
    for ([_, copies, bytes], calls) in [(server, CALLS as u64 - 1), (client, CALLS as u64)] {
        assert_eq!(copies, 4 * calls);
        // The heads are in two of them.
        let heads = bytes - 4 * calls * SIZE as u64;
        assert!(heads > 0 && heads < 20 * calls, "{heads} bytes beside the data of {calls} calls");
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
