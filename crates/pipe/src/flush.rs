//! Flushing: when it waits for the reader, and the writer's other waits.

use crate::{
    PipeError, PipeErrorKind, Writer,
    finally::Finally,
    gate::{CLOSED, END, INTERRUPT, NEVER, NONE, Raiser},
};
use aqueduct_base::sync::{
    atomic::Ordering::{Acquire, Relaxed},
    block_on, twin,
};
use std::{
    future::poll_fn,
    task::{Context, Poll},
    time::Instant,
};

/// The writer's waits, beside that for the [end](END).
const RESUMED: usize = 1;
const DRAINED: usize = 2;
const ROOM: usize = 3;

/// How a flush ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flush {
    /// The reader wants more.
    Done,
    /// An [`Interrupter`](crate::Interrupter) ended the wait. The bytes are flushed.
    Cancelled,
}

impl Writer {
    /// Shows what is written to the reader, and waits while it has enough. With nothing new it only
    /// waits.
    ///
    /// Dropping the future loses nothing: the bytes are flushed when it is first polled, and the
    /// next flush goes on waiting.
    ///
    /// # Errors
    ///
    /// That the reader is gone, and why. What is not flushed is dropped then.
    #[inline]
    pub async fn flush(&mut self) -> Result<Flush, PipeError> {
        poll_fn(|context| self.poll_flush(context)).await
    }

    /// What [`flush`](Self::flush) polls.
    #[inline]
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<Flush, PipeError>> {
        self.publish();
        match self.settled() {
            Some(done) => Poll::Ready(done),
            None => self.poll_resumed(context),
        }
    }

    /// Shows what is written to the reader without waiting; none when the reader has enough.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    #[inline]
    pub fn try_flush(&mut self) -> Result<Option<Flush>, PipeError> {
        self.publish();
        self.settled().transpose()
    }

    /// As [`flush`](Self::flush), sleeping.
    ///
    /// # Errors
    ///
    /// As [`flush`](Self::flush).
    pub fn flush_blocking(&mut self) -> Result<Flush, PipeError> {
        match self.try_flush()? {
            Some(done) => Ok(done),
            None => block_on(|context| self.poll_flush(context)),
        }
    }

    #[inline(always)]
    pub(crate) fn publish(&mut self) {
        if self.output.end == self.output.flushed {
            return;
        }
        if !self.output.goes_on() {
            return self.publish_apart();
        }
        let by = self.note_flush();
        self.output.publish_on();
        self.shared.flushed.raise(by, NONE, &mut self.raiser);
    }

    /// Publishes what may let go of blocks and slices, and raises the total even if that panics.
    #[inline(never)]
    fn publish_apart(&mut self) {
        let by = self.note_flush();
        let (flushed, raiser) = (&self.shared.flushed, &mut self.raiser);
        let _told = Finally(|| flushed.raise(by, NONE, raiser));
        self.output.publish(&self.shared);
    }

    /// Takes note of how much will be buffered, and says how many bytes are to be flushed.
    #[inline(always)]
    pub(crate) fn note_flush(&mut self) -> u64 {
        let buffered = self.output.end - self.shared.consumed().load(Relaxed);
        if buffered > self.peak {
            self.peak = buffered;
            self.shared.tally.peak.store(buffered, Relaxed);
        }
        self.unflushed()
    }

    /// How a flush ends that need not wait.
    #[inline(always)]
    fn settled(&mut self) -> Option<Result<Flush, PipeError>> {
        let word = self.shared.examined.load();
        if word.has(CLOSED.and(INTERRUPT)) {
            return Some(self.stopped());
        }
        let waiting = self.output.flushed - word.total();
        let limits = &self.limits;
        let enough = waiting >= if self.paused.is_none() { limits.pause } else { limits.resume };
        if enough || self.paused.is_some() { self.pace(enough) } else { Some(Ok(Flush::Done)) }
    }

    #[cold]
    fn stopped(&mut self) -> Result<Flush, PipeError> {
        if self.shared.examined.load().has(CLOSED) {
            self.raiser = Raiser::default(); // nobody is to be woken any more
            return Err(self.shut());
        }
        self.shared.examined.clear(INTERRUPT);
        Ok(Flush::Cancelled)
    }

    /// Begins or ends a pause.
    #[cold]
    fn pace(&mut self, enough: bool) -> Option<Result<Flush, PipeError>> {
        // A reader that waits for more than there is must get it, however much that is.
        let pause = enough && !self.shared.flushed.is_wanting();
        let tally = &self.shared.tally;
        match self.paused {
            None if pause => {
                self.paused = Some(Instant::now());
                tally.pauses.store(tally.pauses.load(Relaxed) + 1, Relaxed);
            }
            Some(since) if !pause => {
                let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
                let sum = tally.paused_nanos.load(Relaxed).saturating_add(nanos);
                tally.paused_nanos.store(sum, Relaxed);
                self.paused = None;
            }
            _ => {}
        }
        (!pause).then_some(Ok(Flush::Done))
    }

    #[cold]
    fn poll_resumed(&mut self, context: &mut Context<'_>) -> Poll<Result<Flush, PipeError>> {
        // Fewer than `resume` are left when all but so many are examined.
        let target = (self.output.flushed + 1).saturating_sub(self.limits.resume);
        self.poll_parked(context, (RESUMED, target), Self::settled)
    }

    /// Parks, and looks again for what was not there: what comes later wakes. (A reader that wants more
    /// parks first, too, and wakes us then.)
    fn poll_parked(
        &mut self,
        context: &mut Context<'_>,
        (wait, target): (usize, u64),
        look: impl Fn(&mut Self) -> Option<Result<Flush, PipeError>>,
    ) -> Poll<Result<Flush, PipeError>> {
        let _ = self.shared.examined.park(&mut self.waiter, context.waker(), wait, target);
        let found = if twin::is("looked_before") { None } else { look(self) };
        let Some(done) = found else { return Poll::Pending };
        self.shared.examined.unpark(&mut self.waiter, wait);
        Poll::Ready(done)
    }

    /// Waits until all that is flushed is consumed.
    ///
    /// # Errors
    ///
    /// That the reader is gone, and why.
    pub async fn drained(&mut self) -> Result<Flush, PipeError> {
        poll_fn(|context| self.poll_drained(context)).await
    }

    /// What [`drained`](Self::drained) polls.
    pub fn poll_drained(&mut self, context: &mut Context<'_>) -> Poll<Result<Flush, PipeError>> {
        let target = self.output.flushed;
        self.poll_consumed(context, DRAINED, move |writer| writer.consumed(target))
    }

    /// Waits until `count` more bytes fit under [`max_buffered`](crate::OptionsBuilder::max_buffered):
    /// what makes room is that the reader consumes, not that it examines. Flushes nothing.
    ///
    /// ```
    /// use aqueduct_pipe::{Options, Read, pipe};
    ///
    /// let (mut writer, mut reader) = pipe(Options::builder().max_buffered(100).build()?);
    /// writer.write(&[1; 80])?;
    /// writer.try_flush()?;
    /// assert!(writer.write(&[2; 50]).is_err());
    /// let reading = std::thread::spawn(move || {
    ///     reader.read_blocking().unwrap().into_view().consume(30);
    ///     reader
    /// });
    /// writer.ready_blocking(50)?;
    /// writer.write(&[2; 50])?;
    /// # reading.join().unwrap();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Full`](PipeErrorKind::Full), if they do not fit beside what is not flushed, whatever the
    /// reader does, or if it keeps all there is and waits for more itself. That it is gone, and why.
    pub async fn ready(&mut self, count: usize) -> Result<Flush, PipeError> {
        poll_fn(|context| self.poll_ready(context, count)).await
    }

    /// What [`ready`](Self::ready) polls.
    pub fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
        count: usize,
    ) -> Poll<Result<Flush, PipeError>> {
        if self.over {
            return Poll::Ready(Err(PipeErrorKind::Finished.into()));
        }
        let (asked, limit) = (self.unflushed().saturating_add(count as u64), self.limit());
        if asked > limit {
            return Poll::Ready(Err(PipeErrorKind::Full { asked, limit }.into()));
        }
        let end = self.output.end.saturating_add(count as u64);
        let target = end.saturating_sub(limit);
        self.poll_consumed(context, ROOM, move |writer| {
            writer.consumed(target).or_else(|| writer.kept(target, end))
        })
    }

    /// As [`ready`](Self::ready), sleeping.
    ///
    /// # Errors
    ///
    /// As [`ready`](Self::ready).
    pub fn ready_blocking(&mut self, count: usize) -> Result<Flush, PipeError> {
        block_on(|context| self.poll_ready(context, count))
    }

    /// Waits for what `look` finds only when the reader has consumed.
    fn poll_consumed(
        &mut self,
        context: &mut Context<'_>,
        wait: usize,
        look: impl Fn(&mut Self) -> Option<Result<Flush, PipeError>>,
    ) -> Poll<Result<Flush, PipeError>> {
        match look(self) {
            Some(done) => Poll::Ready(done),
            // Consuming raises the gate even where all was examined before, and every raise wakes this.
            None => self.poll_parked(context, (wait, 0), look),
        }
    }

    /// How the wait ends until so much of the stream is consumed, if it does.
    fn consumed(&mut self, target: u64) -> Option<Result<Flush, PipeError>> {
        let word = self.shared.examined.load();
        if self.shared.consumed().load(Acquire) >= target {
            return Some(Ok(Flush::Done));
        }
        word.has(CLOSED.and(INTERRUPT)).then(|| self.stopped())
    }

    /// How it ends for room up to `end` where the reader keeps all there is, or wants more.
    fn kept(&self, target: u64, end: u64) -> Option<Result<Flush, PipeError>> {
        let shared = &self.shared;
        // Who has examined all has consumed before what it does not keep.
        let examined = shared.examined.load().total() >= self.output.flushed;
        if !examined && !shared.flushed.is_wanting() {
            return None;
        }
        let consumed = shared.consumed().load(Acquire);
        let full = PipeErrorKind::Full { asked: end - consumed, limit: self.limit() };
        Some(if consumed >= target { Ok(Flush::Done) } else { Err(full.into()) })
    }

    /// Waits until the reader is gone.
    pub async fn closed(&mut self) {
        poll_fn(|context| self.poll_closed(context)).await;
    }

    /// What [`closed`](Self::closed) polls. It stands beside this half's other waits: whichever is over
    /// wakes the task, in whatever order they were polled; of several tasks the last one that had to wait.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let waker = context.waker();
        let word = self.shared.examined.park(&mut self.waiter, waker, END, NEVER);
        if word.has(CLOSED) { Poll::Ready(()) } else { Poll::Pending }
    }
}
