//! Many events in little memory, by an allocator of this test's own: `cargo xtask long million` takes a hundred
//! million.

#![allow(
    clippy::cast_possible_truncation,
    reason = "a test makes what it reads, out of small numbers"
)]

use aqueduct::{Pool, Slice};
use aqueduct_testkit::{CountingAlloc, scale};
use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Instant,
};
use streamweave::{Cluster, Executor, Failure, Graph, Mode, Weave};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const SIZE: usize = 1024;

/// Numbers in a kibibyte each, and a sink on the last worker that takes them in order only.
fn graph(count: u64, seen: &Arc<AtomicU64>) -> Graph {
    let mut weave = Weave::new();
    let numbers = weave.source("numbers", 0..count);
    let (make, made) = weave.map("make", |n: u64| {
        let mut block = Pool::global().get(SIZE);
        block.resize(SIZE, n as u8);
        block[..8].iter_mut().zip(n.to_le_bytes()).for_each(|(to, byte)| *to = byte);
        block.freeze()
    });
    let (pass, passed) = weave.filter("pass", |_: &Slice| true);
    let seen = seen.clone();
    let sink = weave.sink("sink", move |item: Slice| {
        let n = item.first_chunk().map_or(0, |n| u64::from_le_bytes(*n));
        let right = seen.fetch_add(1, SeqCst) == n && item.len() == SIZE && item[9] == n as u8;
        if right { Ok(()) } else { Err(Failure::new(format!("not {n}"))) }
    });
    weave.connect(&numbers, make);
    weave.connect(&made, pass);
    weave.connect(&passed, sink);
    weave.own_thread("sink");
    weave.place("sink", 1);
    weave.build().expect("sound")
}

/// Both processes of a run are this one.
fn between(count: u64, seen: &Arc<AtomicU64>, mode: impl Fn(Cluster) -> Mode) {
    let ports = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let addresses = ports.map(|port| port.local_addr().expect("bound").to_string());
    let mut both = [0, 1].map(|index| {
        let cluster = Cluster::new(index, addresses.clone().into()).expect("below two");
        Executor::new(graph(count, seen), mode(cluster))
    });
    both.iter_mut().for_each(|executor| executor.start().expect("ready"));
    both.iter_mut().for_each(|executor| executor.wait().expect("it runs"));
}

/// Runs so many events, and counts those that come.
type Run<'a> = &'a dyn Fn(u64, &Arc<AtomicU64>);

/// Bytes that a run has at most, beside what is there already.
fn peak(name: &str, count: u64, run: Run<'_>) -> i64 {
    let (before, seen, begun) =
        (CountingAlloc::process().live_bytes(), Arc::default(), Instant::now());
    CountingAlloc::reset_peak();
    run(count, &seen);
    assert_eq!(seen.load(SeqCst), count, "{name}: lost");
    let peak = CountingAlloc::peak_bytes() as i64 - before;
    println!("{name}: {count} events in {:?}, {peak} bytes at most", begun.elapsed());
    peak
}

#[test]
fn a_million_events_take_no_more_memory_than_a_few() {
    let in_process = |count, seen: &_| {
        Executor::new(graph(count, seen), Mode::InProcess).run().expect("it runs");
    };
    let distributed = |count, seen: &_| between(count, seen, Mode::Distributed);
    let hybrid = |count, seen: &_| between(count, seen, |cluster| Mode::Hybrid(cluster, 10_000.0));
    let many = scale(1_000_000) as u64;
    let runs: [(&str, u64, Run<'_>); 3] = [
        ("in process", many, &in_process),
        ("distributed", many, &distributed),
        ("hybrid", many / 10, &hybrid),
    ];
    for (name, many, run) in runs {
        // A few fill the pool and the slabs.
        let few = peak(name, 50_000, run);
        let all = peak(name, many, run);
        assert!(all <= few + (8 << 20), "{name}: {all} bytes at most, and {few} for a few");
        assert!(all <= 64 << 20, "{name}: {all} bytes at most");
    }
}
