//! The ground floor of Aqueduct: what every other crate stands on, and the only crate that names
//! the machine.
//!
//! * `sync`, for the family's own crates, is the seam to atomics, locks and threads: std or `parking_lot`
//!   in a program, loom or shuttle in a model.
//! * [`block`] asks the allocator for memory, fallibly and without arithmetic that can wrap.
//! * [`copy()`] is the one function of the library crates that copies payload bytes, and [`meter`]
//!   counts what it moves.
//!
//! ```
//! use aqueduct_base::{copy, meter};
//!
//! let before = meter::thread();
//! let mut to = [0; 5];
//! copy(&mut to, b"bytes");
//! let copied = meter::thread() - before;
//! assert_eq!(to, *b"bytes");
//! # if cfg!(feature = "meter") {
//! assert_eq!((copied.bytes, copied.copies), (5, 1));
//! # }
//! ```
//!
//! # Features
//!
//! * `std` (default): locks, threads and what is local to one. Without it `core` and `alloc` do, and
//!   `sync` has atomics, `Arc` and cells only.
//! * `meter` (default): count copies, per thread, so with `std`. Without it every reading is zero.
//! * `parking_lot`: its locks in place of std's.
//! * `huge-pages`: [`block::allocate_huge`] asks Linux for huge pages; without it, it is [`block::allocate`].

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), no_std)]
#![cfg_attr(not(test), warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc))]

extern crate alloc;
#[cfg(all(feature = "std", not(test)))]
extern crate std;

pub mod block;
mod copy;
pub mod meter;
#[doc(hidden)]
pub mod sync;

pub use block::{AllocError, AllocErrorKind};
pub use copy::copy;
#[doc(hidden)]
pub use copy::{load_short, shift};

#[cfg(all(doctest, feature = "meter"))]
#[doc = include_str!("../README.md")]
mod readme {}
