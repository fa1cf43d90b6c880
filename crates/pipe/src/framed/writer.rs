//! [`FramedWriter`]: the writing half, frame by frame.

use super::{FrameBuilder, FrameError, FrameFault, Framing, PipeTooSmall, PushFrameError};
use crate::{Flush, PipeError, Writer};
use aqueduct_base::copy;
use aqueduct_sequence::{Sequence, SequenceRef};
use std::{
    error::Error,
    fmt,
    task::{Context, Poll},
};

/// Writes frames to a pipe. What a frame is refused for is found before any of it is written.
///
/// Three ways: [`write`](Self::write) copies, [`push`](Self::push) hands over, and
/// [`begin`](Self::begin) fills the pipe's own memory in place, for a length that is known only at the
/// end. As with a [`Writer`], the reader sees them with the next flush.
///
/// ```
/// use aqueduct_pipe::{FramedWriter, Framing, Options, pipe};
///
/// let (writer, mut reader) = pipe(Options::default());
/// let mut lines = FramedWriter::new(writer, Framing::delimited("\n", 1000)?)?;
/// lines.write(b"copied")?;
/// lines.push(vec![b'x'; 500])?; // handed over
/// let refused = lines.write(b"two\nlines").expect_err("it has a delimiter in it");
/// assert_eq!(lines.position(), 6 + 500 + 2, "nothing of {refused} was written");
/// lines.finish();
/// assert!(reader.read_blocking()?.into_view().seq().starts_with(b"copied\nxxx"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FramedWriter {
    pub(crate) writer: Writer,
    pub(super) framing: Framing,
    /// Where in the stream the next frame begins.
    pub(super) position: u64,
    /// Whether a frame is begun. Where a builder was forgotten it stays so, until whatever is done
    /// next takes that frame back.
    pub(super) begun: bool,
}

impl FramedWriter {
    /// Writes frames from where the writer is.
    ///
    /// # Errors
    ///
    /// [`PipeTooSmall`], when the pipe may not hold the largest frame.
    pub fn new(writer: Writer, framing: Framing) -> Result<Self, PipeTooSmall<Writer>> {
        let (need, limit) = (framing.largest() as u64, writer.limit());
        if need > limit {
            return Err(PipeTooSmall { half: Box::new(writer), need, limit });
        }
        Ok(Self { writer, framing, position: 0, begun: false })
    }

    /// Copies a frame into one piece of the pipe's memory, which the meter counts. Linear.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; nothing was written.
    pub fn write(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        let _ = self.settled();
        let written = self.framing.check(SequenceRef::from(frame)).and_then(|()| self.put(frame));
        self.written(written)
    }

    /// Hands a frame over, a slice or many, without copying. (Slices that would fit
    /// [inline](aqueduct_slice::Slice::INLINE) are copied: a segment of its own is longer than that.) Linear in the
    /// number of slices, and with a delimiter in the number of bytes, which are searched for it.
    ///
    /// # Errors
    ///
    /// [`FrameError`], with the frame; nothing was written.
    pub fn push(&mut self, frame: impl Into<Sequence>) -> Result<(), PushFrameError> {
        let frame = frame.into();
        let _ = self.settled();
        let bytes = frame.as_ref();
        let prepared = self.framing.check(bytes).and_then(|()| self.prepare(bytes));
        let total = match prepared {
            Ok(total) => total,
            Err(fault) => return Err(PushFrameError { frame, error: self.refuse(fault) }),
        };
        // Taken apart before a byte is written, and dropped when all are: owners may panic.
        let (len, mut slices) = (frame.len(), frame.into_iter());
        let written = self.put_head(len).and_then(|()| {
            let copied = self.writer.push_all(&mut slices);
            // Nothing is no copy, and would be counted as one.
            if !self.framing.tail().is_empty() {
                self.writer.write(self.framing.tail())?;
            }
            Ok(copied)
        });
        let Ok(_copied) = written else {
            unreachable!("the room that is copied to and the limit were seen to before");
        };
        self.position += total as u64;
        Ok(())
    }

    /// As [`push`](Self::push), whatever the pipe holds already.
    #[cfg(feature = "stream")]
    pub(crate) fn push_beyond(&mut self, frame: Sequence) -> Result<(), FrameError> {
        let total = self.framing.overhead().saturating_add(frame.len());
        self.writer.lift_limit(total);
        let pushed = self.push(frame);
        self.writer.restore_limit();
        Ok(pushed?)
    }

    /// Begins a frame of unknown length: its prefix is left out, and filled in at the end.
    ///
    /// Frames written before are shown to the reader, as by [`try_flush`](Self::try_flush), so that
    /// this one can be taken back alone.
    ///
    /// # Errors
    ///
    /// [`FrameFault::Whole`] where frames are delimited, or the pipe's own error.
    pub fn begin(&mut self) -> Result<FrameBuilder<'_>, FrameError> {
        FrameBuilder::new(self)
    }

    /// The pipe's writer, without a frame that was begun and neither ended nor taken back.
    #[inline]
    pub(crate) fn settled(&mut self) -> &mut Writer {
        if self.begun {
            self.take_back();
        }
        &mut self.writer
    }

    /// Forgets the frame that was begun: all that is not flushed.
    #[cold]
    fn take_back(&mut self) {
        self.begun = false;
        self.writer.rollback();
    }

    /// Writes a frame that was checked, in one step.
    fn put(&mut self, frame: &[u8]) -> Result<usize, FrameFault> {
        let (tail, len) = (self.framing.tail(), frame.len());
        let head = self.framing.head_len(len);
        let (body, total) = (head + len, head + len + tail.len());
        let mut slot = self.writer.reserve(total)?;
        let room = slot.room();
        let _ = self.framing.head(len, 0, room); // of the length that was asked for
        copy(&mut room[head..body], frame);
        if !tail.is_empty() {
            copy(&mut room[body..total], tail);
        }
        slot.commit(total);
        Ok(total)
    }

    /// Writes the prefix of a frame of so many bytes, for which there is room.
    fn put_head(&mut self, len: usize) -> Result<(), PipeError> {
        let head = self.framing.head_len(len);
        if head > 0 {
            let mut slot = self.writer.reserve(head)?;
            let _ = self.framing.head(len, 0, slot.room()); // of the length that was asked for
            slot.commit(head);
        }
        Ok(())
    }

    /// Sees to it that nothing can fail any more for a frame that was checked.
    fn prepare(&mut self, frame: SequenceRef<'_>) -> Result<usize, FrameFault> {
        let (tail, len) = (self.framing.tail().len(), frame.len());
        let head = self.framing.head_len(len);
        let total = head + len + tail;
        self.writer.prepare(head + tail, frame)?;
        Ok(total)
    }

    /// Takes note of a frame of so many bytes.
    fn written(&mut self, written: Result<usize, FrameFault>) -> Result<(), FrameError> {
        let total = written.map_err(|fault| self.refuse(fault))?;
        self.position += total as u64;
        Ok(())
    }

    pub(crate) fn refuse(&self, fault: impl Into<FrameFault>) -> FrameError {
        FrameError::new(self.position, fault)
    }

    /// As [`Writer::flush`].
    ///
    /// # Errors
    ///
    /// As [`Writer::flush`].
    pub async fn flush(&mut self) -> Result<Flush, PipeError> {
        self.settled().flush().await
    }

    /// As [`Writer::poll_flush`].
    pub fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<Result<Flush, PipeError>> {
        self.settled().poll_flush(context)
    }

    /// As [`Writer::try_flush`].
    ///
    /// # Errors
    ///
    /// As [`Writer::flush`].
    pub fn try_flush(&mut self) -> Result<Option<Flush>, PipeError> {
        self.settled().try_flush()
    }

    /// As [`Writer::flush_blocking`].
    ///
    /// # Errors
    ///
    /// As [`Writer::flush`].
    pub fn flush_blocking(&mut self) -> Result<Flush, PipeError> {
        self.settled().flush_blocking()
    }

    /// As [`Writer::drained`]: waits until all that is flushed is consumed. So a
    /// [`Full`](crate::PipeErrorKind::Full) pipe is waited for: flush, and wait for this.
    ///
    /// # Errors
    ///
    /// As [`Writer::drained`].
    pub async fn drained(&mut self) -> Result<Flush, PipeError> {
        self.writer.drained().await
    }

    /// As [`Writer::poll_drained`].
    pub fn poll_drained(&mut self, context: &mut Context<'_>) -> Poll<Result<Flush, PipeError>> {
        self.writer.poll_drained(context)
    }

    /// As [`Writer::closed`].
    pub async fn closed(&mut self) {
        self.writer.closed().await;
    }

    /// As [`Writer::poll_closed`].
    pub fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.writer.poll_closed(context)
    }

    /// As [`Writer::release`]: an idle connection then holds no block.
    pub fn release(&mut self) {
        self.settled().release();
    }

    /// As [`Writer::finish`].
    pub fn finish(self) {
        self.into_inner().finish();
    }

    /// As [`Writer::fail`].
    pub fn fail(self, error: impl Into<Box<dyn Error + Send + Sync>>) {
        self.writer.fail(error);
    }

    /// Where in the stream the next frame begins: in bytes from where framing began.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The pipe's writer, for its statistics and interrupters.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// The pipe's writer, behind the last frame.
    #[must_use]
    pub fn into_inner(mut self) -> Writer {
        let _ = self.settled();
        self.writer
    }
}

impl fmt::Debug for FramedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FramedWriter")
            .field("position", &self.position)
            .field("writer", &self.writer)
            .finish_non_exhaustive()
    }
}
