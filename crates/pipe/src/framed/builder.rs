//! [`FrameBuilder`]: a frame that is written piece by piece.

use super::{FrameError, FrameFault, FramedWriter, PushFrameError, framing::Rule};
use crate::{Flush, Placeholder, PushSequenceError, WriteSlot};
use aqueduct_sequence::Sequence;
use std::fmt;

/// A frame that is not finished; see [`FramedWriter::begin`].
///
/// Its pieces are filled in place ([`reserve`](Self::reserve)), handed over ([`push`](Self::push)) or
/// copied ([`write`](Self::write)); [`end`](Self::end) fills the length in. Dropped or forgotten
/// without, nothing was written.
///
/// A LEB128 or QUIC prefix is as wide as that of the largest frame then: padded, which both allow.
///
/// ```
/// use aqueduct_pipe::{FramedReader, FramedWriter, Framing, Options, pipe};
/// use aqueduct_sequence::Prefix;
/// use std::io::Read;
///
/// let (writer, reader) = pipe(Options::default());
/// let framing = Framing::prefixed(Prefix::U32Le, 1 << 16)?;
/// let mut writer = FramedWriter::new(writer, framing.clone())?;
///
/// let mut frame = writer.begin()?;
/// let mut slot = frame.reserve(100)?;
/// let count = (&b"from a socket"[..]).read(slot.room())?;
/// slot.commit(count);
/// frame.push(vec![b'!'; 87])?;
/// frame.end()?;
/// writer.finish();
///
/// let mut reader = FramedReader::new(reader, framing)?;
/// let frame = reader.next_blocking()?.expect("a frame");
/// assert_eq!(frame.len(), 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a frame that is not ended was never written"]
pub struct FrameBuilder<'a> {
    framed: &'a mut FramedWriter,
    /// Room for the length, where there is one.
    prefix: Option<Placeholder>,
    /// Bytes before the frame's first.
    head: usize,
}

impl<'a> FrameBuilder<'a> {
    pub(super) fn new(framed: &'a mut FramedWriter) -> Result<Self, FrameError> {
        if matches!(framed.framing.rule, Rule::Delimited(_)) {
            return Err(framed.refuse(FrameFault::Whole));
        }
        show(framed)?;
        let head = framed.framing.head_len(framed.framing.most);
        let prefix = match head {
            0 => None,
            _ => {
                let left_out = framed.writer.reserve_prefix(head);
                Some(left_out.map_err(|error| framed.refuse(error))?)
            }
        };
        framed.begun = true;
        Ok(Self { framed, prefix, head })
    }

    /// Bytes of the frame so far.
    #[must_use]
    pub fn len(&self) -> usize {
        // Nothing else waits to be flushed, and more than memory holds is refused.
        let written = usize::try_from(self.framed.writer.unflushed()).unwrap_or(usize::MAX);
        written.saturating_sub(self.head) // of what nobody reads any more nothing is left
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Room for at least `least` more bytes, and at least one, in one piece: see
    /// [`Writer::reserve`](crate::Writer::reserve). There may be more room than the frame may have.
    ///
    /// # Errors
    ///
    /// [`FrameFault::TooLarge`], or the pipe's own error.
    pub fn reserve(&mut self, least: usize) -> Result<WriteSlot<'_>, FrameError> {
        self.check(least.max(1))?;
        let at = self.framed.position;
        self.framed.writer.reserve(least).map_err(|error| FrameError::new(at, error))
    }

    /// Copies bytes to the end of the frame, in one piece, which the meter counts.
    ///
    /// # Errors
    ///
    /// [`FrameFault::TooLarge`], or the pipe's own error; the frame is as it was, and the piece may be
    /// written again.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        self.check(bytes.len())?;
        self.framed.writer.write_whole(bytes).map_err(|error| self.framed.refuse(error))
    }

    /// Hands a slice or many over to the end of the frame, as [`FramedWriter::push`] does.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write), with what was to be pushed.
    pub fn push(&mut self, bytes: impl Into<Sequence>) -> Result<(), PushFrameError> {
        let frame = bytes.into();
        if let Err(error) = self.check(frame.len()) {
            return Err(PushFrameError { frame, error });
        }
        self.framed.writer.push_sequence(frame).map_err(|refused| {
            let PushSequenceError { sequence: frame, error } = refused;
            PushFrameError { frame, error: self.framed.refuse(error) }
        })
    }

    /// Whether the frame may have so many bytes more.
    fn check(&self, more: usize) -> Result<(), FrameError> {
        let (len, most) = (self.len().saturating_add(more), self.framed.framing.most);
        if len <= most {
            return Ok(());
        }
        let (len, most) = (len as u64, most as u64);
        Err(self.framed.refuse(FrameFault::TooLarge { len, most }))
    }

    /// Ends the frame: fills its length in.
    ///
    /// # Errors
    ///
    /// [`FrameFault::TooLarge`] or [`FrameFault::WrongSize`], or that the reader is gone, where a piece
    /// was refused for that; nothing was written then.
    pub fn end(self) -> Result<(), FrameError> {
        let len = self.len();
        let framing = &self.framed.framing;
        framing.check_len(len).map_err(|fault| self.framed.refuse(fault))?;
        if let Some(prefix) = &self.prefix {
            let Ok(room) = self.framed.writer.output.left_out(prefix) else {
                // It was let go of with all that nobody reads any more.
                let gone = self.framed.writer.shut();
                return Err(self.framed.refuse(gone));
            };
            let _ = framing.head(len, self.head, room); // of the length that was asked for
        }
        self.framed.position += (self.head + len) as u64;
        self.framed.begun = false;
        Ok(())
    }
}

/// Shows the frames that are written to the reader, without waiting.
fn show(framed: &mut FramedWriter) -> Result<(), FrameError> {
    if framed.settled().unflushed() > 0 {
        let shown = framed.writer.try_flush().map_err(|error| framed.refuse(error))?;
        if shown == Some(Flush::Cancelled) {
            // It was meant for a wait, and this is none.
            framed.writer.interrupter().interrupt();
        }
    }
    Ok(())
}

impl Drop for FrameBuilder<'_> {
    fn drop(&mut self) {
        let _ = self.framed.settled(); // unless it was ended
    }
}

impl fmt::Debug for FrameBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FrameBuilder").field("len", &self.len()).finish_non_exhaustive()
    }
}
