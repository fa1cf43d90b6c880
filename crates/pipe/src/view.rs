//! [`Read`] and [`View`]: what a read lends.

use crate::Reader;
use aqueduct_sequence::{Sequence, SequenceRef};
use std::fmt;

/// What a read found. Whatever it is, the bytes that are there come with it.
#[derive(Debug)]
#[must_use = "a view that is dropped has consumed and examined nothing"]
pub enum Read<'a> {
    /// There are bytes to be examined, and perhaps there will be more.
    Data(View<'a>),
    /// The writer finished. These are the last bytes, or none.
    Eof(View<'a>),
    /// An [`Interrupter`](crate::Interrupter) ended the wait. These bytes were there by then.
    Cancelled(View<'a>),
}

impl<'a> Read<'a> {
    /// The bytes, whichever it is.
    #[inline]
    pub fn into_view(self) -> View<'a> {
        match self {
            Self::Data(view) | Self::Eof(view) | Self::Cancelled(view) => view,
        }
    }
}

/// The bytes that were flushed and not consumed, lent until it is decided how many are done with.
///
/// * [`consume`](Self::consume): so many are; the rest is shown again at once.
/// * [`need_more`](Self::need_more): so many are, and the rest says nothing yet: the next read waits for
///   more.
/// * Dropped: undecided. Nothing is consumed or examined; the next read shows the same again.
///
/// Each decision gives the borrow of the reader back, and what the view showed cannot be used after
/// it. What must stay is [taken](Self::take).
///
/// ```compile_fail,E0505
/// # use aqueduct_pipe::{PipeError, Reader, View};
/// fn too_late(view: View<'_>) -> usize {
///     let bytes = view.seq();
///     view.consume(1);
///     bytes.len()
/// }
/// ```
#[must_use = "a view that is dropped has consumed and examined nothing"]
pub struct View<'a> {
    reader: &'a mut Reader,
}

impl<'a> View<'a> {
    #[inline(always)]
    pub(crate) fn new(reader: &'a mut Reader) -> Self {
        Self { reader }
    }

    /// The bytes, where they are.
    #[must_use]
    #[inline]
    pub fn seq(&self) -> SequenceRef<'_> {
        self.reader.intake.list().as_ref()
    }

    /// How many there are.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.reader.intake.list().len()
    }

    /// Whether there are none.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the first `count` bytes out, as handles of their own: without copying, and independent of
    /// the view and of the pipe. They are consumed; the view is what follows.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[must_use = "the bytes are lost otherwise; consume() drops them"]
    #[inline]
    pub fn take(&mut self, count: usize) -> Sequence {
        self.reader.take(count)
    }

    /// Gives the view back: its first `count` bytes are done with, and what follows was not looked at.
    /// The next read shows that at once, if there is any.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[inline]
    #[allow(clippy::must_use_candidate, reason = "the borrow may end here as well")]
    pub fn consume(self, count: usize) -> &'a mut Reader {
        self.reader.consume(count);
        self.reader
    }

    /// Gives the view back: its first `consumed` bytes are done with, and what follows does not
    /// suffice. The next read waits for more, and then shows both.
    ///
    /// # Panics
    ///
    /// When there are fewer.
    #[inline]
    #[allow(clippy::must_use_candidate, reason = "the borrow may end here as well")]
    pub fn need_more(self, consumed: usize) -> &'a mut Reader {
        self.reader.need_more(consumed);
        self.reader
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.seq().fmt(f)
    }
}
