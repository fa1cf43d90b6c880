//! [`Blocking`]: the halves as std's readers and writers.

use crate::{PipeError, PipeErrorKind, PushError, PushSequenceError, Read, Reader, Writer};
use aqueduct_base::copy;
use aqueduct_base::sync::block_on;
use std::io;

/// A half of a pipe as a reader or writer of `std::io`, for what knows nothing else. Sleeps where the
/// half would wait; the half itself is within.
///
/// ```
/// use aqueduct_pipe::{Blocking, Options, pipe};
/// use std::io::{BufRead, Write};
///
/// let (writer, reader) = pipe(Options::default());
/// std::thread::spawn(move || {
///     let mut writer = Blocking(writer);
///     writeln!(writer, "one\ntwo").unwrap();
///     writer.0.finish();
/// });
/// let lines: Result<Vec<_>, _> = Blocking(reader).lines().collect();
/// assert_eq!(lines.unwrap(), ["one", "two"]);
/// ```
#[derive(Debug)]
pub struct Blocking<Half>(pub Half);

impl From<PipeError> for io::Error {
    /// The pipe's error is what the other one wraps. Its kind is:
    ///
    /// * `BrokenPipe` where the other half is gone, or this one has finished
    /// * that of the cause where the other half failed with an `io::Error`, else `Other`; also for a cause
    ///   that means "try again", which would be tried for ever
    /// * `QuotaExceeded` at [`max_buffered`](crate::OptionsBuilder::max_buffered), `OutOfMemory` where
    ///   memory is out or the pool is at its hard limit
    /// * `Other` for an interrupt: whoever sees `Interrupted` tries again and tells nobody
    fn from(error: PipeError) -> Self {
        Self::new(kind(&error), error)
    }
}

impl From<PushError> for io::Error {
    /// That of its [`PipeError`](#impl-From<PipeError>-for-Error); the slice is dropped.
    fn from(refused: PushError) -> Self {
        refused.error.into()
    }
}

impl From<PushSequenceError> for io::Error {
    /// That of its [`PipeError`](#impl-From<PipeError>-for-Error); the sequence is dropped.
    fn from(refused: PushSequenceError) -> Self {
        refused.error.into()
    }
}

/// The kind of the conversion.
pub(crate) fn kind(error: &PipeError) -> io::ErrorKind {
    match error.kind() {
        PipeErrorKind::Closed | PipeErrorKind::Finished => io::ErrorKind::BrokenPipe,
        PipeErrorKind::Full { .. } => io::ErrorKind::QuotaExceeded,
        PipeErrorKind::Memory(_) | PipeErrorKind::Pool(_) => io::ErrorKind::OutOfMemory,
        PipeErrorKind::Failed(cause) => match cause.downcast_ref().map(io::Error::kind) {
            // The system's for the other half's call, and over. Of this one they would say that it
            // is worth repeating.
            None | Some(io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock) => {
                io::ErrorKind::Other
            }
            Some(kind) => kind,
        },
        PipeErrorKind::Interrupted => io::ErrorKind::Other,
    }
}

/// The same at the reader: a writer that did not finish is a stream cut short.
pub(crate) fn kind_at_reader(error: &PipeError) -> io::ErrorKind {
    match error.kind() {
        PipeErrorKind::Closed => io::ErrorKind::UnexpectedEof,
        _ => kind(error),
    }
}

pub(crate) fn at_reader(refused: PipeError) -> io::Error {
    io::Error::new(kind_at_reader(&refused), refused)
}

pub(crate) fn interrupted() -> io::Error {
    PipeError::from(PipeErrorKind::Interrupted).into()
}

impl io::BufRead for Blocking<Reader> {
    /// Empty at the end. An error that wraps [`PipeErrorKind::Interrupted`] by an
    /// [`Interrupter`](crate::Interrupter); `UnexpectedEof` after all bytes, where the writer did not
    /// finish.
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        // What is left over was perhaps examined, and is there all the same.
        if let Read::Cancelled(_) = self.0.read_at_least_blocking(1).map_err(at_reader)? {
            return Err(interrupted());
        }
        Ok(self.0.intake.list().as_ref().first())
    }

    fn consume(&mut self, count: usize) {
        self.0.consume(count);
    }
}

impl io::Read for Blocking<Reader> {
    /// Copies from what there is, which the meter counts. An empty `to` waits for bytes, too, and reads
    /// none.
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let from = io::BufRead::fill_buf(self)?;
        let count = from.len().min(to.len());
        copy(&mut to[..count], &from[..count]);
        self.0.consume(count);
        Ok(count)
    }
}

impl io::Write for Blocking<Writer> {
    /// Copies as much as [`max_buffered`](crate::OptionsBuilder::max_buffered) allows, and flushes:
    /// sleeps while the reader has enough. (An [`Interrupter`](crate::Interrupter) ends that sleep, and
    /// is no error: the bytes are flushed.)
    ///
    /// In a full pipe it first sleeps until there is room. An interrupt is an error then: no byte
    /// was taken. `QuotaExceeded` where the reader has looked at all bytes and keeps them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let room = match self.0.allowed(1) {
            Ok(room) => room,
            Err(_) => block_on(|context| self.0.poll_room(context))?,
        };
        let count = room.min(bytes.len());
        self.0.write(&bytes[..count])?;
        io::Write::flush(self)?;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush_blocking()?;
        Ok(())
    }
}
