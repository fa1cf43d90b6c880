//! Many slices read as one.
//!
//! * [`Sequence`] owns its segments and is cheap to clone, cut and send.
//! * [`SequenceRef`] is the borrowed, `Copy` form, with all that reads: find, split, compare, copy.
//! * [`SequenceReader`] moves over it: integers, delimiters, prefixes, checkpoints.
//! * [`SegmentList`] grows at the back and is taken from at the front, as behind a pipe's reader.
//!
//! ```
//! use aqueduct_sequence::Sequence;
//! use aqueduct_slice::Slice;
//!
//! let parts = [Slice::from_static(&[0, 0, 1]), Slice::from_static(&[44, b'o', b'k'])];
//! let frame = Sequence::from_iter(parts);
//! let mut reader = frame.reader();
//! assert_eq!(reader.read_u32_be()?, 300); // across two segments, without allocating
//! assert_eq!(reader.read_rest(), b"ok");
//! # Ok::<(), aqueduct_sequence::ReadError>(())
//! ```
//!
//! # Features
//!
//! * `std` (default): `Read`, `BufRead`, `Seek` and `IoSlice`; searching with all that the processor has.
//!   Without it `core` and `alloc` do.
//! * `meter` (default): count copies; see [`aqueduct_base::meter`].
//! * `bytes`: `From` of `Bytes` for [`Sequence`]; `Buf` for [`Sequence`] and [`SequenceReader`].
//! * `http-body`: `Body` of the `http-body` crate for [`Sequence`].

#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(not(test), no_std)]
#![cfg_attr(not(test), warn(clippy::std_instead_of_core, clippy::std_instead_of_alloc))]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(all(feature = "std", not(test)))]
extern crate std;

#[cfg(feature = "bytes")]
mod bytes;
mod compare;
mod convert;
mod error;
mod find;
#[cfg(feature = "http-body")]
mod http_body;
#[cfg(feature = "std")]
mod io;
mod list;
mod reader;
mod segment;
mod seqref;
mod sequence;
mod text;
mod window;

pub use convert::IntoSlices;
pub use error::{ReadError, ReadFault};
pub use find::Split;
pub use list::SegmentList;
pub use reader::{Checkpoint, Delimiter, Prefix, SequenceReader};
pub use seqref::{Segments, SequenceRef};
pub use sequence::Sequence;
pub use text::NotUtf8;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
