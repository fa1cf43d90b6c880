//! [`FramedReader`]: the reading half, frame by frame.

use super::{
    Frame, FrameError, Framing, PipeTooSmall,
    cut::{Cut, Cutter, Look},
};
use crate::Reader;
use aqueduct_sequence::SequenceRef;
use std::{
    error::Error,
    fmt,
    task::{Context, Poll, ready},
};

/// Reads a pipe frame by frame, without copying.
///
/// [`next`](Self::next) gives a [`Frame`] of one's own; [`lend`](Self::lend) lends one where it is,
/// which costs no handle, until the next call.
///
/// A frame may be larger than what makes the writer [pause](crate::OptionsBuilder::pause): while one
/// is waited for, the writer goes on. After an [error](FrameError) the frame is still in the pipe;
/// who knows what to do with it takes the reader [back](Self::into_inner).
///
/// ```
/// use aqueduct_pipe::{FramedReader, FramedWriter, Framing, Options, pipe};
/// use aqueduct_sequence::Prefix;
///
/// let (writer, reader) = pipe(Options::default());
/// let framing = Framing::prefixed(Prefix::U16Be, 1000)?;
/// let mut writer = FramedWriter::new(writer, framing.clone())?;
/// let mut reader = FramedReader::new(reader, framing)?;
///
/// writer.write(b"copied")?;
/// writer.push(vec![7; 500])?; // handed over
/// writer.finish();
///
/// let mut lengths = Vec::new();
/// while let Some(frame) = reader.lend_blocking()? {
///     lengths.push(frame.len());
/// }
/// assert_eq!(lengths, [6, 500]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FramedReader {
    reader: Reader,
    cutter: Cutter,
    /// The frame that is lent: consumed before the next one is looked for.
    lent: Option<Cut>,
    /// Whether the last item of its stream was an error that stays.
    #[cfg(feature = "stream")]
    pub(crate) told: bool,
}

impl FramedReader {
    /// Reads frames from where the reader is.
    ///
    /// # Errors
    ///
    /// [`PipeTooSmall`], when the pipe may not hold the largest frame.
    pub fn new(reader: Reader, framing: Framing) -> Result<Self, PipeTooSmall<Reader>> {
        let (need, limit) = (framing.largest() as u64, reader.limit());
        if need > limit {
            return Err(PipeTooSmall { half: Box::new(reader), need, limit });
        }
        Ok(Self {
            reader,
            cutter: Cutter::new(framing),
            lent: None,
            #[cfg(feature = "stream")]
            told: false,
        })
    }

    /// Waits for the next frame, and takes it out; none at the end.
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// [`FrameError`], with every later call again but for an interrupt; frames before it are read
    /// first.
    pub async fn next(&mut self) -> Result<Option<Frame>, FrameError> {
        let found = self.find().await?;
        Ok(found.map(|cut| self.take(cut)))
    }

    /// What [`next`](Self::next) polls. Who stops polling for a frame and never reads again lets the
    /// writer go on until it is there.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Frame>, FrameError>> {
        let found = ready!(self.poll_find(cx))?;
        Poll::Ready(Ok(found.map(|cut| self.take(cut))))
    }

    /// As [`next`](Self::next), sleeping.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn next_blocking(&mut self) -> Result<Option<Frame>, FrameError> {
        let found = self.find_blocking()?;
        Ok(found.map(|cut| self.take(cut)))
    }

    /// Waits for the next frame, and lends it where it is; none at the end. It is consumed with the
    /// next call, or with [`into_inner`](Self::into_inner).
    ///
    /// Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn lend(&mut self) -> Result<Option<SequenceRef<'_>>, FrameError> {
        let found = self.find().await?;
        Ok(found.map(|cut| self.show(cut)))
    }

    /// What [`lend`](Self::lend) polls; see [`poll_next`](Self::poll_next).
    pub fn poll_lend(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<SequenceRef<'_>>, FrameError>> {
        let found = ready!(self.poll_find(context))?;
        Poll::Ready(Ok(found.map(|cut| self.show(cut))))
    }

    /// As [`lend`](Self::lend), sleeping.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn lend_blocking(&mut self) -> Result<Option<SequenceRef<'_>>, FrameError> {
        let found = self.find_blocking()?;
        Ok(found.map(|cut| self.show(cut)))
    }

    async fn find(&mut self) -> Result<Option<Cut>, FrameError> {
        self.settle();
        loop {
            let read = self.reader.read_at_least(self.cutter.need).await;
            match self.cutter.look(read)? {
                Look::Frame(cut) => return Ok(Some(cut)),
                Look::End => return Ok(None),
                Look::Wait => {}
            }
        }
    }

    fn poll_find(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Cut>, FrameError>> {
        self.settle();
        loop {
            let read = ready!(self.reader.poll_read_at_least(context, self.cutter.need));
            match self.cutter.look(read)? {
                Look::Frame(cut) => return Poll::Ready(Ok(Some(cut))),
                Look::End => return Poll::Ready(Ok(None)),
                Look::Wait => {}
            }
        }
    }

    fn find_blocking(&mut self) -> Result<Option<Cut>, FrameError> {
        self.settle();
        loop {
            let read = self.reader.read_at_least_blocking(self.cutter.need);
            match self.cutter.look(read)? {
                Look::Frame(cut) => return Ok(Some(cut)),
                Look::End => return Ok(None),
                Look::Wait => {}
            }
        }
    }

    /// Consumes the frame that was lent.
    fn settle(&mut self) {
        if let Some(cut) = self.lent.take() {
            self.cutter.pass(cut.len());
            self.reader.consume(cut.len()); // an owner may panic
        }
    }

    fn take(&mut self, cut: Cut) -> Frame {
        self.cutter.pass(cut.len());
        let mut rest = Rest { reader: &mut self.reader, len: cut.len() };
        rest.pass(cut.head, Reader::consume);
        let body = rest.pass(cut.body, Reader::take);
        drop(rest); // here: if it panicked behind the return, the frame would leak
        Frame::from(body)
    }

    fn show(&mut self, cut: Cut) -> SequenceRef<'_> {
        self.lent = Some(cut);
        self.bytes(cut)
    }

    fn bytes(&self, cut: Cut) -> SequenceRef<'_> {
        self.reader.intake.list().as_ref_up_to(cut.head + cut.body).slice(cut.head..)
    }

    /// The frame that is lent, once more: for a function that finds one in a loop and returns it, which
    /// the borrow checker takes from here only.
    ///
    /// ```
    /// # use aqueduct_pipe::{FrameError, FramedReader};
    /// # use aqueduct_sequence::SequenceRef;
    /// /// The next frame that says something.
    /// async fn news(reader: &mut FramedReader) -> Result<Option<SequenceRef<'_>>, FrameError> {
    ///     while reader.lend().await?.is_some_and(SequenceRef::is_empty) {}
    ///     Ok(reader.lent())
    /// }
    /// ```
    #[must_use]
    pub fn lent(&self) -> Option<SequenceRef<'_>> {
        self.lent.map(|cut| self.bytes(cut))
    }

    /// As [`Reader::closed`]. A frame that is lent is consumed, as with every next call.
    pub async fn closed(&mut self) {
        self.settle();
        self.reader.closed().await;
    }

    /// What [`closed`](Self::closed) polls.
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.settle();
        self.reader.poll_closed(context)
    }

    /// As [`Reader::fail`].
    pub fn fail(self, error: impl Into<Box<dyn Error + Send + Sync>>) {
        self.reader.fail(error);
    }

    /// Where the next frame begins, prefix included: in bytes from where framing began. A frame that
    /// is lent still counts as the next one.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.cutter.position
    }

    /// The pipe's reader, for its statistics and interrupters.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// The pipe's reader, where the next frame begins: behind one that is lent, before one that was
    /// refused.
    #[must_use]
    pub fn into_inner(mut self) -> Reader {
        self.settle();
        self.reader
    }
}

/// What is left of a frame that is taken out. Dropped, it is consumed: whatever owner panics, the next
/// frame begins behind this one.
struct Rest<'a> {
    reader: &'a mut Reader,
    len: usize,
}

impl Rest<'_> {
    fn pass<T>(&mut self, count: usize, how: impl FnOnce(&mut Reader, usize) -> T) -> T {
        self.len -= count;
        how(self.reader, count)
    }
}

impl Drop for Rest<'_> {
    fn drop(&mut self) {
        self.reader.consume(self.len);
    }
}

impl fmt::Debug for FramedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FramedReader")
            .field("position", &self.position())
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}
