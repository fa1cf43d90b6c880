//! Blocks of other heaps that died on this thread, on their way home in batches.
//!
//! Nothing here calls the allocator while it holds a reference into the outbox: an allocator may drop
//! blocks itself, and come back here.

use crate::{
    block::Block,
    chain::Chain,
    list::{List, death, raise},
    owner::Owner,
    remote::{BATCH_BLOCKS, Batch, Pile},
};
use std::{mem, ptr};

/// Bytes of a batch at the most: so much can lie unused in one that is not full.
const BATCH_BYTES: usize = 128 << 10;

/// Lists that a thread gathers batches for at a time.
const ROUTES: usize = 16;

/// The batches of one thread that are not sent off.
pub(crate) struct Outbox {
    /// The list that each route leads to; null where there is no batch.
    to: [*const List; ROUTES],
    batches: [Option<Box<Batch>>; ROUTES],
    /// Bytes that each batch may still grow by. The pool's budget has lent them; those of the blocks
    /// in a batch travel with it.
    room: [usize; ROUTES],
    /// Bytes lent for all batches here.
    lease: usize,
    /// Empty batches.
    spare: Pile,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self {
            to: [ptr::null(); ROUTES],
            batches: [const { None }; ROUTES],
            room: [0; ROUTES],
            lease: 0,
            spare: Pile::new(),
        }
    }

    fn at(&self, list: *const List) -> Option<usize> {
        self.to.iter().position(|&to| to == list)
    }

    fn is_full(&self) -> bool {
        self.at(ptr::null()).is_none()
    }

    /// Adds a block to the batch for its list, and says which is full by that. The block comes back
    /// if there is no such batch.
    fn add(&mut self, block: Block) -> Result<Option<usize>, Block> {
        let (list, bytes) = (block.home(), block.list().capacity);
        let Some(at) = self.at(list) else { return Err(block) };
        let Some(batch) = &mut self.batches[at] else { return Err(block) };
        batch.push(block)?;
        self.room[at] -= bytes;
        Ok((self.room[at] == 0).then_some(at))
    }

    /// Opens a route with room for so many bytes, if one is free. The batch comes back if not.
    fn open(
        &mut self,
        list: *const List,
        batch: Box<Batch>,
        room: usize,
    ) -> Result<(), Box<Batch>> {
        match (self.at(list), self.at(ptr::null())) {
            (None, Some(free)) => {
                self.to[free] = list;
                self.batches[free] = Some(batch);
                self.room[free] = room;
                self.lease += room;
                Ok(())
            }
            _ => Err(batch),
        }
    }

    /// Closes a route: its batch, and the bytes of its lease that the batch has no use for.
    fn close(&mut self, at: usize) -> Option<(Box<Batch>, usize)> {
        let batch = self.batches[at].take()?;
        self.to[at] = ptr::null();
        let room = mem::take(&mut self.room[at]);
        self.lease -= room + batch.bytes();
        Some((batch, room))
    }
}

impl Owner {
    /// A block of another heap, dead on this thread: on its way home, with others.
    pub(crate) fn send(self, block: Block) {
        let class = block.class();
        raise(&self.tally(class).sent, death());
        if self.core().is_shared() {
            return self.core().give_back(block);
        }
        let added = self.own(|own| own.outbox.add(block)).or_else(|block| self.begin(block));
        match added {
            Ok(None) => {}
            Ok(Some(full)) => self.depart(full),
            Err(block) => self.core().shelve(class, Chain::of(block)),
        }
    }

    /// Begins a batch with a block. The block comes back if nothing may be kept for its heap, or
    /// there is no memory.
    #[cold]
    fn begin(self, block: Block) -> Result<Option<usize>, Block> {
        let (core, list) = (self.core(), block.list());
        // A block that is larger than a batch may be travels alone.
        let most = (core.outbox_share() / 2).min(BATCH_BYTES) / list.capacity;
        let room = most.clamp(1, BATCH_BLOCKS) * list.capacity;
        if core.is_closed() || room > core.remote_share() {
            return Err(block);
        }
        if self.own(|own| own.outbox.lease + room > core.outbox_share() || own.outbox.is_full()) {
            self.flush();
        }
        let Some(mut batch) = self.empty_batch() else { return Err(block) };
        if !core.budget().take(room) {
            self.own(|own| own.outbox.spare.push(batch));
            return Err(block);
        }
        batch.begin(block.heap(), list.class);
        if let Err(batch) = self.own(|own| own.outbox.open(list, batch, room)) {
            core.budget().give(room);
            self.own(|own| own.outbox.spare.push(batch));
        }
        self.own(|own| own.outbox.add(block))
    }

    fn empty_batch(self) -> Option<Box<Batch>> {
        self.own(|own| own.outbox.spare.pop()).or_else(|| {
            let mut spare = self.core().spare();
            let batch = spare.pop().or_else(Batch::new);
            let left = self.own(|own| mem::replace(&mut own.outbox.spare, spare));
            drop(left);
            batch
        })
    }

    /// Sends off the batch of a route, if there is one, and its lease with it.
    fn depart(self, at: usize) {
        if let Some((batch, room)) = self.own(|own| own.outbox.close(at)) {
            self.core().budget().give(room);
            self.core().deliver(batch);
        }
    }

    /// Sends off what waits for more.
    pub(crate) fn flush(self) {
        (0..ROUTES).for_each(|at| self.depart(at));
    }

    /// Sends off what waits for more, and keeps no empty batches.
    pub(crate) fn close_outbox(self) {
        self.flush();
        let spare = self.own(|own| mem::replace(&mut own.outbox.spare, Pile::new()));
        drop(spare);
    }

    /// Empty batches that this thread keeps.
    #[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
    pub(crate) fn spare_batches(self) -> usize {
        self.own(|own| own.outbox.spare.iter().count())
    }
}
