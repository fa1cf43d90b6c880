//! [`Writer`]: the half that bytes go into.

use crate::{
    Interrupter, Options, PatchError, PipeError, PipeErrorKind, PipeStats, Placeholder, PushError,
    PushSequenceError, WriteSlot,
    error::Cause,
    finally::Finally,
    gate::{CLOSED, NONE, Raiser, Waiter},
    options::Limits,
    output::Output,
    shared::{End, Shared},
};
use aqueduct_base::{
    copy,
    sync::{Arc, atomic::Ordering::Relaxed},
};
use aqueduct_sequence::{Sequence, SequenceRef};
use aqueduct_slice::{Appender, Slice};
use std::{error::Error, fmt, time::Instant};

/// The writing half of a pipe; see the [crate's page](crate).
///
/// What is written is the writer's own until it is flushed: it can be patched or rolled back. A flush
/// shows it to the reader in one step, then waits while the reader has more than
/// [`pause`](crate::OptionsBuilder::pause) bytes to examine.
///
/// Dropping a writer that has not [finished](Self::finish) drops what is not flushed, and is an error
/// at the reader, after what is.
pub struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) output: Output,
    /// Where in the stream the reader must have consumed more for another byte to be allowed.
    until: u64,
    /// The pipe's: each flush asks.
    pub(crate) limits: Limits,
    /// Up to where they are allowed whatever the reader has.
    lifted: u64,
    pub(crate) waiter: Waiter,
    pub(crate) raiser: Raiser,
    /// Since when flushes wait.
    pub(crate) paused: Option<Instant>,
    pub(crate) peak: u64,
    end: End,
    /// Whether the reader was told of the end: nothing is accepted any more.
    pub(crate) over: bool,
}

/// Room that is not worth a segment of its own when more than it is copied.
const SCRAP: usize = 128;

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, options: Options) -> Self {
        let limits = options.limits;
        Self {
            shared,
            output: Output::new(options),
            until: limits.most,
            limits,
            lifted: 0,
            waiter: Waiter::default(),
            raiser: Raiser::default(),
            paused: None,
            peak: 0,
            end: End::Dropped,
            over: false,
        }
    }

    /// Room for at least `least` bytes, and at least one, in one piece: the rest of the open segment,
    /// or a new one.
    ///
    /// # Errors
    ///
    /// [`Full`](PipeErrorKind::Full), [`Memory`](PipeErrorKind::Memory), [`Pool`](PipeErrorKind::Pool); that the reader is gone, when a new
    /// segment is needed.
    #[inline]
    pub fn reserve(&mut self, least: usize) -> Result<WriteSlot<'_>, PipeError> {
        let least = least.max(1);
        let allowed = self.allowed(least)?;
        if self.output.room() < least {
            self.begin(least)?;
        }
        let len = self.output.spare().min(allowed);
        Ok(WriteSlot::new(&mut self.output, len))
    }

    /// Copies `bytes` into the pipe's memory, which the meter counts. Linear.
    ///
    /// It never waits, so there is nothing to await: the result is at hand. Who waits for the reader is
    /// [`flush`](Self::flush), which also shows it the bytes: `writer.write(bytes)?`, then
    /// `writer.flush().await?`.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve). Where memory runs out on the way, some of the bytes are written.
    #[inline]
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), PipeError> {
        self.admit(bytes.len())?;
        if self.output.write(bytes) { Ok(()) } else { self.write_on(bytes) }
    }

    /// Into the rest of the open segment, and on into others.
    #[inline(never)]
    fn write_on(&mut self, mut bytes: &[u8]) -> Result<(), PipeError> {
        while !bytes.is_empty() {
            let spare = self.output.room();
            if spare < bytes.len() && spare < SCRAP {
                self.begin(bytes.len().min(self.output.largest() - Appender::OVERHEAD))?;
            }
            let len = self.output.spare();
            bytes = &bytes[WriteSlot::new(&mut self.output, len).put(bytes)..];
        }
        Ok(())
    }

    /// As [`write`](Self::write), in one piece: of what there is no memory for nothing is written.
    pub(crate) fn write_whole(&mut self, bytes: &[u8]) -> Result<(), PipeError> {
        self.admit(bytes.len())?;
        if !bytes.is_empty() && !self.output.write(bytes) {
            self.reserve(bytes.len())?.put(bytes);
        }
        Ok(())
    }

    /// Sees to it that nothing can fail any more for so many bytes and a sequence behind them, which is
    /// [pushed](Self::push_all) next.
    pub(crate) fn prepare(
        &mut self,
        more: usize,
        sequence: SequenceRef<'_>,
    ) -> Result<(), PipeError> {
        self.admit(more.saturating_add(sequence.len()))?;
        // What is copied has its room in one slot: the bytes now, short slices then.
        let lengths = sequence.segments().map(<[u8]>::len);
        let copied = more + lengths.filter(|len| *len <= Slice::INLINE).sum::<usize>();
        if copied > 0 {
            let _ = self.reserve(copied)?;
        }
        Ok(())
    }

    /// Appends a slice without copying it. (One that would fit [inline](Slice::INLINE) is copied:
    /// a segment of its own is longer than that.) Amortised constant time.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve), with the slice.
    #[inline]
    pub fn push(&mut self, slice: impl Into<Slice>) -> Result<(), PushError> {
        let slice = slice.into();
        let len = slice.len();
        if len > Slice::INLINE && self.output.end.saturating_add(len as u64) <= self.until {
            self.output.push(slice, len);
            return Ok(());
        }
        self.push_apart(slice)
    }

    /// What is short, or perhaps too much.
    #[inline(never)]
    fn push_apart(&mut self, slice: Slice) -> Result<(), PushError> {
        let len = slice.len();
        let short = len <= Slice::INLINE;
        let done = if short { self.write(&slice) } else { self.admit(len) };
        match done {
            Ok(()) if short => Ok(()),
            Ok(()) => {
                self.output.push(slice, len);
                Ok(())
            }
            Err(error) => Err(PushError { slice, error }),
        }
    }

    /// As [`push`](Self::push), for all slices of a sequence. Linear in their number. (The short ones are copied into
    /// room that is made for all of them, in one piece, before the first is taken.)
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve), with the sequence; nothing was written.
    pub fn push_sequence(
        &mut self,
        sequence: impl Into<Sequence>,
    ) -> Result<(), PushSequenceError> {
        let sequence = sequence.into();
        if let Err(error) = self.prepare(0, sequence.as_ref()) {
            return Err(PushSequenceError { sequence, error });
        }
        let _copied = self.push_all(&mut sequence.into_iter());
        Ok(())
    }

    /// Appends slices for which all is [prepared](Self::prepare), and gives those back that were copied and
    /// may have an owner: it may panic, so they are dropped when all is done.
    pub(crate) fn push_all(&mut self, slices: &mut impl Iterator<Item = Slice>) -> Vec<Slice> {
        let mut copied = Vec::new();
        for slice in slices {
            let len = slice.len();
            if len > Slice::INLINE {
                self.output.push(slice, len);
                continue;
            }
            let Ok(()) = self.write(&slice) else {
                unreachable!("the room that is copied to and the limit were seen to before");
            };
            if !slice.is_inline() {
                copied.push(slice);
            }
        }
        copied
    }

    /// Leaves `len` bytes out, to be [filled in](Self::patch) before the flush: a length that is known
    /// only when the rest is written. They are zeros until then.
    ///
    /// ```
    /// use aqueduct_pipe::{Options, pipe};
    ///
    /// let (mut writer, mut reader) = pipe(Options::default());
    /// let length = writer.reserve_prefix(2)?;
    /// writer.write(b"the rest")?;
    /// writer.patch(&length, &8_u16.to_be_bytes())?;
    /// writer.finish();
    /// assert_eq!(reader.read_blocking()?.into_view().seq(), b"\0\x08the rest");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    pub fn reserve_prefix(&mut self, len: usize) -> Result<Placeholder, PipeError> {
        let _ = self.reserve(len)?;
        Ok(self.output.leave_out(len, self.shared.number))
    }

    /// Fills a prefix in. One that was refused can still be.
    ///
    /// # Errors
    ///
    /// [`PatchError`], when the prefix is of another length, was flushed or rolled back, or belongs to
    /// another pipe.
    pub fn patch(&mut self, prefix: &Placeholder, bytes: &[u8]) -> Result<(), PatchError> {
        if prefix.number != self.shared.number {
            return Err(PatchError::Stale);
        }
        let room = self.output.left_out(prefix)?;
        if bytes.len() != prefix.len {
            return Err(PatchError::Length { given: bytes.len(), prefix: prefix.len });
        }
        copy(room, bytes);
        Ok(())
    }

    /// Bytes written and not flushed.
    #[must_use]
    #[inline]
    pub fn unflushed(&self) -> u64 {
        self.output.end - self.output.flushed
    }

    /// Forgets what was written since the last flush.
    pub fn rollback(&mut self) {
        self.output.rollback();
    }

    /// Whether so many more bytes may be buffered.
    #[inline(always)]
    pub(crate) fn admit(&mut self, count: usize) -> Result<(), PipeError> {
        let end = self.output.end.saturating_add(count as u64);
        if end > self.until { self.admit_late(end) } else { Ok(()) }
    }

    /// How many more bytes may be buffered: at least so many.
    #[inline(always)]
    pub(crate) fn allowed(&mut self, least: usize) -> Result<usize, PipeError> {
        self.admit(least)?;
        if self.until - self.output.end < self.output.largest() as u64 {
            // Perhaps more than was known: the reader has gone on since.
            self.admit_late(self.output.end + least as u64)?;
        }
        Ok(usize::try_from(self.until - self.output.end).unwrap_or(usize::MAX))
    }

    /// Lets so many more bytes be written, whatever is buffered, until the limit is
    /// [restored](Self::restore_limit).
    #[cfg(feature = "stream")]
    pub(crate) fn lift_limit(&mut self, more: usize) {
        self.lifted = self.output.end.saturating_add(more as u64);
    }

    #[cfg(feature = "stream")]
    pub(crate) fn restore_limit(&mut self) {
        // What is written next looks for itself what the reader has consumed.
        (self.lifted, self.until) = (0, 0);
    }

    #[cold]
    fn admit_late(&mut self, end: u64) -> Result<(), PipeError> {
        if self.over {
            return Err(PipeErrorKind::Finished.into());
        }
        let (consumed, limit) = (self.shared.consumed().load(Relaxed), self.limits.most);
        self.until = consumed.saturating_add(limit).max(self.lifted);
        if end <= self.until {
            return Ok(());
        }
        Err(PipeErrorKind::Full { asked: end - consumed, limit }.into())
    }

    #[cold]
    fn begin(&mut self, len: usize) -> Result<(), PipeError> {
        if self.shared.examined.load().has(CLOSED) {
            return Err(self.shut());
        }
        self.output.begin(len)
    }

    /// Lets go of the open segment, so that an idle pipe holds no memory: when nothing waits to be
    /// flushed. A reader that waits is woken, to let go of it, too.
    pub fn release(&mut self) {
        let Some((open, known)) = self.output.release() else { return };
        let flushed = &self.shared.flushed;
        // When the block is sealed.
        let _told = known.then(|| Finally(|| flushed.nudge(NONE)));
        drop(open);
    }

    /// Flushes what is written and ends the stream.
    pub fn finish(mut self) {
        self.end = End::Finished;
    }

    /// Ends the stream with an error, which the reader gets after what was flushed. What was not is
    /// dropped.
    pub fn fail(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) {
        self.end = End::Failed(Cause::from(error.into()));
    }

    /// As [`finish`](Self::finish), for those who only borrow this half.
    pub(crate) fn finish_in_place(&mut self) {
        self.end = End::Finished;
        self.conclude();
    }

    /// Tells the reader how this half ended. Of two ends the first counts.
    fn conclude(&mut self) {
        if self.over {
            return;
        }
        (self.over, self.until) = (true, 0);
        let finished = matches!(self.end, End::Finished);
        let by = if finished { self.note_flush() } else { 0 };
        self.shared.ends.lock().writer = Some(self.end.clone());
        // Sealed before the end is seen: the reader then lets go of the last block with its last byte.
        // The end is seen even if an owner of bytes panics.
        let (flushed, raiser) = (&self.shared.flushed, &mut self.raiser);
        let _told = Finally(|| flushed.raise(by, CLOSED, raiser));
        if finished {
            self.output.publish(&self.shared);
        }
        self.output.clear();
    }

    /// Lets go of everything that no reader will ever see, and says why.
    #[cold]
    pub(crate) fn shut(&mut self) -> PipeError {
        self.output.clear();
        match &self.shared.ends.lock().reader {
            Some(End::Failed(cause)) => PipeErrorKind::Failed(Cause::clone(cause)).into(),
            _ => PipeErrorKind::Closed.into(),
        }
    }

    /// Bytes that the pipe may hold.
    pub(crate) fn limit(&self) -> u64 {
        self.limits.most
    }

    /// What the pipe has been through. Constant time.
    #[must_use]
    pub fn stats(&self) -> PipeStats {
        self.shared.stats()
    }

    /// A handle that ends this half's waits, from any thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter::new(&self.shared, |shared| &shared.examined)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Dropped last: that is the user's code.
        let _waker = self.shared.examined.forget();
        self.conclude();
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("unflushed", &self.unflushed())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
