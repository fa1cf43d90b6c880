//! Refcounted views of bytes: one block of memory, many handles, every copied byte counted.
//!
//! ```
//! use aqueduct_slice::{Slice, SliceMut};
//!
//! let mut buffer = SliceMut::with_capacity(64);
//! buffer.extend_from_slice(b"GET /index.html HTTP/1.1");
//! let line: Slice = buffer.freeze(); // free: the block changes its owner
//! let path = line.slice_shared(4..15); // one more handle on the same block
//! assert_eq!(path, b"/index.html");
//! ```
//!
//! * [`Slice`] is immutable and cheap to clone, slice and send. Short ones (up to
//!   [`Slice::INLINE`] bytes) live in the handle.
//! * [`SliceMut`] is the exclusive, growable form that is filled and then frozen.
//! * [`LocalSlice`] counts without atomics, for work within one thread.
//! * [`Appender`] and [`Published`] are a block that is written at its end while its front is read.
//! * [`Str`] is a `Slice` known to be UTF-8, and [`Interner`] shares repeated keys.
//! * `owner`, for the family's own crates, is the seam to memory that has its own header, such as a pool's.
//!   [`Slice::from_owner`] takes anybody's.
//!
//! # Features
//!
//! * `std` (default): [`Interner`], `Read` and `Write`, and headers of foreign owners that are recycled.
//!   Without it `core` and `alloc` do.
//! * `meter` (default): count copies; see [`aqueduct_base::meter`].
//! * `bytes`: `From` between `Slice` and `Bytes`, both ways, without copying; `Buf` for `Slice`, `SliceMut`;
//!   `BufMut` for `SliceMut`.
//! * `serde`: `Serialize` and `Deserialize` as bytes, for [`Str`] as a string.

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), no_std)]
#![cfg_attr(not(test), warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc))]

extern crate alloc;
#[cfg(all(feature = "std", not(test)))]
extern crate std;

mod append;
#[cfg(all(test, aqueduct_loom))]
mod append_models;
#[cfg(feature = "bytes")]
mod bytes;
mod error;
mod foreign;
mod group;
mod header;
mod heap;
#[cfg(feature = "std")]
mod interner;
#[cfg(feature = "std")]
mod io;
mod local;
#[cfg(all(test, aqueduct_loom))]
mod models;
mod owned;
mod raw;
mod raw_mut;
#[cfg(all(test, aqueduct_loom))]
mod round_models;
#[cfg(feature = "serde")]
mod serde;
mod slice;
mod slice_mut;
mod spare;
mod string;
mod traits;

pub use append::{Appender, Published};
pub use aqueduct_base::{AllocError, AllocErrorKind};
pub use error::{NoHeadroom, RangeError, Unjoined, Utf8Error};
#[cfg(feature = "std")]
pub use interner::Interner;
pub use local::LocalSlice;
pub use slice::{RawSlice, Slice};
pub use slice_mut::SliceMut;
pub use string::Str;

/// The seam for crates that own memory: the header that stands in front of a block.
///
/// A block is any memory with a [`Header`](owner::Header): the handles count in it, and hand the
/// block to its [`Vtable`](owner::Vtable) when the last of them is gone. Everything here is for
/// implementing an owner; users of slices never need it.
#[doc(hidden)]
pub mod owner {
    pub use crate::header::{Extent, Header, Vtable};
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
