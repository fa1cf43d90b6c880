//! [`Frame`]: what was read.

use aqueduct_sequence::{Sequence, SequenceRef};
use aqueduct_slice::Slice;

/// A frame of one's own: handles on the pipe's bytes, which nobody copied.
///
/// An enum, so that the usual case reads as what it is, a plain slice of bytes, and the other one is
/// seen where it costs something. Who does not care takes [`as_ref`](Self::as_ref), which reads both.
#[derive(Clone, Debug)]
pub enum Frame {
    /// The frame lies in one segment.
    Slice(Slice),
    /// It lies in several.
    Sequence(Sequence),
}

impl Frame {
    /// The bytes, wherever they are. (A handle on all of them is the frame's clone, or the
    /// [`Sequence`] that it becomes.)
    #[must_use]
    pub fn as_ref(&self) -> SequenceRef<'_> {
        match self {
            Self::Slice(slice) => SequenceRef::from(slice.as_slice()),
            Self::Sequence(sequence) => sequence.as_ref(),
        }
    }

    /// Bytes of the frame.
    #[must_use]
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frame in one slice: the handle itself, or where it lies in several segments a copy, which
    /// is counted.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    #[must_use]
    pub fn into_slice(self) -> Slice {
        match self {
            Self::Slice(slice) => slice,
            Self::Sequence(sequence) => sequence.into_slice(),
        }
    }
}

impl From<Sequence> for Frame {
    /// Moves the handles.
    fn from(sequence: Sequence) -> Self {
        if sequence.as_ref().is_contiguous() {
            Self::Slice(sequence.into_slice())
        } else {
            Self::Sequence(sequence)
        }
    }
}

impl From<Frame> for Sequence {
    /// Moves the handles.
    fn from(frame: Frame) -> Self {
        match frame {
            Frame::Slice(slice) => Self::from(slice),
            Frame::Sequence(sequence) => sequence,
        }
    }
}
