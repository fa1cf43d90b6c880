//! A buffer pool: blocks that come back to the thread that asked for them.
//!
//! ```
//! use aqueduct_pool::Pool;
//!
//! let mut buffer = Pool::global().get(4096); // empty, room for at least 4096 bytes
//! buffer.extend_from_slice(b"payload");
//! let slice = buffer.freeze();
//! std::thread::spawn(move || drop(slice)); // the block returns to this thread
//! ```
//!
//! * [`Pool`] hands out [`SliceMut`](aqueduct_slice::SliceMut)s; nothing has to be given back by
//!   hand. [`Pool::builder`] sets block sizes, limits, alignment and scrubbing.
//! * A get and a drop on one thread take a few nanoseconds and no atomic read-modify-write.
//! * What is kept for reuse is bounded in bytes, per thread and in all; [`PoolStats`] shows it.
//!
//! # How it works
//!
//! Each thread owns a list of free blocks per size class. A block that another thread drops returns
//! to its owner on a lock-free stack, in batches; the owner takes the stack whole when a list runs
//! dry. What exceeds a thread's lease goes to lists that all threads share, and from there to the
//! system. A thread that ends hands its lists over whole, to the next thread that needs blocks. The
//! scheme follows the thread-caching allocators, mimalloc (Leijen, Zorn, de Moura, 2019) above all:
//! a local list without atomics, and a list for others that is taken whole.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod balance;
mod block;
mod builder;
mod chain;
mod class;
mod core;
mod error;
mod heap;
#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod homes;
mod lease;
mod list;
mod local;
#[cfg(all(test, aqueduct_loom))]
mod models;
mod outbox;
mod owner;
mod place;
mod pool;
mod registry;
mod remote;
mod shared;
mod shelf;
mod stats;
mod wait;
#[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
mod watched;

pub use builder::PoolBuilder;
pub use error::{GetError, Limit, PoolBuildError};
pub use pool::Pool;
pub use stats::{ClassStats, PoolStats};
pub use wait::GetAsync;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
