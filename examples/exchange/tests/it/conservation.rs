//! Nothing is lost and nothing made, whatever is asked for.

use crate::record::List;
use aqueduct_testkit::scale;
use exchange::{Exchange, Market, Mode, Order, Side, Source, flow::MARKET, generate::Generated};

fn totals(exchange: &Exchange) -> [u64; 2] {
    let settlement = exchange.settlement();
    let fees = settlement.fees();
    let mut totals = [fees[0], fees[1]];
    settlement.balances().for_each(|(_, asset, b, _)| totals[asset] += b.avail + b.frozen);
    totals
}

/// What resting orders have locked of both assets; rounding may have left more there.
fn locked(exchange: &Exchange) -> [u64; 2] {
    let book = exchange.matcher().book(0).expect("a market");
    let lock = |o: &exchange::Resting| MARKET.lock(o.side, o.price, o.left).expect("a number");
    [Side::Sell, Side::Buy].map(|side| book.side(side).map(lock).sum())
}

/// A hundred thousand of them; ten million by `cargo xtask long every_asset_is_conserved`, in a hundred runs,
/// since fees leave nothing to trade with in the end.
#[test]
fn every_asset_is_conserved_by_each_command() {
    for seed in 0..scale(1) as u64 {
        conserved(seed, 100_000);
    }
}

fn conserved(seed: u64, count: u64) {
    let market = Market { maker_fee: 500, taker_fee: 1_500, ..MARKET };
    let accounts = Generated::accounts(50).expect("sound");
    let mut exchange = Exchange::new(accounts, &[market], 1 << 12, ((), (), ()));
    let before = totals(&exchange);
    let (mut flow, mut order) = (Generated::new(seed, count), Order::default());
    while flow.next(&mut order).expect("made up") {
        exchange.run(&mut List([order].iter()), Mode::ZeroCopy, false).expect("no file");
        assert_eq!(totals(&exchange), before, "seed {seed}, after {order:?}");
        if exchange.orders().is_multiple_of(1_000) {
            let mut frozen = [0; 2];
            exchange.settlement().balances().for_each(|(_, asset, b, _)| frozen[asset] += b.frozen);
            let locked = locked(&exchange);
            assert_eq!(frozen[0], locked[0], "the base asset does not round");
            assert!(frozen[1] >= locked[1] && frozen[1] - locked[1] <= 4 * exchange.orders());
        }
    }
    let tally = exchange.settlement().tally();
    assert!(tally.trades > count / 10 && tally.rejected > count / 1_000, "{tally:?}");
    assert!(exchange.settlement().fees().iter().all(|fees| *fees > 0));
}
