//! What a step of a transfer did, and what a whole one did.

use crate::{Fallback, Method};

/// What one [step](crate::Transfer::step) did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many bytes arrived; none where they were read only, or another way is to be tried. Go on.
    Moved(usize),
    /// Nothing can be done before this side is ready.
    Wait(Side),
    /// All bytes have arrived.
    End,
}

/// A side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It has to become readable.
    Source,
    /// It has to become writable.
    Target,
}

/// A transfer that has come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transferred {
    /// Bytes that arrived.
    pub bytes: u64,
    /// The way that the last of them took.
    pub method: Method,
    /// What the system refused on the way.
    pub fallback: Option<Fallback>,
}
