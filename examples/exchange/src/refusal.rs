//! [`Refusal`]: why something is not done.

use std::fmt;

/// Why an order, or what was asked of one, is refused. Nothing changes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Refusal {
    /// No such market.
    Market,
    /// No such user.
    User,
    /// A price of nothing.
    Price,
    /// A quantity of nothing.
    Quantity,
    /// More money than there are numbers for.
    TooLarge,
    /// Too little is available.
    Funds,
    /// An order of this id rests already.
    Duplicate,
    /// No order of this id rests.
    Order,
    /// The order is another user's.
    Owner,
    /// The log has no room, or is closed.
    Log,
    /// So many orders of its user rest that no other may.
    Resting,
}

impl Refusal {
    /// All of them, each at its own number.
    pub const ALL: [Self; 11] = [
        Self::Market,
        Self::User,
        Self::Price,
        Self::Quantity,
        Self::TooLarge,
        Self::Funds,
        Self::Duplicate,
        Self::Order,
        Self::Owner,
        Self::Log,
        Self::Resting,
    ];
}

impl Refusal {
    /// What it says.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Market => "unknown market",
            Self::User => "unknown user",
            Self::Price => "no price",
            Self::Quantity => "no quantity",
            Self::TooLarge => "too large",
            Self::Funds => "insufficient funds",
            Self::Duplicate => "duplicate order",
            Self::Order => "unknown order",
            Self::Owner => "not the owner",
            Self::Log => "the log takes no orders",
            Self::Resting => "too many orders rest",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
