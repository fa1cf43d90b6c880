//! The log: on a disk that fails, cut and flipped, and on a real one.

mod corpus;
mod damage;
pub mod disk;
mod kept;
mod machine;
mod made;
pub mod old;
mod real;
mod snapshots;
mod storm;

use aqueduct_testkit::Random;
use exchange::{
    Order,
    log::{Encoding, Fsync, Options},
};
use made::order;
use std::time::Duration;

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
