//! The pipe's halves as what other crates ask for: each file is one family of traits, or one thing
//! beside them.

mod blocking;
#[cfg(any(feature = "tokio", feature = "futures-io"))]
mod bytes;
mod common;
mod copy_to;
mod duplex;
#[cfg(feature = "tokio")]
mod fill;
#[cfg(feature = "futures-io")]
mod futures_io;
mod heed;
#[cfg(feature = "stream")]
mod stream;
#[cfg(feature = "tokio")]
mod tokio;
mod turn;

pub use copy_to::CopyError;
pub use duplex::{Duplex, duplex};
