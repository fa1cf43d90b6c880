//! A small web framework on Aqueduct: HTTP/1.1 on the pipe, requests that are borrowed from the blocks
//! that they were received into, answers that are made in pooled blocks.
//!
//! Where to read: [`serve()`] has the sockets and the clocks, [`Conversation`] what is said over
//! one of them, [`Request`] and [`Reply`] what a [`Service`] sees of it.

#![forbid(unsafe_code)]

mod http;
mod options;
mod serve;

pub use http::{
    Body, BodyWriter, Conversation, Fields, Headers, Next, Reply, Request, Service, Wait,
};
pub use options::{Mode, Options, Timeouts};
pub use serve::serve;
