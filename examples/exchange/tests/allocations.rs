//! Allocations and copies of orders in steady state, counted by an allocator of this test's own.

#![allow(clippy::disallowed_methods, reason = "a test writes what it reads")]

use aqueduct_testkit::CountingAlloc;
use exchange::{
    Exchange, Mode, Source,
    bench::Halves,
    flow::{self, MARKET, Orders},
    generate::Generated,
    log::{Encoding, Folder, Fsync, Keeper, Options, Recovery},
};
use std::{fs, path::Path, process, sync::atomic::Ordering};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const ORDERS: u64 = 40_000;

/// Allocations, copies and bytes copied for each order of the second half.
fn each(flow: impl Source, mode: Mode, threads: bool, fsync: Option<Fsync>) -> [f64; 3] {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("allocations-{}", process::id()));
    let log = fsync.map(|fsync| {
        let options = Options { fsync, encoding: Encoding::of(mode), ..Options::default() };
        let recovery = Recovery::new(Folder::open(&folder).expect("a folder"));
        Keeper::new(recovery.and_then(|recovery| recovery.log(options)).expect("a new log"))
    });
    let accounts = Generated::accounts(1_000).expect("sound");
    let mut exchange = Exchange::new(accounts, &[MARKET], 1 << 16, ((), log, ()));
    let mut flow = Halves::new(flow, ORDERS / 2, || CountingAlloc::process().allocations);
    exchange.run(&mut flow, mode, threads).expect("sound");
    let tally = exchange.settlement().tally();
    assert!(tally.trades > ORDERS / 10 && tally.accepted > ORDERS / 3, "{tally:?}");
    if let Some(keeper) = exchange.with_log(()).1 {
        assert_eq!(keeper.durable().load(Ordering::Relaxed), ORDERS);
        keeper.close().expect("nothing is wrong");
        fs::remove_dir_all(&folder).expect("it is there");
    }
    flow.each()
}

/// One test: its counters are the whole process's.
#[test]
fn an_order_in_a_slot_is_not_copied_and_takes_no_memory() {
    let text = flow::rows(Generated::new(3, ORDERS)).expect("made up");
    let orders = || Orders::new(text.as_bytes(), Path::new("orders.csv")).expect("a head");
    let group = Some(Fsync::GROUP);
    for threads in [false, true] {
        let nothing = [
            each(Generated::new(3, ORDERS), Mode::ZeroCopy, threads, None),
            each(orders(), Mode::ZeroCopy, threads, None),
            each(orders(), Mode::ZeroCopy, threads, group),
        ];
        assert_eq!(nothing, [[0.0; 3]; 3], "{threads}");
        // Into a vector for the log, and out of it.
        for (log, more) in [(None, 0.0), (group, 1.0)] {
            let [allocations, copies, bytes] = each(orders(), Mode::Copying, threads, log);
            assert!(
                allocations > 2.5 + more
                    && copies > 8.5 + 2.0 * more
                    && bytes > 900.0 + 152.0 * more,
                "{allocations} {copies} {bytes}"
            );
        }
    }
}
