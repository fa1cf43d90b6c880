//! The log: on a disk that fails, cut and flipped, and on a real one.

mod damage;
pub mod disk;
mod real;
mod storm;

use aqueduct_testkit::Random;
use exchange::{
    Action, Kind, Order, Side, TimeInForce,
    log::{Encoding, Fsync, Options},
};
use std::time::Duration;

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

pub fn orders(count: u64, seed: u64) -> Vec<Order> {
    let mut random = Random::new(seed);
    (1..=count).map(|seq| order(seq, &mut random)).collect()
}

/// A sync with each commit.
pub const GROUP: Fsync = Fsync::Group { every: Duration::MAX, orders: 1 };
pub const PLAIN: Options = Options { fsync: GROUP, encoding: Encoding::Archived, segment: 1 << 30 };
/// Bytes of a header of a segment, and of an archived record.
pub const HEADER: usize = 64;
pub const RECORD: usize = 88;
