//! What is written and not yet flushed.

use crate::{
    PatchError, PipeError, PipeErrorKind, Placeholder,
    options::Options,
    shared::{Entry, Piece, Shared, keep_few},
};
use aqueduct_base::{copy, sync::atomic::Ordering::Relaxed};
use aqueduct_pool::{Limit, Pool};
use aqueduct_slice::{Appender, Published, Slice, SliceMut};
use std::{collections::VecDeque, mem};

/// Blocks with bytes that are not published, and the entries that tell the reader where in the
/// stream they and the pushed slices belong.
///
/// Nothing of it is visible before [`publish`](Self::publish), so all of it can be rolled back.
pub(crate) struct Output {
    /// None in a model: the pool has models of its own.
    pool: Option<Pool>,
    /// Bytes of the next block.
    pub(crate) size: usize,
    first: usize,
    largest: usize,
    /// The block that is being filled.
    open: Option<Appender>,
    /// Its other half, until a byte in it belongs to the stream.
    fresh: Option<Published>,
    /// Whether the stream ends in the open block, so that the next byte there needs no entry.
    joined: bool,
    /// The same at the last flush.
    was_joined: bool,
    /// Whether a block that the reader may hold was left for another, which it may not hear of.
    left: bool,
    /// Where in the stream the open block begins.
    pub(crate) begun: u64,
    /// Blocks without room that have bytes which are not published, in order.
    filled: Vec<Appender>,
    entries: VecDeque<Entry>,
    /// How often entries were sent.
    posts: u64,
    /// Bytes published.
    pub(crate) flushed: u64,
    /// Bytes written: where in the stream the next one goes.
    pub(crate) end: u64,
    /// Prefixes outlive neither a flush nor one of these.
    rollbacks: u64,
}

impl Output {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            pool: options.pool.or_else(default_pool),
            size: options.first,
            first: options.first,
            largest: options.largest,
            open: None,
            fresh: None,
            joined: false,
            was_joined: false,
            left: false,
            begun: 0,
            filled: Vec::new(),
            entries: VecDeque::new(),
            posts: 0,
            flushed: 0,
            end: 0,
            rollbacks: 0,
        }
    }

    /// Bytes of the largest block, but for what is reserved at once.
    #[inline(always)]
    pub(crate) fn largest(&self) -> usize {
        self.largest
    }

    /// Makes the next block about so large.
    pub(crate) fn suit(&mut self, size: usize) {
        let size = size.checked_next_power_of_two().unwrap_or(self.largest);
        self.size = size.clamp(self.first, self.largest);
    }

    /// Bytes of room in the open block, from its front on if it was given back.
    #[inline(always)]
    pub(crate) fn room(&mut self) -> usize {
        self.open.as_mut().map_or(0, |open| {
            renew(open);
            open.spare()
        })
    }

    /// Bytes of room in the open block.
    #[inline(always)]
    pub(crate) fn spare(&self) -> usize {
        self.open.as_ref().map_or(0, Appender::spare)
    }

    #[inline(always)]
    pub(crate) fn spare_mut(&mut self) -> &mut [u8] {
        self.open.as_mut().map_or(&mut [], Appender::spare_mut)
    }

    /// Opens a block with room for `len` bytes.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin(&mut self, len: usize) -> Result<(), PipeError> {
        let wish = self.size.max(len.saturating_add(Appender::OVERHEAD));
        let (appender, fresh) = Appender::new(allocate(self.pool.as_ref(), wish)?);
        self.size = self.size.saturating_mul(2).min(self.largest);
        self.left |= self.open.is_some() && self.fresh.is_none();
        let (old, _unused) = (self.open.replace(appender), self.fresh.replace(fresh));
        (self.joined, self.begun) = (false, self.end);
        // An unused block goes straight back; one that is used up is sealed; one that has bytes to
        // be published stays.
        if let Some(old) = old.filter(|old| old.unpublished() > 0) {
            self.filled.push(old);
        }
        Ok(())
    }

    /// Makes bytes of the open block's room part of the stream.
    ///
    /// # Panics
    ///
    /// When there is less room.
    #[inline(always)]
    pub(crate) fn commit(&mut self, count: usize) {
        if !self.joined {
            self.join(count);
        }
        if let Some(open) = &mut self.open {
            open.commit(count);
            self.end += count as u64;
        }
    }

    /// Copies `bytes`, if there is room for all of them.
    #[inline(always)]
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        let Some(open) = self.open.as_mut().filter(|_| self.joined) else { return false };
        renew(open);
        let Some(room) = open.spare_mut().get_mut(..bytes.len()) else { return false };
        copy(room, bytes);
        open.commit(bytes.len());
        self.end += bytes.len() as u64;
        true
    }

    /// Goes on in the open block, if there are bytes for it.
    ///
    /// # Panics
    ///
    /// When there is less room.
    #[inline(never)]
    fn join(&mut self, count: usize) {
        let spare = self.spare();
        assert!(count <= spare, "cannot commit {count} of {spare} bytes of room");
        if count == 0 {
            return;
        }
        let piece = self.fresh.take().map_or(Piece::Rest, Piece::Block);
        self.entries.push_back(Entry { start: self.end, piece });
        self.joined = true;
    }

    /// Appends a slice of `len` bytes.
    #[inline(always)]
    pub(crate) fn push(&mut self, slice: Slice, len: usize) {
        self.entries.push_back(Entry { start: self.end, piece: Piece::Slice(slice) });
        self.joined = false;
        self.end += len as u64;
    }

    /// Leaves `len` zeros out, for which the open block has room.
    pub(crate) fn leave_out(&mut self, len: usize, number: u64) -> Placeholder {
        let offset = self.open.as_ref().map_or(0, Appender::unpublished);
        let span = (self.flushed, self.rollbacks);
        let prefix = Placeholder { number, span, block: self.filled.len(), offset, len };
        self.spare_mut()[..len].fill(0);
        self.commit(len);
        prefix
    }

    /// What was left out, to be filled in.
    pub(crate) fn left_out(&mut self, prefix: &Placeholder) -> Result<&mut [u8], PatchError> {
        if prefix.span != (self.flushed, self.rollbacks) {
            return Err(PatchError::Stale);
        }
        // It has bytes that are not published, so it was not passed over when it was full.
        let block = self.filled.get_mut(prefix.block).or(self.open.as_mut());
        let range = prefix.offset..prefix.offset + prefix.len;
        let room = block.and_then(|block| block.unpublished_mut().get_mut(range));
        Ok(room.unwrap_or_default())
    }

    /// Forgets what was written since the last flush.
    pub(crate) fn rollback(&mut self) {
        self.forget();
        self.drop_all(());
    }

    /// As [`rollback`](Self::rollback), but for what is to be let go of.
    fn forget(&mut self) {
        let mut entries = self.entries.iter_mut().rev();
        // The last block that was started is the open one, unless that is not even joined yet.
        self.joined = self.was_joined && self.fresh.is_none();
        if self.fresh.is_none()
            && let Some(last) = entries.find(|entry| matches!(entry.piece, Piece::Block(_)))
            && let Piece::Block(last) = mem::replace(&mut last.piece, Piece::Rest)
        {
            (self.fresh, self.joined) = (Some(last), false);
        }
        if let Some(open) = &mut self.open {
            open.rollback();
        }
        self.end = self.flushed;
        self.rollbacks += 1;
    }

    /// Whether all that is written goes on in the open block, which the reader knows and which keeps
    /// room: so that nothing is sent to it, or let go of.
    #[inline(always)]
    pub(crate) fn goes_on(&self) -> bool {
        self.entries.is_empty() && self.filled.is_empty() && self.spare() > 0
    }

    /// Shows what is written to the reader, where that [goes on](Self::goes_on). The caller raises the
    /// total.
    #[inline(always)]
    pub(crate) fn publish_on(&mut self) {
        if let Some(open) = &mut self.open {
            open.publish();
        }
        self.flushed = self.end;
    }

    /// Shows what is written to the reader, whatever it is. The caller raises the total afterwards, so
    /// that blocks are sealed by then, and also if what is let go of panics.
    pub(crate) fn publish(&mut self, shared: &Shared) {
        self.filled.iter_mut().for_each(Appender::publish);
        self.publish_on();
        // Who reads a full block to its end lets go of it: an idle pipe holds none.
        let full = self.open.take_if(|open| open.spare() == 0);
        self.joined &= full.is_none();
        self.was_joined = self.joined;
        if !self.entries.is_empty() {
            self.send(shared);
        }
        // Entries that are left were refused: nobody reads any more.
        if full.is_some() || !self.filled.is_empty() || !self.entries.is_empty() {
            self.drop_all(full);
        }
    }

    /// Lets go of blocks and slices when all else is done: an owner may panic, and the rest goes all
    /// the same.
    #[cold]
    #[inline(never)]
    fn drop_all<T>(&mut self, blocks: T) {
        drop((blocks, self.filled.drain(..), self.entries.drain(..)));
        keep_few(&mut self.entries);
    }

    fn send(&mut self, shared: &Shared) {
        self.posts += 1;
        shared.inbox.lock().put(&mut self.entries);
        keep_few(&mut self.entries);
        // Relaxed: the raise that follows makes it visible, with the total that needs the entries.
        shared.posted().store(self.posts, Relaxed);
    }

    /// Gives the open block up, if all in it is flushed, and says whether the reader may have it, too.
    pub(crate) fn release(&mut self) -> Option<(Appender, bool)> {
        if self.end > self.flushed {
            return None;
        }
        self.size = self.first;
        (self.joined, self.was_joined) = (false, false);
        let (open, fresh) = (self.open.take(), self.fresh.take());
        let known = fresh.is_none() | mem::take(&mut self.left);
        open.map(|open| (open, known))
    }

    /// Lets go of everything.
    pub(crate) fn clear(&mut self) {
        self.forget();
        (self.joined, self.was_joined) = (false, false);
        let blocks = (self.open.take(), self.fresh.take());
        self.drop_all(blocks);
    }
}

/// Goes on from the front of a block that was given back.
#[inline(always)]
fn renew(open: &mut Appender) {
    // Asked first: it is not in most cases, and a call costs more than the question.
    if open.is_returned() {
        open.renew();
    }
}

/// A block for at least `len` bytes: of the pool, or where no block of it is so large, of the heap.
fn allocate(pool: Option<&Pool>, len: usize) -> Result<SliceMut, PipeError> {
    let Some(pool) = pool else { return from_heap(len) };
    pool.try_get(len).or_else(|refused| match refused.limit() {
        Limit::LargestBlock(_) => from_heap(len),
        Limit::Memory(refused) => Err(PipeErrorKind::Memory(refused).into()),
        _ => Err(PipeErrorKind::Pool(refused).into()),
    })
}

fn from_heap(len: usize) -> Result<SliceMut, PipeError> {
    SliceMut::try_with_capacity(len).map_err(|refused| PipeErrorKind::Memory(refused).into())
}

fn default_pool() -> Option<Pool> {
    #[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
    return Some(Pool::global().clone());
    #[cfg(any(aqueduct_loom, aqueduct_shuttle))]
    None
}
