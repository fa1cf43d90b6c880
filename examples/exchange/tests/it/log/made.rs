//! Orders at random.

use aqueduct_testkit::Random;
use exchange::{Action, Kind, Order, Side, TimeInForce};

/// An order of any content.
pub fn order(seq: u64, random: &mut Random) -> Order {
    Order {
        seq,
        id: random.seed(),
        user: random.below(1000) as u64,
        price: random.seed() >> random.below(60),
        qty: random.below(1 << 30) as u64,
        at: seq * 17,
        locked: random.seed() >> 7,
        symbol: u32::try_from(random.below(9)).unwrap(),
        action: [Action::Place, Action::Cancel, Action::Reduce, Action::Move][random.below(4)],
        side: [Side::Buy, Side::Sell][random.below(2)],
        kind: [Kind::Limit, Kind::Market][random.below(2)],
        tif: [TimeInForce::Gtc, TimeInForce::Ioc][random.below(2)],
    }
}
