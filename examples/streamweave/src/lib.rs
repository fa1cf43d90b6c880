//! The dataflow graph of document 003: in process without copies, across machines on timely dataflow.
//!
//! Where to read: a [`Message`] goes through a [`Graph`] of [`Source`]s and [`Operator`]s, which a [`Weave`]
//! or a description in TOML puts together, and an [`Executor`] runs in any [`Mode`].

#![forbid(unsafe_code)]

pub mod bench;
mod builder;
pub mod cli;
mod copying;
mod distributed;
mod edges;
mod error;
mod executor;
mod function;
mod graph;
mod item;
mod message;
mod metrics;
mod operator;
mod operators;
mod parameters;
mod registry;
mod segment;
mod serve;
mod threads;
mod typed;

/// The program of the README, which `cargo test` compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

pub use builder::Builder;
pub use distributed::Cluster;
#[doc(hidden)]
pub use distributed::fuzzed;
pub use error::{BuildError, Error, Failure};
pub use executor::{Executor, Mode, State};
pub use graph::{ANY, Graph, MakeOperator, MakeSource, Node, Place, Port, Role};
pub use item::{Batch, Binary, Codec, Item, Json, Typed};
pub use message::{Id, Message, Meta, Payload, Value};
pub use metrics::Metrics;
pub use operator::{Action, Decide, Next, Operator, Outputs, Policy, Source};
pub use parameters::Parameters;
pub use registry::{Make, Registry};
pub use typed::{Collected, In, Out, Weave};
