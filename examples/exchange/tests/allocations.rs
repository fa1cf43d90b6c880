//! Allocations and copies of orders in steady state, counted by an allocator of this test's own.

#![allow(clippy::disallowed_methods, reason = "a test writes what it reads")]

use aqueduct_testkit::CountingAlloc;
use exchange::{
    Action, Exchange, Mode, Order, Side, Source,
    bench::Halves,
    flow::{MARKET, Orders},
    generate::Generated,
    log::{Encoding, Folder, Fsync, Keeper, Options, Recovery},
};
use std::{fmt::Write, fs, path::Path, process, sync::atomic::Ordering};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const ORDERS: u64 = 100_000;

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
        assert_eq!(keeper.durable().load(Ordering::Acquire), ORDERS);
        keeper.close().expect("nothing is wrong");
        fs::remove_dir_all(&folder).expect("it is there");
    }
    flow.each()
}

/// Places and cancels of the flow, as the text of a file.
fn text() -> String {
    let mut text = "order_id,user_id,action,side,price,qty\r\n".to_owned();
    let (mut flow, mut order) = (Generated::new(3, ORDERS), Order::default());
    while flow.next(&mut order).expect("made up") {
        let Order { id, user, price, qty, .. } = order;
        let action = if order.action == Action::Place { "place" } else { "cancel" };
        let side = if order.side == Side::Buy { "buy" } else { "sell" };
        let [(p, pence), (q, rest)] =
            [(price, 100), (qty, 100_000_000)].map(|(n, u)| (n / u, n % u));
        write!(text, "{id},{user},{action},{side},{p}.{pence:02},{q}.{rest:08}\r\n").expect("text");
    }
    text
}

/// One test: its counters are the whole process's.
#[test]
fn an_order_in_a_slot_is_not_copied_and_takes_no_memory() {
    let text = text();
    let rows = || Orders::new(text.as_bytes(), Path::new("orders.csv")).expect("a head");
    let group = Some(Fsync::GROUP);
    for threads in [false, true] {
        let nothing = [
            each(Generated::new(3, ORDERS), Mode::ZeroCopy, threads, None),
            each(rows(), Mode::ZeroCopy, threads, None),
            each(rows(), Mode::ZeroCopy, threads, group),
        ];
        assert_eq!(nothing, [[0.0; 3]; 3], "{threads}");
        // Into a vector for the log, and out of it.
        for (log, more) in [(None, 0.0), (group, 1.0)] {
            let [allocations, copies, bytes] = each(rows(), Mode::Copying, threads, log);
            assert!(
                allocations > 2.5 + more
                    && copies > 8.5 + 2.0 * more
                    && bytes > 900.0 + 152.0 * more,
                "{allocations} {copies} {bytes}"
            );
        }
    }
}
