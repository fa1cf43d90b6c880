//! The programs of the book and of the workspace's README, which `cargo test` compiles and runs.
//!
//! Here and not in the crate that they are about: they use sockets and an executor, which trybuild there
//! would build anew.

#![forbid(unsafe_code)]
#![cfg(doctest)]

#[doc = include_str!("../../../README.md")]
mod readme {}
#[doc = include_str!("../../../docs/src/guide.md")]
mod guide {}
#[doc = include_str!("../../../docs/src/guide/first.md")]
mod first {}
#[doc = include_str!("../../../docs/src/guide/copies.md")]
mod copies {}
#[doc = include_str!("../../../docs/src/guide/share-or-copy.md")]
mod share_or_copy {}
#[doc = include_str!("../../../docs/src/guide/pools.md")]
mod pools {}
#[doc = include_str!("../../../docs/src/guide/recipes/parser.md")]
mod parser {}
#[doc = include_str!("../../../docs/src/guide/recipes/proxy.md")]
mod proxy {}
#[doc = include_str!("../../../docs/src/guide/recipes/log.md")]
mod log {}
#[doc = include_str!("../../../docs/src/guide/recipes/threads.md")]
mod threads {}
#[doc = include_str!("../../../docs/src/guide/recipes/callback.md")]
mod callback {}
#[doc = include_str!("../../../docs/src/migration.md")]
mod migration {}
#[doc = include_str!("../../../docs/src/guide/pipelines.md")]
mod pipelines {}
#[doc = include_str!("../../../docs/src/guide/netty.md")]
mod netty {}
