//! The exchange of document 004: the path of an order without the copies on it, beside the same path with
//! them.

#![forbid(unsafe_code)]

pub mod log;
pub mod migrate;
mod order;

pub use order::ArchivedOrder;
pub use order::{Action, Kind, Order, Side, TimeInForce};
