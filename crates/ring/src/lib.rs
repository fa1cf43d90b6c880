//! A ring of slots that are made once: producers fill them in place, stages of consumers work on them
//! in place, and nothing is moved or allocated on the way.
//!
//! ```
//! use aqueduct_ring::{Beside, Builder, One};
//!
//! #[derive(Default)]
//! struct Order { quantity: u64, accepted: bool }
//!
//! // Each order is checked first, then logged and matched side by side, then answered.
//! let ring = Builder::new(1024).build::<Order, (One, Beside<2>, One)>(Order::default)?;
//! let (mut orders, (mut check, [mut log, mut matching], mut answer)) = ring;
//!
//! let mut order = orders.try_claim()?;
//! order.quantity = 5; // the slot still holds what an earlier lap left in it
//! order.accepted = false;
//! order.publish();
//!
//! for order in &mut check.try_take(64)? {
//!     order.accepted = order.quantity < 100; // alone at its place: may write
//! }
//! for order in &mut log.try_take(64)? {
//!     println!("{} {}", order.quantity, order.accepted); // beside another: may read
//! }
//! # assert!(answer.try_take(64).is_err());
//! for order in &mut matching.try_take(64)? {
//!     assert!(order.accepted);
//! }
//! assert_eq!(answer.try_take(64)?.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * [`Builder`] makes a [`Producer`], one or [of many](Builder::build_many), and the [`Consumer`]s of all
//!   stages. A stage sees a slot when all of the stage before are done with it, and a slot is claimed
//!   again when the last stage is.
//! * [`Claim`] and [`Batch`] borrow slots; a claim that is not published is as if it had not been.
//! * Waiting is by spinning, yielding or sleeping ([`Wait`]), or by a task's waker.
//! * [`Arena`] is for what does not live in the order in which it came: slots with [`Handle`]s, which
//!   tell a slot's tenants apart.
//!
//! The scheme is the LMAX Disruptor's (Thompson, Farley, Barker, Gee, Stewart, 2011).

#![cfg_attr(docsrs, feature(doc_cfg))]

mod arena;
mod bell;
mod builder;
mod consumer;
mod error;
#[cfg(all(test, aqueduct_loom))]
mod models;
mod producer;
mod slots;
#[cfg(all(test, aqueduct_shuttle))]
mod storm;

pub use arena::{Arena, Handle, Lease};
pub use bell::Wait;
pub use builder::{Beside, Builder, Layout, Level, One};
pub use consumer::{Access, Batch, Consumer, Exclusive, Iter, IterMut, Shared};
pub use error::{BuildError, ClaimError, Closed, TakeError};
pub use producer::{Claim, Claims, Many, Number, Producer, Sole};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
