//! [`Order`]: what goes through the exchange, one cache line of it.

use crate::Refusal;
use rkyv::{Archive, Deserialize, Serialize};

/// What is to be done.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Archive,
    Serialize,
    Deserialize,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(u8)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// A new order.
    #[default]
    Place,
    /// What is left of an order of the same user is taken back.
    Cancel,
    /// An order of the same user is made smaller by `qty`, and keeps its priority.
    Reduce,
    /// An order of the same user gets another price, and the end of the queue there; it matches if it
    /// crosses.
    Move,
}

/// Which side of the book.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Archive,
    Serialize,
    Deserialize,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(u8)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Pays the quote asset for the base asset.
    #[default]
    Buy,
    /// The other way round.
    Sell,
}

/// Whether there is a limit to its price.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Archive,
    Serialize,
    Deserialize,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(u8)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// At `price` or better.
    #[default]
    Limit,
    /// At any price, a buy up to `price`, which bounds what it locks; what is not filled at once is given
    /// up.
    Market,
}

/// How long it stands.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Archive,
    Serialize,
    Deserialize,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(u8)]
#[serde(rename_all = "lowercase")]
pub enum TimeInForce {
    /// Until it is filled or cancelled.
    #[default]
    Gtc,
    /// What is not filled at once is given up.
    Ioc,
}

/// An order, or what is to be done with one: `Copy`, 64 bytes, on a cache line of its own. The client's own
/// text for it stands elsewhere.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Archive,
    Serialize,
    Deserialize,
    serde::Serialize,
    serde::Deserialize,
)]
#[repr(C, align(64))]
pub struct Order {
    /// Its place among all, from 1 on.
    pub seq: u64,
    /// The order that is placed, or that something is done with.
    pub id: u64,
    /// Who asks for it.
    pub user: u64,
    /// In the smallest units of the quote asset, for a whole unit of the base asset.
    pub price: u64,
    /// In the smallest units of the base asset.
    pub qty: u64,
    /// When its slot was claimed, in nanoseconds of the exchange's own clock.
    pub at: u64,
    /// What the risk check locked of the asset that it pays with; or, as the largest numbers, why it is
    /// [refused](Order::refusal).
    pub locked: u64,
    /// The market.
    pub symbol: u32,
    /// What is to be done.
    pub action: Action,
    /// Which side of the book.
    pub side: Side,
    /// Whether there is a limit to its price.
    pub kind: Kind,
    /// How long it stands.
    pub tif: TimeInForce,
}

impl Order {
    /// No balance is larger: what is left of the numbers says why an order is refused.
    pub const MOST_LOCKED: u64 = u64::MAX - Refusal::ALL.len() as u64;

    /// The risk check refuses it: no stage behind does anything with it.
    pub fn refuse(&mut self, why: Refusal) {
        self.locked = u64::MAX - why as u64;
    }

    /// Why the risk check refused it, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<Refusal> {
        if self.locked <= Self::MOST_LOCKED {
            return None;
        }
        usize::try_from(u64::MAX - self.locked).ok().and_then(|why| Refusal::ALL.get(why).copied())
    }
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
}

const _: () = assert!(size_of::<Order>() == 64 && align_of::<Order>() == 64);
