//! What takes memory, and what is copied, counted by an allocator of this test's own.

#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a test makes what it reads, out of small numbers"
)]

use aqueduct::{Slice, meter};
use aqueduct_testkit::CountingAlloc;
use std::hint::black_box;
use streamweave::{Executor, Message, Meta, Mode, Registry, Weave, fuzzed};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// One test: its counters are the whole process's.
#[test]
fn counted() {
    metadata();
    fused();
    fan_out();
    t18_lengths_that_lie_take_no_memory();
}

fn metadata() {
    let key = "a key that is longer than a handle holds in place";
    let meta = Meta::default().with_source(key).with_key(key).with_header(key, key);
    let message = Message { meta, ..Message::new(Slice::from(vec![0; 1000])) };
    let before = CountingAlloc::thread().allocations;
    for _ in 0..1000 {
        black_box(message.clone());
    }
    assert_eq!(CountingAlloc::thread().allocations, before, "a clone allocates nothing");
}

/// Allocations, and bytes copied, of a run of four nodes, keys and all.
fn run(count: u64, mode: Mode) -> (u64, u64) {
    let text = format!(
        "edges = [\"source -> key\", \"key -> filter\", \"filter -> sink\"]\n\
         [[node]]\nname = \"source\"\noperator = \"generate\"\ncount = {count}\nsize = 1024\n\
         [[node]]\nname = \"key\"\noperator = \"key\"\ndelimiter = \"....\"\nfield = 1\n\
         [[node]]\nname = \"filter\"\noperator = \"filter\"\ncontains = \"5\"\n\
         [[node]]\nname = \"sink\"\noperator = \"count\"\n"
    );
    let graph = Registry::default().graph(&text).expect("sound");
    let (before, copied) = (CountingAlloc::process().allocations, meter::process().bytes);
    Executor::new(graph, mode).run().expect("it runs");
    (CountingAlloc::process().allocations - before, meter::process().bytes - copied)
}

fn fused() {
    run(1000, Mode::InProcess);
    let [(few, _), (many, copied)] = [1000, 11_000].map(|count| run(count, Mode::InProcess));
    // The generator's digits are the only bytes that are written by a copy.
    assert!(many <= few + 10, "ten thousand items more take {} allocations", many - few);
    assert!(copied < 11_000 * 6, "{copied} bytes");
    let (allocations, copied) = run(1000, Mode::Copying);
    assert!(allocations > 3000 && copied > 1000 * 2 * 1024, "{allocations} {copied}");
}

fn fan_out() {
    const SIZE: usize = 64 << 10;
    const ITEMS: usize = 64;
    let mut weave = Weave::new();
    let made = weave.source("made", (0..ITEMS).map(|n| Slice::from(vec![n as u8; SIZE])));
    let sinks: Vec<_> = (0..10)
        .map(|at| {
            let (input, sink) = weave.collect::<Slice>(&format!("sink{at}"));
            weave.connect(&made, input);
            sink
        })
        .collect();
    let graph = weave.build().expect("sound");
    let copied = meter::process();
    let before = CountingAlloc::process().live_bytes();
    CountingAlloc::reset_peak();
    Executor::new(graph, Mode::InProcess).run().expect("it runs");
    let peak = CountingAlloc::peak_bytes() as i64 - before;
    let got: Vec<_> = sinks.iter().map(|sink| sink.take()).collect();
    for item in 0..ITEMS {
        assert!(got.iter().all(|sink| sink[item].as_ptr() == got[0][item].as_ptr()));
        assert!(got[0][item].len() == SIZE && got[0][item][SIZE - 1] == item as u8);
    }
    assert_eq!((meter::process() - copied).bytes, 0, "ten sinks share one payload");
    let once = (ITEMS * SIZE) as i64;
    assert!(peak <= once + once / 10, "{peak} bytes for {once} of payload");
}

/// Every word of a message with metadata and payload, and then every eight bytes, as large as can be.
fn t18_lengths_that_lie_take_no_memory() {
    let meta = Meta::default().with_key("key").with_header("name", "value");
    let message = Message { meta, ..Message::new(Slice::from(vec![0; 100])) };
    let sound = fuzzed::write(&[(0, message)], usize::MAX);
    for at in 0..sound.len() - 8 {
        for lie in [1 << 63, u64::MAX, 1 << 30] {
            let mut bytes = sound.clone();
            bytes[at..at + 8].iter_mut().zip(lie.to_le_bytes()).for_each(|(to, byte)| *to = byte);
            let before = CountingAlloc::process().live_bytes();
            CountingAlloc::reset_peak();
            let _ = black_box(fuzzed::read(bytes));
            let peak = CountingAlloc::peak_bytes() as i64 - before;
            assert!(peak <= 64 << 10, "{lie} at {at}: {peak} bytes");
        }
    }
}
