//! A small web framework on Aqueduct: HTTP/1.1 on the pipe, requests that are borrowed from the blocks
//! that they were received into and validated where they lie, answers that are made in pooled blocks.
//!
//! Where to read: [`App`] puts handlers on routes, [`mod@model`] declares what they are given,
//! [`mod@demo`] uses both. Below, [`serve()`] has the sockets and the clocks, [`Conversation`] what is said
//! over one of them, [`Request`] and [`Reply`] what a [`Service`] sees of it.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "the copying mode copies, and counts it at the call")]

mod app;
pub mod demo;
mod http;
pub mod model;
mod options;
mod serve;

pub use app::{App, Doc, Header, Hook, Input, Json, Nothing, Path, Query, Raw, Ready, RouteError};
pub use http::{
    Body, BodyWriter, Conversation, Fields, HandedOver, Handover, Headers, Next, Reply, Request,
    Service, Wait,
};
pub use options::{Mode, Options, Timeouts};
pub use serve::serve;
