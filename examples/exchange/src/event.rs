//! [`Event`]: what matching tells settlement.

use crate::{Refusal, Side};

/// What came of an order: any number of these, and an [`End`](Event::End).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Event {
    /// It traded with one that rested.
    Trade {
        /// The account of that one's user.
        maker: u32,
        /// The side that was not resting.
        side: Side,
        /// The order that rested.
        id: u64,
        /// Its price.
        price: u64,
        /// How much changed hands.
        qty: u64,
    },
    /// So much of what its user has locked for orders of a side is his to use again.
    Release {
        /// Which asset: that which the side pays with.
        side: Side,
        /// How much.
        amount: u64,
    },
    /// It is not done.
    Refused(Refusal),
    /// No more of this order.
    #[default]
    End,
}
