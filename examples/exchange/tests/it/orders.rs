//! Random orders, against the naive matcher.

use crate::{
    naive::Naive,
    record::{WAYS, run},
};
use exchange::{Accounts, Action, Kind, Market, Opening, Order, Side, TimeInForce};
use proptest::prelude::*;

/// Two markets that are paid for with the same asset. A unit of ten makes nearly everything round.
fn markets(fees: [u32; 2]) -> [Market; 2] {
    let [maker_fee, taker_fee] = fees;
    [0, 2].map(|base| Market { base, quote: 1, unit: 10, maker_fee, taker_fee })
}

fn openings(amount: u64) -> Vec<Opening> {
    let balance = |place: usize| Opening {
        user: place as u64 / 3,
        asset: place % 3,
        avail: amount,
        frozen: 0,
    };
    (0..4 * 3).map(balance).collect()
}

fn order() -> impl Strategy<Value = Order> {
    let action = prop_oneof![
        6 => Just(Action::Place),
        2 => Just(Action::Cancel),
        2 => Just(Action::Reduce),
        2 => Just(Action::Move),
    ];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let kind = prop_oneof![4 => Just(Kind::Limit), 1 => Just(Kind::Market)];
    let tif = prop_oneof![4 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::Ioc)];
    let price = prop_oneof![20 => 1u64..12, 1 => Just(0), 1 => any::<u64>()];
    let qty = prop_oneof![20 => 1u64..60, 1 => Just(0), 1 => any::<u64>()];
    let symbol = prop_oneof![20 => Just(0u32), 8 => Just(1), 1 => Just(2)];
    // The user mostly follows from the id, so that most of what is asked for is asked by the owner.
    let user = prop_oneof![6 => Just(None), 1 => (0u64..5).prop_map(Some)];
    (1u64..24, user, action, side, kind, tif, price, qty, symbol).prop_map(
        |(id, user, action, side, kind, tif, price, qty, symbol)| {
            let user = user.unwrap_or(id % 4);
            Order { id, user, action, side, kind, tif, price, qty, symbol, ..Order::default() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn are_traded_as_naively(
        orders in proptest::collection::vec(order(), 0..300),
        amount in prop_oneof![Just(100u64), Just(10_000)],
        fees in prop_oneof![Just([0u32, 0]), Just([1_000, 300_000]), Just([0, 1_000_000])],
        most in prop_oneof![Just(Accounts::MOST_RESTING), 0u32..4],
    ) {
        let (markets, openings) = (markets(fees), openings(amount));
        let mut naive = Naive::new(&markets, openings.clone(), 3, most as usize);
        orders.iter().for_each(|order| naive.execute(order));
        let expected = naive.finish();
        for way in WAYS {
            let accounts = Accounts::new(3, openings.clone()).expect("sound");
            let accounts = accounts.with_most_resting(most);
            prop_assert_eq!(&run(accounts, &markets, &orders, way), &expected, "{:?}", way);
        }
    }
}

/// Longer than any queue between the stages: one order that trades five thousand times.
#[test]
fn a_sweep_does_not_wait_for_itself() {
    let markets = markets([0, 0]);
    let rest = |id| Order { id, user: 0, side: Side::Sell, price: 1, qty: 10, ..Order::default() };
    let mut orders: Vec<Order> = (1..=5_000).map(rest).collect();
    orders.push(Order { id: 9_999, user: 1, price: 1, qty: 50_000, ..Order::default() });
    for way in WAYS {
        let accounts = Accounts::new(3, openings(100_000)).expect("sound");
        let lines = run(accounts, &markets, &orders, way);
        assert_eq!(lines.iter().filter(|line| line.starts_with("trade")).count(), 5_000);
        assert!(lines.iter().all(|line| !line.starts_with("rests")));
    }
}

/// What fills, is cancelled, or is reduced to nothing makes room for another; what is moved needs none.
#[test]
fn one_user_has_so_many_orders_that_rest() {
    let markets = markets([0, 0]);
    let order = |id, user, side| Order { id, user, side, price: 5, qty: 10, ..Order::default() };
    let (buy, sell) = (|id| order(id, 1, Side::Buy), |id| order(id, 2, Side::Sell));
    let act = |id, action| Order { action, ..buy(id) };
    let orders = [
        Order { price: 8, ..sell(20) },
        buy(1),
        Order { symbol: 1, ..buy(1) },
        // The third is one too many, also where it would trade; but not if it cannot rest, nor another's.
        buy(2),
        Order { price: 9, ..buy(2) },
        Order { tif: TimeInForce::Ioc, ..buy(3) },
        Order { kind: Kind::Market, ..buy(4) },
        act(1, Action::Move),
        sell(5),
        buy(6),
        buy(7),
        act(6, Action::Cancel),
        buy(8),
        act(8, Action::Reduce),
        buy(9),
        buy(10),
    ];
    for way in WAYS {
        let accounts = Accounts::new(3, openings(1_000)).expect("sound").with_most_resting(2);
        let lines = run(accounts, &markets, &orders, way);
        let refused: Vec<_> = lines.iter().filter(|line| line.starts_with("refused")).collect();
        let says = [2, 2, 7, 10].map(|id| format!("refused Place {id}: too many orders rest"));
        assert!(refused.into_iter().eq(&says), "{lines:?}");
        // Nothing is kept of what is refused.
        assert!(lines.contains(&"has 1 1 985 10".to_owned()), "{lines:?}");
    }
}

#[test]
fn balances_that_cannot_be_are_refused() {
    let one = Opening { user: 7, asset: 0, avail: 1, frozen: 0 };
    let says = |openings: &[Opening]| {
        Accounts::new(1, openings.iter().copied()).expect_err("refused").to_string()
    };
    assert_eq!(says(&[one, one]), "balances of user 7: balance given twice");
    assert_eq!(says(&[Opening { asset: 1, ..one }]), "balances of user 7: unknown asset");
    let rich = Opening { user: 8, avail: Order::MOST_LOCKED, ..one };
    assert!(Accounts::new(1, [rich]).is_ok());
    assert!(says(&[one, rich]).contains("numbers"));
    assert!(says(&[Opening { frozen: u64::MAX, ..one }]).contains("numbers"));
}
