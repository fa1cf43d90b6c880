//! Between a pipe and a byte stream of `std::io`: [`Writer::fill_from_blocking`] and
//! [`Reader::drain_to_blocking`].

use super::common::{LEAST, PIECES, lied};
use crate::{
    Read, Reader, View, Writer,
    io::{at_reader, interrupted},
};
use aqueduct_base::sync::block_on;
use std::{
    io::{self, ErrorKind, IoSlice},
    task::{Context, Poll, Waker},
};

/// The most that is cleared, and so asked for, at once: all of a segment that is not said to be larger.
const MOST: usize = 64 << 10;

impl Writer {
    /// Sleeps while the reader has enough or the pipe is full, reads once from `source` into the pipe's own
    /// memory, and shows that to the reader. Gives how many bytes; zero at the source's end, which is not
    /// passed on: [`finish`](Self::finish) does that.
    ///
    /// The pipe holds a block while the source has nothing. Nothing but the source ends that wait: neither
    /// an [`Interrupter`](crate::Interrupter) nor the reader's end is seen before the next call.
    ///
    /// The room is cleared first, so that a source which claims more than it wrote shows zeros and never what
    /// the block held before; at most 64 KiB at once. For one that is trusted there is [`reserve`](Self::reserve).
    ///
    /// ```
    /// use aqueduct_pipe::{Options, pipe};
    /// use std::{io, thread};
    ///
    /// let (mut writer, mut reader) = pipe(Options::default());
    /// let receiving = thread::spawn(move || {
    ///     let mut from = &[7; 100_000][..]; // or a socket
    ///     while writer.fill_from_blocking(&mut from)? > 0 {}
    ///     writer.finish();
    ///     io::Result::Ok(())
    /// });
    /// let mut to = Vec::new();
    /// while reader.drain_to_blocking(&mut to)? > 0 {}
    /// assert_eq!(to, [7; 100_000]);
    /// receiving.join().unwrap()?;
    /// # io::Result::Ok(())
    /// ```
    ///
    /// # Errors
    ///
    /// The source's, but `Interrupted`, after which it is asked again. `BrokenPipe` when the reader is gone; an
    /// interrupt of this half, and what [`reserve`](Self::reserve) refuses, as the [conversion](io::Error) of
    /// [`PipeError`](crate::PipeError) says. `InvalidData` from a source that answers more than it was asked for.
    pub fn fill_from_blocking<S>(&mut self, source: &mut S) -> io::Result<usize>
    where
        S: io::Read + ?Sized,
    {
        let allowed = block_on(|context| self.poll_room(context))?;
        let size = self.output.size;
        let mut slot = self.reserve(LEAST.min(size / 4).min(allowed))?;
        let len = slot.len().min(MOST);
        let room = &mut slot.room()[..len];
        room.fill(0);
        match until_done(|| source.read(room)) {
            Ok(count) if count > len => Err(lied("source", count, len)),
            Ok(count) if count > 0 => {
                slot.commit(count);
                self.show(count, count == len);
                Ok(count)
            }
            ended => {
                self.let_go(size);
                ended
            }
        }
    }
}

impl Reader {
    /// Sleeps until there are bytes and writes those to `sink`, all segments at once where it takes vectored
    /// writes. Consumes what was written, however little, and gives how many bytes it was; zero at the end.
    /// The sink is flushed whenever the pipe has nothing for it, and at the end, whether the writer finished
    /// or not.
    ///
    /// Nothing is copied here. [`Writer::fill_from_blocking`] has a program.
    ///
    /// # Errors
    ///
    /// The sink's, but `Interrupted`, after which it is asked again; `WriteZero` if it takes nothing,
    /// `InvalidData` if it answers more than it was given. `UnexpectedEof` after all bytes, when the writer did
    /// not finish; an interrupt of this half. What was not written is still there.
    pub fn drain_to_blocking<S>(&mut self, sink: &mut S) -> io::Result<usize>
    where
        S: io::Write + ?Sized,
    {
        let mut context = Context::from_waker(Waker::noop());
        match self.poll_read_at_least(&mut context, 1) {
            Poll::Pending => until_done(|| sink.flush())?,
            // Seen once, so not below.
            Poll::Ready(Ok(Read::Cancelled(_))) => return Err(interrupted()),
            Poll::Ready(_) => {}
        }
        match self.read_at_least_blocking(1) {
            Ok(Read::Data(view) | Read::Eof(view)) if !view.is_empty() => write_out(view, sink),
            Ok(Read::Cancelled(_)) => Err(interrupted()),
            ended => {
                until_done(|| sink.flush())?;
                ended.map(|_| 0).map_err(at_reader)
            }
        }
    }
}

/// Writes once, and consumes what the sink took.
fn write_out<S>(view: View<'_>, sink: &mut S) -> io::Result<usize>
where
    S: io::Write + ?Sized,
{
    let mut pieces = [IoSlice::new(&[]); PIECES];
    let filled = view.seq().fill_io_slices(&mut pieces);
    let pieces = &pieces[..filled];
    let offered = pieces.iter().map(|piece| piece.len()).sum();
    let written = until_done(|| match pieces {
        [piece] => sink.write(piece),
        pieces => sink.write_vectored(pieces),
    });
    match written? {
        0 => Err(ErrorKind::WriteZero.into()),
        count if count > offered => Err(lied("sink", count, offered)),
        count => {
            view.consume(count);
            Ok(count)
        }
    }
}

/// Repeats a call that the system interrupted.
fn until_done<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}
