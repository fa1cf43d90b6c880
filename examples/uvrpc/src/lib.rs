//! The RPC of document 002: msgpack calls over ZeroMQ's protocol, without the copies on their way, beside the
//! same with them.
//!
//! Where to read: [`zmtp`] understands what a peer sends, [`envelope`] what a call says; the same
//! connection serves both sides, [`serve()`] with [`Services`] and [`Client`].

#![forbid(unsafe_code)]
#![allow(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^53")]
#![allow(clippy::disallowed_methods, reason = "the copying mode copies, and counts it at the call")]

mod address;
pub mod bench;
mod calls;
pub mod cli;
mod client;
mod connection;
mod driver;
pub mod envelope;
mod options;
mod outgoing;
mod payload;
mod pulse;
mod reply;
mod server;
mod services;
mod stream;
pub mod zmtp;

pub use address::{Address, AddressError};
pub use calls::{CallError, Outcome};
pub use client::{Client, ClientStats, Pending, await_all, await_any};
pub use options::{Mode, Options, Profile};
pub use payload::Payload;
pub use reply::Reply;
pub use server::serve;
pub use services::{Answer, Call, Duplicate, Services};
pub use stream::Listener;
