//! [`Appender`] and [`Published`]: a block that is written at its end while its front is read.
//!
//! ```text
//!     |   published   |  committed  |   spare   |     | words |
//!     start           |<---- the appender's range --->|
//! ```
//!
//! When the reading half has taken all that is published, and no slice of it is left, it *gives the
//! block back*, and the appender may begin a new round: with the first byte of its range again.
//!
//! Invariants of this file:
//!
//! 1. The words lie at the end of the range that the buffer had, aligned for [`Words`] and ceded by
//!    it. They are written once before they are shared, then reached through shared references alone.
//! 2. The appender and its [`Published`] hold a count each, so that the block, and the words in it,
//!    stay while either lives. (So no slice of it is unique while an appender lives.)
//! 3. Within a round the published length only rises, and the appender alone stores it. The bytes
//!    below it belong to readers: the appender's buffer has given them up, and nobody writes them
//!    again before the next round.
//! 4. The bytes above it belong to the appender's buffer, an exclusive range like any `SliceMut`'s:
//!    no reference to the whole block is ever formed.
//! 5. Only [`Published`] makes slices, or makes them longer, and only of what it read as published in
//!    this round and has not taken yet: who holds a slice, perhaps cut off on purpose, cannot.
//! 6. [`Published`] stores in `returned` what it has taken, and only when the block's counts are, while
//!    the appender lives, its own, the appender's and that of an empty slice: then no slice shows a byte
//!    of that, and none ever will (5). (Without an appender nobody reads it.) Its load of the count is an Acquire, with the Release of each slice's end; its store is
//!    a Release, with the Acquire of the appender, which may write then.
//! 7. A round begins only when `returned` equals what is published. So of two rounds the reading half
//!    has seen the first before the second begins, and one bit tells them apart.

use crate::{Slice, SliceMut, raw::Raw};
use aqueduct_base::sync::{
    atomic::{AtomicUsize, Ordering},
    twin,
};
use core::{fmt, ptr::NonNull};

/// What the two halves tell each other: each is four times a length, and the bits below.
struct Words {
    /// What is published in this round. The appender's to store.
    published: AtomicUsize,
    /// The last of these that was given back, or [`SEALED`] before the first. The reader's to store.
    returned: AtomicUsize,
}

/// Bytes of a length, in a word. (It counts to a quarter of memory: see [`Words::LIMIT`].)
const BYTE: usize = 4;
/// Tells a round from the one before.
const ROUND: usize = 2;
/// Nothing will be published any more.
const SEALED: usize = 1;

impl Words {
    /// Spare capacity in which they can be placed, wherever it starts.
    const ROOM: usize = size_of::<Self>() + align_of::<Self>() - 1;
    /// The most bytes that a block can publish.
    const LIMIT: usize = usize::MAX / BYTE;
}

/// The writing half of a block whose front is read while its end is written.
///
/// Bytes are *spare*, then *committed* by the appender, then *published* by it, and from then on
/// seen by its [`Published`] and not written again while it, or a slice of it, shows them. Committed
/// bytes can still be patched, or rolled back. Dropping the appender *seals* the block: nothing will
/// be published any more.
///
/// ```
/// use aqueduct_slice::{Appender, SliceMut};
///
/// let (mut appender, mut published) = Appender::new(SliceMut::with_capacity(4096));
/// appender.spare_mut()[..4].fill(b'x');
/// appender.commit(4);
/// assert_eq!(published.available(), 0);
/// appender.unpublished_mut()[0] = b'X';
/// appender.publish();
/// let mut view = published.take(usize::MAX);
/// assert_eq!(view, b"Xxxx");
///
/// appender.spare_mut()[..2].fill(b'y');
/// appender.commit(2);
/// appender.publish();
/// assert_eq!(published.extend(&mut view, usize::MAX), 2); // in place
/// assert_eq!(view, b"Xxxxyy");
///
/// let room = appender.spare();
/// published.give_back(Some(&mut view)); // all is taken, and no other slice is left
/// assert!(appender.renew()); // so the block is written from its front again
/// assert_eq!(appender.spare(), room + 6);
/// ```
pub struct Appender {
    /// Its data is what is committed and not published.
    buffer: SliceMut,
    /// Where the published bytes start.
    start: NonNull<u8>,
    words: NonNull<Words>,
}

/// The reading half: takes what its [`Appender`] has published, as slices of the block.
pub struct Published {
    /// Where the published bytes start; empty itself.
    base: Slice,
    words: NonNull<Words>,
    /// Bytes of this round that were taken.
    taken: usize,
    /// The bit of this round, as far as it is known here.
    round: usize,
}

// SAFETY: the buffer is `Send`. The words are atomics in a block that our count keeps (1, 2), and the
// counts of a block may be given up on any thread, as those of its slices.
unsafe impl Send for Appender {}
// SAFETY: through a shared appender one can only ask for figures, which are its own.
unsafe impl Sync for Appender {}

// SAFETY: a slice is `Send`. The words are atomics in a block that our count keeps (1, 2); the Acquire
// load of the length makes what was written before its Release store visible on whichever thread
// asks, so that the slices made here show bytes that nobody writes while they are there (3, 6).
unsafe impl Send for Published {}
// SAFETY: as above: all that a shared `Published` does is load a word.
unsafe impl Sync for Published {}

impl Appender {
    /// Makes the halves of a buffer's range. Its data, if it has any, counts as committed.
    ///
    /// Takes at most [`OVERHEAD`](Self::OVERHEAD) bytes off the end of its spare capacity, and grows
    /// the buffer as [`SliceMut::reserve`] does if they are not there. Its headroom is given up.
    ///
    /// # Panics
    ///
    /// As [`SliceMut::reserve`], if it has to grow. When the data is longer than a quarter of what can
    /// be addressed.
    #[must_use]
    pub fn new(mut buffer: SliceMut) -> (Self, Published) {
        buffer.reserve(Words::ROOM);
        let base = buffer.split_frozen(0);
        let start = buffer.raw.start();
        let end = start.addr().get() + buffer.capacity();
        // The last place aligned for them; at least the data's length, since there was room.
        let place = (end - size_of::<Words>()) / align_of::<Words>() * align_of::<Words>();
        let Some(words) = NonNull::new(start.as_ptr().with_addr(place).cast::<Words>()) else {
            unreachable!("blocks never reach null")
        };
        let new = Words { published: AtomicUsize::new(0), returned: AtomicUsize::new(SEALED) };
        buffer.raw.cede(room(start, words));
        // SAFETY: within the range that was the buffer's until it ceded this part, and aligned (1).
        unsafe { words.write(new) };
        let published = Published { base, words, taken: 0, round: 0 };
        (Self { buffer, start, words }, published)
    }

    /// The most bytes of capacity that an appender needs for itself.
    pub const OVERHEAD: usize = Words::ROOM;

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

    /// Bytes published in this round.
    #[must_use]
    #[inline]
    pub fn published(&self) -> usize {
        self.word() / BYTE
    }

    /// Forgets what is committed and not published, which is room again.
    #[inline]
    pub fn rollback(&mut self) {
        self.buffer.clear();
    }

    /// Shows all that is committed to the reading half. One store, no read-modify-write.
    #[inline]
    pub fn publish(&mut self) {
        let more = self.buffer.raw.give_up_data(); // until the next round (3)
        self.store(self.word() + BYTE * more);
    }

    /// Whether the reading half gave back all that is published, so that [`renew`](Self::renew) will
    /// do what it says.
    #[must_use]
    #[inline]
    pub fn is_returned(&self) -> bool {
        // Acquire: what slices were read for is done, and we may write (6).
        let order = twin::order("returned_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.words().returned.load(order) == self.word()
    }

    /// Begins a new round, if the reading half [gave back](Published::give_back) all that is published
    /// and nothing is committed since: all of the range is room again. Whether it did. Constant time.
    #[inline(never)]
    pub fn renew(&mut self) -> bool {
        if !self.buffer.is_empty() || !self.is_returned() {
            return false;
        }
        // SAFETY: the range was ours from `start` on, and nobody reads what was published of it (6).
        unsafe { self.buffer.raw.take_back(self.start) };
        let next = if twin::is("rounds_alike") { 0 } else { ROUND };
        self.store((self.word() & ROUND) ^ next); // (7)
        true
    }

    #[inline(always)]
    fn words(&self) -> &Words {
        // SAFETY: our count keeps the block, and the words in it, which are shared from here on (1, 2).
        unsafe { self.words.as_ref() }
    }

    /// What we stored last.
    #[inline(always)]
    fn word(&self) -> usize {
        self.words().published.load(Ordering::Relaxed)
    }

    #[inline(always)]
    fn store(&self, word: usize) {
        // Release: who reads this length sees the bytes below it.
        let order = twin::order("publish_relaxed", Ordering::Release, Ordering::Relaxed);
        self.words().published.store(word, order);
    }
}

/// Bytes from the start of a range to where it ends: at the words, or at the most that they can count.
fn room(start: NonNull<u8>, words: NonNull<Words>) -> usize {
    (words.addr().get() - start.addr().get()).min(Words::LIMIT)
}

impl Drop for Appender {
    /// Seals the block. What is committed and not published is forgotten.
    #[inline]
    fn drop(&mut self) {
        self.store(self.word() | SEALED);
    }
}

impl Published {
    #[inline(always)]
    fn words(&self) -> &Words {
        // SAFETY: our count keeps the block, and the words in it (1, 2).
        unsafe { self.words.as_ref() }
    }

    #[inline(always)]
    fn word(&self) -> usize {
        // Acquire: the bytes below the length that we read are written.
        let order = twin::order("published_relaxed", Ordering::Acquire, Ordering::Relaxed);
        self.words().published.load(order)
    }

    /// Bytes that a word shows and that were not taken.
    #[inline(always)]
    fn left(&self, word: usize) -> usize {
        let taken = if word & ROUND == self.round { self.taken } else { 0 }; // (7)
        word / BYTE - taken
    }

    /// Bytes that are published, and not taken yet.
    #[must_use]
    #[inline]
    pub fn available(&self) -> usize {
        self.left(self.word())
    }

    /// Whether all was taken, and there will be no more.
    #[must_use]
    #[inline]
    pub fn is_over(&self) -> bool {
        // One load answers both: two could miss what was published in between.
        let word = self.word();
        word & SEALED != 0 && (self.left(word) == 0 || twin::is("sealed_only"))
    }

    /// Bytes that were taken in this round.
    #[must_use]
    #[inline]
    pub const fn taken(&self) -> usize {
        self.taken
    }

    /// Enters the round that the appender is in; how many bytes of it are to be taken.
    #[inline(always)]
    fn enter(&mut self) -> usize {
        let word = self.word();
        if word & ROUND != self.round {
            (self.round, self.taken) = (word & ROUND, 0);
        }
        word / BYTE - self.taken
    }

    /// Takes at most `most` of the published bytes, as a slice. Constant time; never inlined.
    #[must_use = "the bytes are lost otherwise"]
    #[inline]
    pub fn take(&mut self, most: usize) -> Slice {
        let len = self.enter().min(most);
        let base = self.base.raw.duplicate();
        // Bytes of the base's block, published and not taken before, with that count (3, 5).
        let slice = Slice { raw: Raw::from_parts(base.tag(), self.next(), len) };
        self.taken += len;
        slice
    }

    /// Makes a slice that ends where the next bytes begin longer in place, by at most `most` of them,
    /// and returns by how many. By none, if it ends elsewhere, but one that is empty may do so. Constant
    /// time.
    #[inline]
    pub fn extend(&mut self, slice: &mut Slice, most: usize) -> usize {
        let more = self.enter().min(most);
        if slice.raw.header() != self.base.raw.header() {
            return 0;
        }
        let (start, len) = slice.raw.span();
        let next = self.next();
        let start = if len == 0 { next } else { start };
        if start.wrapping_add(len) != next {
            return 0;
        }
        self.taken += more;
        // By bytes of its block, published and not taken before (5).
        slice.raw = Raw::from_parts(self.base.raw.tag(), start, len + more);
        more
    }

    /// Where the next bytes begin.
    #[inline(always)]
    fn next(&self) -> *const u8 {
        self.base.raw.start().wrapping_add(self.taken)
    }

    /// Tells the appender that it may write to the block from its front again, if all that is published
    /// was taken and no slice of it is left but `last`. That one is empty then, whether it may or not,
    /// and stays with the block, to be [extended](Self::extend). Constant time, no read-modify-write.
    #[inline]
    pub fn give_back(&mut self, last: Option<&mut Slice>) {
        self.enter();
        let mut handles = 2; // the appender's and ours
        if let Some(last) = last.filter(|last| last.raw.header() == self.base.raw.header()) {
            last.raw = Raw::from_parts(self.base.raw.tag(), self.next(), 0);
            handles += 1;
        }
        if self.base.raw.is_held_by(handles) || twin::is("returned_while_shown") {
            // If not all is taken, that equals no published length, and never will (3, 7). Release:
            // what slices were read for is done before the appender writes (6).
            let order = twin::order("return_relaxed", Ordering::Release, Ordering::Relaxed);
            self.words().returned.store(self.round + BYTE * self.taken, order);
        }
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
            .field("taken", &self.taken)
            .field("available", &self.left(word))
            .field("sealed", &(word & SEALED != 0))
            .finish()
    }
}
