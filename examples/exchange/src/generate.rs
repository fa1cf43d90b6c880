//! A flow of orders out of a seed: the same on every machine.

use crate::{
    Accounts, Action, Error, Kind, Opening, Order, Side, Source, TimeInForce, flow::ASSETS,
};

/// Who trades.
const USERS: u64 = 100;
/// Around which price, in the smallest units of the quote asset.
const MIDDLE: u64 = 8_500_000;
/// How far back the order may be that something is done with.
const BACK: u64 = 2_000;

/// Orders of all kinds: most are placed, some of them at any price or to be filled at once; others are
/// cancelled, made smaller or moved, some of them long gone or somebody else's.
#[derive(Clone, Debug)]
pub struct Generated {
    state: u64,
    placed: u64,
    left: u64,
}

impl Generated {
    /// So many orders.
    #[must_use]
    pub fn new(seed: u64, orders: u64) -> Self {
        Self { state: seed, placed: 0, left: orders }
    }

    /// Accounts for their users. With `units` of each asset, whole ones of the base asset: of ten, many an
    /// order is refused; of ten thousand hardly one.
    ///
    /// # Errors
    ///
    /// [`Error::Balances`] where there are no numbers for so much.
    pub fn accounts(units: u64) -> Result<Accounts, Error> {
        Accounts::new(ASSETS, Self::openings(units))
    }

    /// What these accounts have at the start.
    pub fn openings(units: u64) -> impl Iterator<Item = Opening> {
        let amounts = [units.saturating_mul(100_000_000), units.saturating_mul(MIDDLE)];
        (1..=USERS).flat_map(move |user| {
            let opening = move |(asset, avail)| Opening { user, asset, avail, frozen: 0 };
            amounts.into_iter().enumerate().map(opening)
        })
    }

    /// The next of the numbers that the seed gives, below `end` (splitmix64: Steele, Lea, Flood, 2014).
    fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state) % end
    }

    /// Mostly near the middle, on the side's own half of it two times in three.
    fn price(&mut self, side: Side) -> u64 {
        let most =
            [100, 1_000, 10_000][usize::from(self.below(2) == 0) + usize::from(self.below(8) == 0)];
        let away = self.below(most);
        match (side, self.below(3) == 0) {
            (Side::Buy, false) | (Side::Sell, true) => MIDDLE - away,
            (Side::Sell, false) | (Side::Buy, true) => MIDDLE + away,
        }
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// Whose an order is.
fn owner(id: u64) -> u64 {
    mix(id) % USERS + 1
}

impl Source for Generated {
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(false) };
        self.left = left;
        order.symbol = 0;
        order.action = match self.below(20) {
            0..=3 => Action::Cancel,
            4 => Action::Reduce,
            5 => Action::Move,
            _ => Action::Place,
        };
        order.side = if self.below(2) == 0 { Side::Buy } else { Side::Sell };
        order.price = self.price(order.side);
        order.qty = (self.below(100_000) + 1) * if self.below(10) == 0 { 10_000 } else { 100 };
        order.kind = if self.below(50) == 0 { Kind::Market } else { Kind::Limit };
        order.tif = if self.below(20) == 0 { TimeInForce::Ioc } else { TimeInForce::Gtc };
        if order.action == Action::Place {
            self.placed += 1;
            order.id = self.placed;
        } else {
            order.id = self.placed.saturating_sub(self.below(BACK)).max(1);
        }
        order.user = owner(order.id);
        if self.below(100) == 0 {
            order.user = self.below(USERS + 2);
        }
        Ok(true)
    }
}
