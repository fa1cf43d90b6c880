//! [`Reader`]: the half that bytes come out of.

use crate::{
    Interrupter, Options, PipeError, PipeErrorKind, PipeStats, Read, View,
    error::Cause,
    finally::Finally,
    gate::{CLOSED, END, INTERRUPT, NEVER, NONE, Raiser, Waiter},
    intake::Intake,
    pipe,
    shared::{End, Shared},
};
use aqueduct_base::sync::block_on;
use aqueduct_base::sync::{Arc, twin};
use aqueduct_sequence::Sequence;
use std::{
    error::Error,
    fmt,
    future::poll_fn,
    task::{Context, Poll},
};

/// The reading half of a pipe; see the [crate's page](crate).
///
/// A read lends a [`View`] of all bytes that are flushed and not consumed. Dropping the reader frees
/// them, and tells the writer.
pub struct Reader {
    pub(crate) shared: Arc<Shared>,
    pub(crate) intake: Intake,
    pub(crate) consumed: u64,
    /// Up to where bytes were looked at without success: a read waits for others.
    pub(crate) examined: u64,
    /// What the writer was told of that.
    pub(crate) raised: u64,
    waiter: Waiter,
    pub(crate) raiser: Raiser,
    /// Whether the last read that waited did so for more than any byte that was not examined.
    wishes: bool,
    end: End,
    /// Whether the last item of its stream was the writer's error.
    #[cfg(feature = "stream")]
    pub(crate) told: bool,
}

/// The reader's waits, beside that for the [end](END): for any byte that was not examined, and for so
/// many bytes.
const FRESH: usize = 1;
const ENOUGH: usize = 2;

/// What a read found, before it is lent.
#[derive(Clone, Copy)]
enum Found {
    Data,
    Eof,
    Cancelled,
}

impl Reader {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            intake: Intake::new(),
            consumed: 0,
            examined: 0,
            raised: 0,
            waiter: Waiter::default(),
            raiser: Raiser::default(),
            wishes: false,
            end: End::Dropped,
            #[cfg(feature = "stream")]
            told: false,
        }
    }

    /// Waits for bytes that were not examined yet, and lends all that are not consumed.
    ///
    /// Dropping the future loses nothing.
    ///
    /// ```
    /// use aqueduct_pipe::{PipeError, Read, Reader, View};
    ///
    /// /// The next line, lent with its length; none at the end.
    /// async fn line(mut reader: &mut Reader) -> Result<Option<(View<'_>, usize)>, PipeError> {
    ///     loop {
    ///         let (view, last) = match reader.read().await? {
    ///             Read::Eof(view) => (view, true),
    ///             read => (read.into_view(), false),
    ///         };
    ///         match view.seq().find(b'\n') {
    ///             Some(end) => return Ok(Some((view, end + 1))),
    ///             None if last => return Ok(None),
    ///             None => reader = view.need_more(0),
    ///         }
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// How the writer ended, if it did not finish: after all bytes were examined.
    #[inline]
    pub async fn read(&mut self) -> Result<Read<'_>, PipeError> {
        let found = poll_fn(|context| self.poll_found(context, FRESH, self.fresh())).await?;
        Ok(self.lend(found))
    }

    /// What [`read`](Self::read) polls.
    #[inline]
    pub fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<Result<Read<'_>, PipeError>> {
        let target = self.fresh();
        self.poll_found(context, FRESH, target).map_ok(|found| self.lend(found))
    }

    /// Waits until there are at least `least` bytes that are not consumed, examined or not, and lends
    /// all of them. The writer does not pause meanwhile.
    ///
    /// # Errors
    ///
    /// How the writer ended, if it did not finish and there are fewer: a [`read`](Self::read) still
    /// lends those. [`Full`](PipeErrorKind::Full), if the pipe will never hold so many.
    #[inline]
    pub async fn read_at_least(&mut self, least: usize) -> Result<Read<'_>, PipeError> {
        self.check(least)?;
        let target = self.enough(least);
        let wait = Demand(self);
        let found = poll_fn(|context| wait.0.poll_found(context, ENOUGH, target)).await?;
        drop(wait);
        Ok(self.lend(found))
    }

    /// What [`read_at_least`](Self::read_at_least) polls. Who stops polling reads in another way next, or
    /// the writer goes on until there are so many: whatever lends bytes ends the wait.
    pub fn poll_read_at_least(
        &mut self,
        context: &mut Context<'_>,
        least: usize,
    ) -> Poll<Result<Read<'_>, PipeError>> {
        if let Err(refused) = self.check(least) {
            return Poll::Ready(Err(refused));
        }
        let target = self.enough(least);
        self.poll_found(context, ENOUGH, target).map_ok(|found| self.lend(found))
    }

    /// As [`read`](Self::read), without waiting: none when all bytes were examined.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    #[inline]
    pub fn try_read(&mut self) -> Result<Option<Read<'_>>, PipeError> {
        let target = self.fresh();
        let found = self.found(target).transpose()?;
        Ok(found.map(|found| self.lend(found)))
    }

    /// As [`read`](Self::read), sleeping.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_blocking(&mut self) -> Result<Read<'_>, PipeError> {
        let target = self.fresh();
        self.block(FRESH, target)
    }

    /// As [`read_at_least`](Self::read_at_least), sleeping.
    ///
    /// # Errors
    ///
    /// As [`read_at_least`](Self::read_at_least).
    pub fn read_at_least_blocking(&mut self, least: usize) -> Result<Read<'_>, PipeError> {
        self.check(least)?;
        let target = self.enough(least);
        self.block(ENOUGH, target)
    }

    fn block(&mut self, wait: usize, target: u64) -> Result<Read<'_>, PipeError> {
        let found = match self.found(target) {
            Some(found) => found?,
            None => block_on(|context| self.poll_found(context, wait, target))?,
        };
        Ok(self.lend(found))
    }

    /// The total with which there is a byte that was not examined.
    #[inline(always)]
    fn fresh(&self) -> u64 {
        self.examined + 1
    }

    /// The total with which there are `least` bytes that are not consumed.
    #[inline(always)]
    fn enough(&self, least: usize) -> u64 {
        self.consumed.saturating_add(least as u64).min(NEVER - 1)
    }

    fn check(&self, least: usize) -> Result<(), PipeError> {
        let (asked, limit) = (least as u64, self.shared.limits.most);
        if asked > limit { Err(PipeErrorKind::Full { asked, limit }.into()) } else { Ok(()) }
    }

    #[inline(always)]
    fn lend(&mut self, found: Found) -> Read<'_> {
        if self.wishes {
            self.give_up();
        }
        let view = View::new(self);
        match found {
            Found::Data => Read::Data(view),
            Found::Eof => Read::Eof(view),
            Found::Cancelled => Read::Cancelled(view),
        }
    }

    #[inline(always)]
    fn poll_found(
        &mut self,
        context: &mut Context<'_>,
        wait: usize,
        target: u64,
    ) -> Poll<Result<Found, PipeError>> {
        match self.found(target) {
            Some(found) => Poll::Ready(found),
            None => self.wait(context, wait, target),
        }
    }

    /// What a read finds that need not wait for the total to reach `target`.
    #[inline(always)]
    fn found(&mut self, target: u64) -> Option<Result<Found, PipeError>> {
        let word = self.shared.flushed.load();
        self.intake.follow(word.total(), &self.shared);
        if word.has(CLOSED.and(INTERRUPT)) {
            return self.stopped(target);
        }
        (self.intake.flushed >= target).then_some(Ok(Found::Data))
    }

    #[cold]
    fn stopped(&mut self, target: u64) -> Option<Result<Found, PipeError>> {
        let word = self.shared.flushed.clear(INTERRUPT);
        self.intake.follow(word.total(), &self.shared);
        if word.has(INTERRUPT) {
            return Some(Ok(Found::Cancelled));
        }
        if !word.has(CLOSED) {
            return None;
        }
        self.raiser = Raiser::default(); // nobody is to be woken any more
        self.intake.shed(); // nothing grows any more
        let cause = match &self.shared.ends.lock().writer {
            Some(End::Finished) => return Some(Ok(Found::Eof)),
            Some(End::Failed(cause)) => PipeErrorKind::Failed(Cause::clone(cause)),
            _ => PipeErrorKind::Closed,
        };
        let enough = self.intake.flushed >= target;
        Some(if enough { Ok(Found::Data) } else { Err(cause.into()) })
    }

    #[inline(never)]
    fn wait(
        &mut self,
        context: &mut Context<'_>,
        wait: usize,
        target: u64,
    ) -> Poll<Result<Found, PipeError>> {
        let _ = self.shared.flushed.park(&mut self.waiter, context.waker(), wait, target);
        if let Some(found) = self.found(target).filter(|_| !twin::is("looked_before")) {
            if !twin::is("wish_stays") {
                self.shared.flushed.unpark(&mut self.waiter, wait); // or it would seem to want more
            }
            return Poll::Ready(found);
        }
        // For any byte it waits only when all that is there was examined, and the writer told so.
        let (flushed, told) = (self.intake.flushed, self.raised);
        self.wishes = target > flushed + 1 || flushed > told;
        // Parked first: a writer that lets go of its block later wakes us to let go of it, too.
        self.intake.shed();
        if self.wishes && !twin::is("demand_untold") {
            // What is there does not suffice. The writer is woken whatever it waits for: it may not
            // pause while more is wanted. (It parks at its gate first and looks at ours afterwards,
            // we the other way round, each with a read-modify-write on its gate.) That lasts as long
            // as the wait: nothing was examined, if this is given up.
            self.shared.examined.nudge(NONE);
        }
        Poll::Pending
    }

    /// Gives a wait for so many bytes up, so that they are not taken to be wanted.
    fn give_up(&mut self) {
        self.wishes = false;
        if self.waiter.waits(ENOUGH) {
            self.shared.flushed.unpark(&mut self.waiter, ENOUGH);
        }
    }

    /// Lets go of the block that was read to its end, if the writer has
    /// [let go of it](crate::Writer::release), so that an idle pipe holds no memory. A reader that waits
    /// does so by itself; this is for who has both halves, and waits for something else.
    pub fn release(&mut self) {
        self.intake.shed();
    }

    /// Waits until the writer is gone, finished or not.
    pub async fn closed(&mut self) {
        poll_fn(|context| self.poll_closed(context)).await;
    }

    /// What [`closed`](Self::closed) polls. It stands beside a read: whichever is over wakes the task, in
    /// whatever order they were polled; of several tasks the last one that had to wait.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let word = self.shared.flushed.park(&mut self.waiter, context.waker(), END, NEVER);
        self.intake.shed(); // parked first, as any wait
        if word.has(CLOSED) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ends the pipe with an error, which the writer's flushes get from now on.
    pub fn fail(mut self, error: impl Into<Box<dyn Error + Send + Sync>>) {
        self.end = End::Failed(Cause::from(error.into()));
    }

    /// Bytes that the pipe may hold.
    pub(crate) fn limit(&self) -> u64 {
        self.shared.limits.most
    }

    /// What the pipe has been through. Constant time.
    #[must_use]
    pub fn stats(&self) -> PipeStats {
        self.shared.stats()
    }

    /// A handle that ends this half's waits, from any thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter::new(&self.shared, |shared| &shared.flushed)
    }
}

impl From<Sequence> for Reader {
    /// A reader of just these bytes: their writer has finished. Linear in the number of segments.
    fn from(sequence: Sequence) -> Self {
        let (writer, mut reader) = pipe(Options::default());
        reader.shared.flushed.raise(sequence.len() as u64, NONE, &mut Raiser::default());
        reader.intake.put(sequence);
        writer.finish();
        reader
    }
}

/// A wait for more than any byte. When it is dropped, nothing more is wanted.
struct Demand<'a>(&'a mut Reader);

impl Drop for Demand<'_> {
    fn drop(&mut self) {
        self.0.give_up();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.ends.lock().reader = Some(self.end.clone());
        // Last, and even if an owner of bytes panics: who is told of the end finds nothing held.
        let (examined, raiser) = (&self.shared.examined, &mut self.raiser);
        let _told = Finally(|| examined.raise(0, CLOSED, raiser));
        let _waker = self.shared.flushed.forget();
        let _left = self.shared.inbox.lock().close();
        self.intake.clear();
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("held", &self.intake.list().len())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
