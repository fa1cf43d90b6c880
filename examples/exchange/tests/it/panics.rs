//! A stage that panics ends the run: no other waits for it for ever.

use crate::record::WAYS;
use exchange::{Exchange, Listener, Log, Order, Watch, flow::MARKET, generate::Generated};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Panics at this order, if there is one.
#[derive(Clone, Copy, Debug)]
struct Fuse(Option<u64>);

impl Fuse {
    fn reached(self, order: &Order) {
        assert!(self.0.is_none_or(|fuse| order.seq < fuse), "as the test wants it");
    }
}

impl Log for Fuse {
    fn record(&mut self, order: &Order) {
        self.reached(order);
    }

    fn rest(&mut self, _: bool) -> bool {
        true
    }
}

impl Watch for Fuse {
    fn matched(&mut self, order: &Order) {
        self.reached(order);
    }
}

impl Listener for Fuse {
    fn accepted(&mut self, order: &Order, _: u64) {
        self.reached(order);
    }
}

#[test]
fn t15_end_the_run() {
    // Each of the first orders, and one when the ring has come round.
    for at in (1..10).chain([4_000]) {
        for ((mode, threads), stage) in
            WAYS.into_iter().flat_map(|way| [0, 1, 2].map(|of| (way, of)))
        {
            let fuse = |of| Fuse((of == stage).then_some(at));
            // So poor that the first stage often waits for the last.
            let accounts = Generated::accounts(1).expect("sound");
            let parts = (fuse(0), fuse(1), fuse(2));
            let mut exchange = Exchange::new(accounts, &[MARKET], 1 << 6, parts);
            let run = || exchange.run(&mut Generated::new(5, 20_000), mode, threads);
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err(), "{mode:?} {threads} {stage}");
            // The listener hears of what is settled.
            let most = if stage == 0 { at } else { at - 1 };
            let accepted = exchange.settlement().tally().accepted;
            assert!(accepted <= most, "{mode:?} {threads} {stage}: {accepted} for {at}");
        }
    }
}
