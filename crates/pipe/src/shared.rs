//! What the two halves of a pipe share.

use crate::{error::Cause, gate::Gate, options::Limits};
use aqueduct_base::sync::{Mutex, atomic::AtomicU64, twin};
use aqueduct_slice::{Published, Slice};
use std::{collections::VecDeque, mem};

/// One allocation for each pipe.
///
/// Bytes are counted from the pipe's beginning. `flushed` is raised by the writer, and the reader
/// waits for it; `examined` is raised by the reader, and the writer waits for it.
pub(crate) struct Shared {
    pub(crate) flushed: Gate,
    pub(crate) examined: Gate,
    pub(crate) inbox: Mutex<Inbox>,
    pub(crate) ends: Mutex<Ends>,
    pub(crate) tally: Tally,
    pub(crate) limits: Limits,
    /// Tells this pipe's prefixes from another's.
    pub(crate) number: u64,
}

/// A piece of the stream that does not just go on where the one before ended.
pub(crate) struct Entry {
    /// Where in the stream it starts, and the piece before it ends.
    pub(crate) start: u64,
    pub(crate) piece: Piece,
}

pub(crate) enum Piece {
    /// A new block, from its beginning.
    Block(Published),
    /// The block that came last, from where it was left off.
    Rest,
    /// A slice that was pushed.
    Slice(Slice),
}

/// Entries on their way from the writer to the reader; locked only when there are any.
#[derive(Default)]
pub(crate) struct Inbox {
    entries: VecDeque<Entry>,
    /// The reader is gone: nothing more is accepted.
    closed: bool,
}

/// The most places for entries that are kept when there are none: 48 KiB of them.
const KEPT: usize = 1024;

/// Gives the places back that a burst has taken.
#[inline]
pub(crate) fn keep_few(entries: &mut VecDeque<Entry>) {
    if entries.capacity() > KEPT {
        entries.shrink_to(KEPT);
    }
}

impl Inbox {
    /// Takes the writer's entries over; what is left in `entries` is the caller's to drop, outside
    /// the lock.
    pub(crate) fn put(&mut self, entries: &mut VecDeque<Entry>) {
        if self.closed {
            return;
        }
        if self.entries.is_empty() {
            mem::swap(&mut self.entries, entries);
        } else {
            self.entries.append(entries);
        }
    }

    /// Hands the entries on to the reader.
    pub(crate) fn take(&mut self, entries: &mut VecDeque<Entry>) {
        if entries.is_empty() {
            mem::swap(&mut self.entries, entries);
        } else {
            entries.append(&mut self.entries);
        }
        keep_few(&mut self.entries);
    }

    /// Accepts nothing more. What is there is the caller's to drop, outside the lock.
    pub(crate) fn close(&mut self) -> VecDeque<Entry> {
        self.closed = !twin::is("inbox_open");
        mem::take(&mut self.entries)
    }
}

/// How a half ended.
#[derive(Clone)]
pub(crate) enum End {
    /// The writer said that this is all.
    Finished,
    /// It is gone, and said nothing.
    Dropped,
    Failed(Cause),
}

/// How each half ended, set before its gate is closed.
#[derive(Default)]
pub(crate) struct Ends {
    pub(crate) writer: Option<End>,
    pub(crate) reader: Option<End>,
}

/// Written by the writer alone.
pub(crate) struct Tally {
    pub(crate) peak: AtomicU64,
    pub(crate) pauses: AtomicU64,
    pub(crate) paused_nanos: AtomicU64,
}

impl Shared {
    /// Bytes that the reader is done with: stored by it alone, before it raises `examined`.
    #[inline(always)]
    pub(crate) fn consumed(&self) -> &AtomicU64 {
        &self.examined.beside
    }

    /// How often something came into the inbox: stored by the writer alone, before it raises `flushed`.
    #[inline(always)]
    pub(crate) fn posted(&self) -> &AtomicU64 {
        &self.flushed.beside
    }

    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            flushed: Gate::new(),
            examined: Gate::new(),
            inbox: Mutex::new(Inbox::default()),
            ends: Mutex::new(Ends::default()),
            tally: Tally {
                peak: AtomicU64::new(0),
                pauses: AtomicU64::new(0),
                paused_nanos: AtomicU64::new(0),
            },
            limits,
            number: number(),
        }
    }
}

/// A number that no other pipe of this process has.
#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Relaxed: it orders nothing.
    NEXT.fetch_add(1, aqueduct_base::sync::atomic::Ordering::Relaxed)
}

/// In a model, where no atomic outlives the run.
#[cfg(any(aqueduct_loom, aqueduct_shuttle))]
fn number() -> u64 {
    0
}
