//! What a copy costs: Aqueduct beside its peers, operation by operation, and its example systems
//! with and without copies.
//!
//! The binary prints the report; the criterion benches time the same functions. Everything that is
//! timed is a [`measure::Subject`], and [`rows::all`] lists them.

#![allow(clippy::disallowed_methods, reason = "peers and copying modes copy on purpose")]

pub mod alloc;
pub mod blocks;
pub mod claims;
pub mod clock;
pub mod counted;
pub mod crossing;
pub mod folder;
pub mod html;
pub mod machine;
pub mod measure;
pub mod os;
pub mod out;
pub mod pipes;
pub mod ports;
pub mod python;
pub mod relay;
pub mod remote;
pub mod report;
pub mod rows;
pub mod run;
pub mod running;
pub mod scaling;
pub mod serve;
pub mod stats;
pub mod table;
pub mod target;
pub mod uvrpc;
pub mod weave;
pub mod web;
pub mod witnessed;
