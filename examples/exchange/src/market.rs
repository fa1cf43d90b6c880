//! [`Market`]: two assets, and the arithmetic of money between them, in whole units throughout.

use crate::{Action, Order, Side};

/// What is traded for what.
#[derive(Clone, Copy, Debug)]
pub struct Market {
    /// The asset that is bought and sold: its number among the assets.
    pub base: usize,
    /// The asset that is paid with.
    pub quote: usize,
    /// The smallest units of the base asset in a whole one.
    pub unit: u64,
    /// What a trade costs whose order rested, per million of what he receives. A fee that is not nothing is
    /// one at least.
    pub maker_fee: u32,
    /// What it costs the other.
    pub taker_fee: u32,
}

impl Market {
    /// What `qty` costs at `price`, rounded down; none if there is no number for it.
    #[inline]
    #[must_use]
    pub fn cost(&self, price: u64, qty: u64) -> Option<u64> {
        match price.checked_mul(qty) {
            Some(product) => Some(product / self.unit),
            None => u64::try_from(u128::from(price) * u128::from(qty) / u128::from(self.unit)).ok(),
        }
    }

    /// What an order of a side pays with: its number among the assets.
    #[inline]
    #[must_use]
    pub fn pays(&self, side: Side) -> usize {
        match side {
            Side::Buy => self.quote,
            Side::Sell => self.base,
        }
    }

    /// How much of that an order locks for so much quantity.
    #[inline]
    #[must_use]
    pub fn lock(&self, side: Side, price: u64, qty: u64) -> Option<u64> {
        match side {
            Side::Buy => self.cost(price, qty),
            Side::Sell => Some(qty),
        }
    }

    /// The asset of which the risk check locks something for `order`. Whoever moves an order may have to
    /// pay more for it.
    pub(crate) fn locks(&self, order: &Order) -> usize {
        self.pays(if order.action == Action::Move { Side::Buy } else { order.side })
    }
}

/// What is kept of `amount` at so many per million.
#[inline]
pub(crate) fn fee(amount: u64, per_million: u32) -> u64 {
    if per_million == 0 {
        return 0;
    }
    let fee = u128::from(amount) * u128::from(per_million) / 1_000_000;
    u64::try_from(fee).unwrap_or(amount).max(1).min(amount)
}
