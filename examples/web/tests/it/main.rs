//! The framework from outside: the same answers as FastAPI's, to every client.

#![allow(clippy::disallowed_methods, reason = "tests copy what they compare")]
#![allow(missing_docs, unreachable_pub, reason = "a test binary")]

mod app;
mod app_edges;
mod client;
mod clients;
mod compare;
mod differential;
mod faults;
mod hooks;
mod http;
mod inputs;
mod model_tape;
mod model_twin;
mod models;
mod nesting;
mod openapi;
mod page;
mod port;
mod recorded;
mod refuted;
mod server;
mod twin;
mod twin_edges;
mod web_long;
