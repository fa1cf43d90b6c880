//! Allocations and copies of orders in steady state, counted by an allocator of this test's own.

#![allow(clippy::disallowed_methods, reason = "a test writes what it reads")]

use aqueduct::meter;
use aqueduct_testkit::CountingAlloc;
use exchange::{
    Action, Error, Exchange, Mode, Order, Side, Source,
    flow::{MARKET, Orders},
    generate::Generated,
};
use std::{fmt::Write, path::Path};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

const ORDERS: u64 = 100_000;

/// A flow that reads the counters in its middle, and at its end.
struct Counted<S> {
    flow: S,
    seen: u64,
    readings: [(u64, meter::Counts); 2],
}

impl<S: Source> Source for Counted<S> {
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        let more = self.flow.next(order)?;
        self.seen += 1;
        if self.seen == ORDERS / 2 || !more {
            let reading = (CountingAlloc::process().allocations, meter::process());
            self.readings[usize::from(!more)] = reading;
        }
        Ok(more)
    }
}

/// Allocations and copies for each order of the second half.
fn each(flow: impl Source, mode: Mode, threads: bool) -> [f64; 3] {
    let accounts = Generated::accounts(1_000).expect("sound");
    let mut exchange = Exchange::new(accounts, &[MARKET], 1 << 16, ((), (), ()));
    // A first reading allocates.
    let readings = [(0, meter::process()); 2];
    let mut flow = Counted { flow, seen: 0, readings };
    exchange.run(&mut flow, mode, threads).expect("sound");
    let tally = exchange.settlement().tally();
    assert!(tally.trades > ORDERS / 10 && tally.accepted > ORDERS / 3, "{tally:?}");
    let [(before, first), (after, last)] = flow.readings;
    let copied = last - first;
    [after - before, copied.copies, copied.bytes].map(|count| count as f64 * 2.0 / ORDERS as f64)
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
    for threads in [false, true] {
        assert_eq!(each(Generated::new(3, ORDERS), Mode::ZeroCopy, threads), [0.0; 3], "{threads}");
        assert_eq!(each(rows(), Mode::ZeroCopy, threads), [0.0; 3], "{threads}");
        let [allocations, copies, bytes] = each(rows(), Mode::Copying, threads);
        assert!(
            allocations > 2.5 && copies > 8.5 && bytes > 900.0,
            "{allocations} {copies} {bytes}"
        );
    }
}
