//! The exchange of document 004: the path of an order without the copies on it, beside the same path with
//! them.
//!
//! Where to read: an [`Order`] is what goes through an [`Exchange`]. [`Risk`] checks it and locks what it may
//! cost, the [`Matcher`] trades, [`Settlement`] moves the money; `engine` hands it from one to the other.

#![forbid(unsafe_code)]

mod accounts;
pub mod bench;
mod book;
pub mod cli;
mod csv;
mod engine;
mod error;
mod event;
pub mod flow;
pub mod generate;
mod ladder;
pub mod log;
mod market;
mod matcher;
pub mod migrate;
mod order;
mod refusal;
pub mod replay;
mod risk;
pub mod serve;
mod settle;

pub use accounts::{Accounts, Opening};
pub use book::{Book, Resting};
pub use engine::{Exchange, Log, MOST_AT_ONCE, Mode, Source, Watch};
pub use error::Error;
pub use event::Event;
pub use market::Market;
pub use matcher::Matcher;
pub use order::ArchivedOrder;
pub use order::{Action, Kind, Order, Side, TimeInForce};
pub use refusal::Refusal;
pub use risk::Risk;
pub use settle::{Balance, Listener, Settlement, Tally, Trade};
