//! [`Appender`] and [`Published`]: a block that is written at its end while its front is read.
//!
//! ```text
//!     |   published   |  committed  |   spare   |     | word |
//!     base            |<---- the appender's range --->|
//! ```
//!
//! Invariants of this file:
//!
//! 1. The word lies at the end of the range that the buffer had, aligned for a [`Word`] and ceded by
//!    it. It is written once before it is shared, then reached through shared references alone.
//! 2. The appender and its [`Published`] hold a count each, so that the block, and the word in it,
//!    stay while either lives. (So no slice of it is unique while an appender lives.)
//! 3. The published length only rises, and the appender alone stores it. The bytes below it belong
//!    to readers: the appender's buffer has given them up, and nobody ever writes them again.
//! 4. The bytes above it belong to the appender's buffer, an exclusive range like any `SliceMut`'s:
//!    no reference to the whole block is ever formed.
//! 5. Only [`Published`] makes slices longer, and only within what it read as published: who holds a
//!    slice, perhaps cut off on purpose, cannot.

use crate::{Slice, SliceMut, raw::Raw};
use aqueduct_base::sync::{
    atomic::{AtomicUsize, Ordering},
    twin,
};
use std::{fmt, ptr::NonNull};

/// Twice the published length, and one more once nothing will be published any more. (Capacities are
/// below `isize::MAX`.)
struct Word(AtomicUsize);

impl Word {
    /// Spare capacity in which a word can be placed, wherever it starts.
    const ROOM: usize = size_of::<Self>() + align_of::<Self>() - 1;
    const SEALED: usize = 1;
}

/// The writing half of a block whose front is read while its end is written.
///
/// Bytes are *spare*, then *committed* by the appender, then *published* by it, and from then on
/// seen by its [`Published`] and never written again. Committed bytes can still be patched, or
/// rolled back. Dropping the appender *seals* the block: nothing will be published any more.
///
/// ```
/// use aqueduct_slice::{Appender, SliceMut};
///
/// let (mut appender, published) = Appender::new(SliceMut::with_capacity(4096));
/// appender.spare_mut()[..4].fill(b'x');
/// appender.commit(4);
/// assert_eq!(published.len(), 0);
/// appender.unpublished_mut()[0] = b'X';
/// appender.publish();
/// let mut view = published.view();
/// assert_eq!(view, b"Xxxx");
///
/// appender.spare_mut()[..2].fill(b'y');
/// appender.commit(2);
/// appender.publish();
/// assert_eq!(published.extend(&mut view, usize::MAX), 2); // in place
/// assert_eq!(view, b"Xxxxyy");
/// ```
pub struct Appender {
    /// Its data is what is committed and not published.
    buffer: SliceMut,
    word: NonNull<Word>,
}

/// The reading half: sees what its [`Appender`] has published so far.
pub struct Published {
    /// Where the published bytes start; empty itself.
    base: Slice,
    word: NonNull<Word>,
}

// SAFETY: the buffer is `Send`. The word is an atomic in a block that our count keeps (1, 2), and the
// counts of a block may be given up on any thread, as those of its slices.
unsafe impl Send for Appender {}
// SAFETY: through a shared appender one can only ask for figures, which are its own.
unsafe impl Sync for Appender {}

// SAFETY: a slice is `Send`. The word is an atomic in a block that our count keeps (1, 2); its
// Acquire load makes what was written before the Release store of the length visible on whichever
// thread asks, so that the slices made here show bytes that nobody writes any more (3).
unsafe impl Send for Published {}
// SAFETY: as above: all that a shared `Published` does is load the word and take counts.
unsafe impl Sync for Published {}

impl Appender {
    /// Makes the halves of a buffer's range. Its data, if it has any, counts as committed.
    ///
    /// Takes at most [`OVERHEAD`](Self::OVERHEAD) bytes off the end of its spare capacity, and grows
    /// the buffer as [`SliceMut::reserve`] does if they are not there. Its headroom is given up.
    ///
    /// # Panics
    ///
    /// As [`SliceMut::reserve`], if it has to grow.
    #[must_use]
    pub fn new(mut buffer: SliceMut) -> (Self, Published) {
        buffer.reserve(Word::ROOM);
        let base = buffer.split_frozen(0);
        let start = base.raw.start();
        let end = start.addr() + buffer.capacity();
        // The last place aligned for it; at least the data's length, since there was room.
        let place = (end - size_of::<Word>()) / align_of::<Word>() * align_of::<Word>();
        buffer.raw.cede(place - start.addr());
        let Some(word) = NonNull::new(start.with_addr(place).cast_mut().cast::<Word>()) else {
            unreachable!("blocks never reach null")
        };
        // SAFETY: within the range that was the buffer's until it ceded this part, and aligned (1).
        unsafe { word.write(Word(AtomicUsize::new(0))) };
        (Self { buffer, word }, Published { base, word })
    }

    /// The most bytes of capacity that an appender needs for itself.
    pub const OVERHEAD: usize = Word::ROOM;

    /// The room behind what is committed: initialised, with unspecified contents. Fill some of it
    /// and [`commit`](Self::commit).
    #[must_use]
    #[inline]
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.buffer.spare_mut()
    }

    /// Bytes of room behind what is committed.
    #[must_use]
    #[inline]
    pub const fn spare(&self) -> usize {
        self.buffer.capacity() - self.buffer.len()
    }

    /// Makes the first `count` bytes of the room ready to be published.
    ///
    /// # Panics
    ///
    /// When there is less room.
    #[inline]
    pub fn commit(&mut self, count: usize) {
        self.buffer.commit(count);
    }

    /// What is committed and not published: for patching what was not known before.
    #[must_use]
    #[inline]
    pub fn unpublished_mut(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    /// Bytes committed and not published.
    #[must_use]
    #[inline]
    pub const fn unpublished(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes published.
    #[must_use]
    #[inline]
    pub fn published(&self) -> usize {
        self.word().load(Ordering::Relaxed) >> 1 // our own store
    }

    /// Forgets what is committed and not published, which is room again.
    #[inline]
    pub fn rollback(&mut self) {
        self.buffer.clear();
    }

    /// Shows all that is committed to the reading half, for good. One store, no read-modify-write.
    #[inline]
    pub fn publish(&mut self) {
        let more = self.buffer.raw.give_up_data(); // for good (3)
        self.store(self.word().load(Ordering::Relaxed) + 2 * more);
    }

    #[inline(always)]
    fn word(&self) -> &AtomicUsize {
        // SAFETY: our count keeps the block, and the word in it, which is shared from here on (1, 2).
        &unsafe { self.word.as_ref() }.0
    }

    #[inline(always)]
    fn store(&self, word: usize) {
        // Release: who reads this length sees the bytes below it.
        let order = twin::order("publish_relaxed", Ordering::Release, Ordering::Relaxed);
        self.word().store(word, order);
    }
}

impl Drop for Appender {
    /// Seals the block. What is committed and not published is forgotten.
    #[inline]
    fn drop(&mut self) {
        self.store(self.word().load(Ordering::Relaxed) | Word::SEALED);
    }
}

impl Published {
    #[inline(always)]
    fn word(&self) -> usize {
        // Acquire: the bytes below the length that we read are written.
        let order = twin::order("published_relaxed", Ordering::Acquire, Ordering::Relaxed);
        // SAFETY: our count keeps the block, and the word in it (1, 2).
        unsafe { self.word.as_ref() }.0.load(order)
    }

    /// Bytes published so far.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.word() >> 1
    }

    /// Whether nothing is published yet.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there will be more than the first `seen` bytes: the appender lives, *or published more
    /// than that before it was dropped*.
    #[must_use]
    #[inline]
    pub fn may_grow(&self, seen: usize) -> bool {
        // One load answers both: two could miss what was published in between.
        let word = self.word();
        let open = word & Word::SEALED == 0;
        open || (word >> 1 > seen && !twin::is("sealed_only"))
    }

    /// All that is published so far. Constant time; never inlined.
    #[must_use]
    #[inline]
    pub fn view(&self) -> Slice {
        self.view_from(0, usize::MAX)
    }

    /// At most `most` of the published bytes from `from` on. Constant time; never inlined.
    ///
    /// # Panics
    ///
    /// When fewer than `from` bytes are published.
    #[must_use]
    #[inline]
    pub fn view_from(&self, from: usize, most: usize) -> Slice {
        let len = self.len();
        assert!(from <= len, "cannot view {len} published bytes from {from} on");
        let base = self.base.raw.duplicate();
        let start = base.start().wrapping_add(from);
        // Published bytes of the base's block, with the count just taken (3).
        Slice { raw: Raw::from_parts(base.tag(), start, most.min(len - from)) }
    }

    /// Makes a slice of this block longer in place, by at most `most` of the published bytes that
    /// follow it, and returns by how many. By none, if it does not lie within what is published
    /// here. Constant time.
    #[inline]
    pub fn extend(&self, slice: &mut Slice, most: usize) -> usize {
        let published = self.len();
        let Some(end) = self.end_of(slice, published) else { return 0 };
        let more = most.min(published - end);
        // To the end of what was just read as published (5).
        slice.raw = slice.raw.widened(more);
        more
    }

    /// Where a slice ends that lies within the first `published` bytes.
    #[inline]
    fn end_of(&self, slice: &Slice, published: usize) -> Option<usize> {
        if slice.raw.header() != self.base.raw.header() {
            return None;
        }
        // A slice from in front of the base wraps, and then ends behind everything or not at all.
        let start = slice.raw.start().addr().wrapping_sub(self.base.raw.start().addr());
        start.checked_add(slice.len()).filter(|end| *end <= published)
    }
}

impl fmt::Debug for Appender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appender")
            .field("published", &self.published())
            .field("unpublished", &self.unpublished())
            .field("spare", &self.spare())
            .finish()
    }
}

impl fmt::Debug for Published {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        f.debug_struct("Published")
            .field("len", &(word >> 1))
            .field("sealed", &(word & Word::SEALED != 0))
            .finish()
    }
}
