//! A pipe of bytes: filled in place or handed over, read where they are, with back-pressure.
//!
//! ```
//! use aqueduct_pipe::{Options, Read, pipe};
//!
//! let (mut writer, mut reader) = pipe(Options::default());
//! writer.write(b"a line\nand ")?; // copies into the pipe's own memory
//! writer.push(vec![b'x'; 4096])?; // hands over, copies nothing
//! writer.try_flush()?;
//!
//! let Some(Read::Data(view)) = reader.try_read()? else { panic!("there is data") };
//! let end = view.seq().find(b'\n').expect("a whole line");
//! assert!(view.seq().starts_with(b"a line"));
//! view.consume(end + 1); // what the view showed cannot be used any more
//! # Ok::<(), aqueduct_pipe::PipeError>(())
//! ```
//!
//! * [`Writer`]: [`reserve`](Writer::reserve) and [`write`](Writer::write) fill pooled memory,
//!   [`push`](Writer::push) appends a slice without copying it,
//!   [`reserve_prefix`](Writer::reserve_prefix) leaves room for what is known later, and
//!   [`flush`](Writer::flush) shows all of it to the reader, and waits while the reader has enough.
//! * [`Reader`]: [`read`](Reader::read) lends a [`View`] of all that is there. The view is given
//!   back by saying how much of it is done with, and takes the borrow along: nothing can be used
//!   after it was given back.
//! * A writer that is dropped before it said [`finish`](Writer::finish) is an error at the reader,
//!   never an end.
//! * Every wait is a future that can be dropped without loss, a `poll_` function under it, and a
//!   blocking twin; an [`Interrupter`] ends one from another thread.
//! * [`FramedReader`] and [`FramedWriter`] read and write it frame by frame: behind a length, before a
//!   delimiter, or of one size.
//!
//! # How it works
//!
//! The writer fills a block and publishes how far it has got: one store. Two gates, one for what is
//! flushed and one for what the reader has examined, carry the totals and the wake-ups: one
//! read-modify-write for each flush and each decision of the reader. A lock is taken only where a block
//! begins or a slice is pushed.
//!
//! # Adapters
//!
//! | feature | gives |
//! |---|---|
//! | none | [`duplex`], [`Reader::copy_to`], a [`Reader`] from a `Sequence`; for `std::io` [`Blocking`], [`Writer::fill_from_blocking`], [`Reader::drain_to_blocking`] |
//! | `tokio` | tokio's `AsyncRead` and `AsyncBufRead` for [`Reader`], `AsyncWrite` for [`Writer`], all three for [`Duplex`]; `Writer::fill_from` any byte stream, `Reader::drain_to` any |
//! | `futures-io` | the traits of `futures-io`, for the same three |
//! | `stream` | `Stream` of slices for [`Reader`] and of frames for [`FramedReader`], `Sink` of the same for [`Writer`] and [`FramedWriter`] |
//!
//! A server that gives back what it gets, with feature `tokio`. While a socket has nothing it holds no
//! block, and while the client does not read, the pipe fills up to its pause and no further:
//!
//! ```
//! use aqueduct_pipe::{Options, pipe};
//! use std::io;
//! use tokio::{io::AsyncWriteExt, net::TcpStream};
//!
//! async fn echo(mut socket: TcpStream) -> io::Result<()> {
//!     let (mut from, mut to) = socket.split();
//!     let (mut writer, mut reader) = pipe(Options::default());
//!     let receiving = async move {
//!         while writer.fill_from(&mut from).await? > 0 {}
//!         writer.finish();
//!         Ok(())
//!     };
//!     let sending = async move {
//!         while reader.drain_to(&mut to).await? > 0 {}
//!         to.shutdown().await
//!     };
//!     tokio::try_join!(receiving, sending).map(drop)
//! }
//! # use tokio::{io::AsyncReadExt, net::TcpListener};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> io::Result<()> {
//! #     let listener = TcpListener::bind("127.0.0.1:0").await?;
//! #     let client = async {
//! #         let mut client = TcpStream::connect(listener.local_addr()?).await?;
//! #         client.write_all(b"hello").await?;
//! #         client.shutdown().await?;
//! #         let mut answer = String::new();
//! #         client.read_to_string(&mut answer).await?;
//! #         assert_eq!(answer, "hello");
//! #         Ok(())
//! #     };
//! #     let server = async { echo(listener.accept().await?.0).await };
//! #     tokio::try_join!(client, server).map(drop)
//! # }
//! ```
//!
//! They cost what they do: the traits of byte streams copy in and out, which the meter counts, and each
//! write is a flush, so that nobody waits for bytes that nobody sees. `fill_from`, `drain_to`, `copy_to`
//! and the slices copy nothing.
//!
//! Who writes through them waits while the reader has enough, and also while the pipe is
//! [full](OptionsBuilder::max_buffered). It is an error only where the reader has looked at all bytes and
//! keeps them: it waits for more itself.
//!
//! With feature `tokio` each step counts towards the budget of tokio's task, as with its own sockets,
//! so that a task for which there is always something to do lets others run. The pipe's own calls know no
//! executor and count nothing: a loop over [`read`](Reader::read) that can go on for long calls
//! `tokio::task::coop::consume_budget`, or what another executor has for it.
//!
//! Who stops polling loses nothing: bytes are taken or given in the same step in which it is said how
//! many they were. That holds for every one of these futures.
//!
//! Their errors are the pipe's own, wrapped as the [conversion](std::io::Error#impl-From<PipeError>-for-Error)
//! says: `BrokenPipe` when the reader is gone. A stream that was read is cut short when its writer
//! did not finish: `UnexpectedEof`, after all bytes. An [`Interrupter`] is the error
//! [`Interrupted`](PipeErrorKind::Interrupted) of the kind `Other`, since callers repeat what was
//! `Interrupted` for the system's reasons. The same call again goes on where it was.
//!
//! A read without room waits for bytes, and takes none. Bytes that were examined without being
//! consumed are read at once. Inherent methods have the names of some of the traits' and win:
//! `AsyncReadExt::read(&mut reader, room)` where `reader.read()` would lend a view.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod adapters;
mod decide;
mod error;
mod finally;
mod flush;
mod framed;
mod gate;
#[cfg(all(test, aqueduct_loom))]
mod gate_models;
mod intake;
mod interrupt;
mod io;
#[cfg(all(test, aqueduct_loom))]
mod models;
mod options;
mod output;
mod placeholder;
mod reader;
mod shared;
mod slot;
mod stats;
#[cfg(all(test, aqueduct_shuttle))]
mod storm;
mod view;
mod writer;

pub use adapters::{CopyError, Duplex, duplex};
pub use error::{
    Cause, OptionsError, PatchError, PipeError, PipeErrorKind, PushError, PushSequenceError,
};
pub use flush::Flush;
pub use framed::{
    Frame, FrameBuilder, FrameError, FrameFault, FramedReader, FramedWriter, Framing, FramingError,
    PipeTooSmall, PushFrameError,
};
pub use interrupt::Interrupter;
pub use io::Blocking;
pub use options::{Options, OptionsBuilder};
pub use placeholder::Placeholder;
pub use reader::Reader;
pub use slot::WriteSlot;
pub use stats::PipeStats;
pub use view::{Read, View};
pub use writer::Writer;

use aqueduct_base::sync::Arc;

/// A pipe: what goes into the writer comes out of the reader. One allocation.
#[must_use]
pub fn pipe(options: Options) -> (Writer, Reader) {
    let shared = Arc::new(shared::Shared::new(options.limits));
    (Writer::new(Arc::clone(&shared), options), Reader::new(shared))
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
