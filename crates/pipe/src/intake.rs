//! What the reader has taken in.

use crate::shared::{Entry, Piece, Shared, keep_few};
use aqueduct_base::sync::{atomic::Ordering::Relaxed, twin};
use aqueduct_sequence::{SegmentList, Sequence};
use aqueduct_slice::{Published, Slice};
use std::{collections::VecDeque, mem};

/// The segments that are flushed and not consumed, and what the next bytes of the stream come from.
pub(crate) struct Intake {
    list: SegmentList,
    tail: Option<Tail>,
    /// Entries that lie behind what was flushed when they were taken out of the inbox.
    ahead: VecDeque<Entry>,
    /// Posts to the inbox whose entries were all taken in.
    received: u64,
    /// Bytes taken in: all that was flushed when the reader last looked.
    pub(crate) flushed: u64,
}

/// The block that the writer started last.
struct Tail {
    published: Published,
    /// Whether the last segment is this block's, up to there: it grows in place.
    last: bool,
}

/// So many bytes of a block are read before it is given back: so that it costs nothing to speak of, and
/// a block for short messages stays in the cache. In a model each is.
const ROUND: usize = if cfg!(any(aqueduct_loom, aqueduct_shuttle)) { 1 } else { 4 << 10 };

impl Intake {
    pub(crate) fn new() -> Self {
        Self {
            list: SegmentList::new(),
            tail: None,
            ahead: VecDeque::new(),
            received: 0,
            flushed: 0,
        }
    }

    #[inline(always)]
    pub(crate) fn list(&self) -> &SegmentList {
        &self.list
    }

    #[inline(always)]
    pub(crate) fn list_mut(&mut self) -> &mut SegmentList {
        &mut self.list
    }

    /// Takes in what is flushed: `total` bytes, as the gate says.
    #[inline(always)]
    pub(crate) fn follow(&mut self, total: u64, shared: &Shared) {
        if total == self.flushed {
            return;
        }
        // Relaxed: stored before the total was raised, which we have seen.
        let posted = shared.posted().load(Relaxed);
        if posted == self.received || twin::is("post_ignored") {
            self.grow(total);
        } else {
            self.follow_entries(total, posted, shared);
        }
    }

    /// Takes in what comes from nowhere else.
    pub(crate) fn put(&mut self, sequence: Sequence) {
        sequence.into_iter().for_each(|slice| self.push(slice));
    }

    /// Takes in all up to `to` from the tail.
    #[inline(always)]
    fn grow(&mut self, to: u64) {
        let want = usize::try_from(to - self.flushed).unwrap_or(usize::MAX);
        let Some(tail) = self.tail.as_mut().filter(|_| want > 0) else { return };
        let mut grown = 0;
        if tail.last {
            grown = self.list.extend_last(|slice| tail.published.extend(slice, want));
            self.flushed += grown as u64;
        }
        if grown < want {
            // The segment was taken out, or others came after it.
            let view = tail.published.take(want - grown);
            tail.last = true;
            self.push(view);
        }
    }

    /// Counts a slice and appends it, even if the owner of one before it panics.
    #[inline]
    fn push(&mut self, slice: Slice) {
        self.flushed += slice.len() as u64;
        self.list.push_back(slice);
    }

    #[inline(never)]
    fn follow_entries(&mut self, total: u64, posted: u64, shared: &Shared) {
        shared.inbox.lock().take(&mut self.ahead);
        // What came in between is there, too, and stays ahead: its time has not come.
        // (An owner may panic with each step: what is taken out of the queue is in its place then.)
        while let Some(start) = self.ahead.front().map(|e| e.start).filter(|start| *start < total) {
            self.grow(start);
            if let Some(entry) = self.ahead.pop_front() {
                self.enter(entry.piece);
            }
        }
        self.grow(total);
        if self.ahead.is_empty() {
            self.received = posted;
            keep_few(&mut self.ahead);
        }
    }

    fn enter(&mut self, piece: Piece) {
        match (piece, &mut self.tail) {
            (Piece::Block(published), tail) => {
                let _old = tail.replace(Tail { published, last: false });
            }
            (Piece::Slice(slice), tail) => {
                if let Some(tail) = tail {
                    tail.last = false;
                }
                self.push(slice);
            }
            // The tail goes on, as a segment of its own.
            (Piece::Rest, _) => {}
        }
    }

    /// Lets go of what is used up and cannot grow, and gives back what is used up and can.
    #[inline(always)]
    pub(crate) fn shed(&mut self) {
        if !self.list.is_empty() {
            return;
        }
        match &mut self.tail {
            // A segment that was taken out does not grow.
            Some(tail) if tail.last && self.list.last().is_some() && !tail.published.is_over() => {
                if tail.published.taken() >= ROUND {
                    self.list.extend_last(|slice| {
                        tail.published.give_back(Some(slice));
                        0
                    });
                }
            }
            _ => self.shed_used(),
        }
    }

    fn shed_used(&mut self) {
        let _over = self.tail.take_if(|tail| tail.published.is_over());
        self.list.release_used();
        if let Some(tail) = &mut self.tail
            && tail.published.taken() >= ROUND
        {
            tail.published.give_back(None);
        }
    }

    /// Lets go of everything.
    pub(crate) fn clear(&mut self) {
        let _rest = (self.tail.take(), mem::take(&mut self.ahead));
        self.list.clear();
    }
}
