//! What a ring and an arena refuse.

use std::{error::Error, fmt};

/// A ring or an arena that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildError {
    /// From 1 to 2^31 slots: the number that was asked for.
    Capacity(usize),
    /// The system has no memory for so many slots.
    Memory(usize),
    /// A stage without a consumer would never be done with a slot: its place, from 0.
    EmptyStage(usize),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capacity(count) => write!(f, "{count} slots: want 1 to 2^31"),
            Self::Memory(count) => write!(f, "no memory for {count} slots"),
            Self::EmptyStage(place) => write!(f, "stage {place} has no consumer"),
        }
    }
}

impl Error for BuildError {}

/// The other side is gone: there is nothing to come, or nobody to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed {
    pub(crate) panicked: bool,
}

impl Closed {
    /// Whether one of the ring's threads was panicking when it let go: what it was about to do is not
    /// done.
    #[must_use]
    pub const fn panicked(&self) -> bool {
        self.panicked
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.panicked {
            "the ring's other side panicked"
        } else {
            "the ring is closed"
        })
    }
}

impl Error for Closed {}

/// Why no slot can be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimError {
    /// The last stage is not done with enough slots.
    Full,
    /// A consumer is gone, so no slot will ever be free again.
    Closed(Closed),
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the ring is full"),
            Self::Closed(closed) => closed.fmt(f),
        }
    }
}

impl Error for ClaimError {}

/// Why there is nothing to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TakeError {
    /// Nothing is there yet.
    Empty,
    /// All that was published is taken, and no more will be.
    Closed(Closed),
}

impl fmt::Display for TakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the ring is empty"),
            Self::Closed(closed) => closed.fmt(f),
        }
    }
}

impl Error for TakeError {}
