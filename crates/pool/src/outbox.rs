//! Blocks of other heaps that died on this thread, on their way home in batches.

use crate::{
    block::Block,
    chain::Chain,
    heap::Heap,
    list::{List, death, raise},
    owner::Owner,
    remote::{Batch, Pile},
};
use std::ptr;

/// Bytes of a batch at the most: so much can lie unused in one that is not full.
pub(crate) const BATCH_BYTES: usize = 128 << 10;

/// Lists that a thread gathers batches for at a time.
pub(crate) const ROUTES: usize = 4;

/// The batches of one thread that are not sent off.
pub(crate) struct Outbox {
    routes: [Route; ROUTES],
    /// Empty batches.
    spare: Pile,
}

/// A batch, and whose it is.
struct Route {
    /// The list that the blocks belong to, while there is a batch, and its heap.
    to: *const List,
    batch: Option<(Box<Batch>, &'static Heap)>,
    /// Bytes that the batch may still grow by: leased from the pool when it is begun, and kept. What
    /// the batch has is leased too, and that goes with it.
    room: usize,
}

impl Outbox {
    pub(crate) const fn new() -> Self {
        Self { routes: [const { Route::new() }; ROUTES], spare: Pile::new() }
    }
}

impl Route {
    const fn new() -> Self {
        Self { to: ptr::null(), batch: None, room: 0 }
    }

    /// Adds a block of `list`, if there is a batch for it with room.
    #[inline]
    fn add(&mut self, block: Block, list: *const List, bytes: usize) -> Result<bool, Block> {
        let open = self.to == list && self.room >= bytes;
        let Some((batch, _)) = self.batch.as_mut().filter(|_| open) else { return Err(block) };
        batch.push(block)?;
        self.room -= bytes;
        Ok(self.room < bytes || batch.is_full())
    }
}

impl Owner {
    /// A block of another heap, dead on this thread: on its way home, with others.
    pub(crate) fn send(self, block: Block) {
        let list = block.list();
        raise(&self.tally(list.class).sent, death());
        if self.core().is_shared() {
            return self.core().give_back(block);
        }
        let mut added = self.own(|own| own.outbox.routes[at(list)].add(block, list, list.capacity));
        if let Err(block) = added {
            added = self.begin(list, block);
        }
        match added {
            Ok(false) => {}
            Ok(true) => self.depart(at(list)),
            Err(block) => self.core().shelve(list.class, Chain::of(block)),
        }
    }

    /// Begins a batch for `list` with a block; sends off what is in its place. The block comes back
    /// if there is no lease, or no memory.
    #[cold]
    fn begin(self, list: &'static List, block: Block) -> Result<bool, Block> {
        self.depart(at(list));
        // A block that is larger than a batch may be travels alone.
        let most = self.core().batch_bytes().max(list.capacity);
        let lacks = most.saturating_sub(self.own(|own| own.outbox.routes[at(list)].room));
        if !self.core().budget().take(lacks) {
            return Err(block);
        }
        self.own(|own| own.outbox.routes[at(list)].room += lacks);
        let Some(mut batch) = self.empty_batch() else { return Err(block) };
        batch.begin(list.class);
        self.own(|own| {
            let route = &mut own.outbox.routes[at(list)];
            (route.to, route.batch) = (list, Some((batch, block.heap())));
            route.add(block, list, list.capacity)
        })
    }

    fn empty_batch(self) -> Option<Box<Batch>> {
        self.own(|own| own.outbox.spare.pop()).or_else(|| {
            let mut spare = self.core().spare();
            let batch = spare.pop();
            self.own(|own| own.outbox.spare = spare);
            batch.or_else(Batch::new)
        })
    }

    /// Sends off the batch at `at`, if there is one, and its lease with it.
    fn depart(self, at: usize) {
        if let Some((batch, home)) = self.own(|own| own.outbox.routes[at].batch.take()) {
            self.core().deliver(batch, home);
        }
    }

    /// Empty batches that this thread keeps.
    #[cfg(all(test, not(any(aqueduct_loom, aqueduct_shuttle))))]
    pub(crate) fn spare_batches(self) -> usize {
        self.own(|own| own.outbox.spare.iter().count())
    }

    /// Sends off what waits for more.
    pub(crate) fn flush(self) {
        (0..ROUTES).for_each(|at| self.depart(at));
    }

    /// Sends off what waits for more, and gives everything back that is kept for batches.
    pub(crate) fn close_outbox(self) {
        self.flush();
        let (room, spare) = self.own(|own| {
            let room = own.outbox.routes.iter_mut().map(|route| std::mem::take(&mut route.room));
            (room.sum(), std::mem::replace(&mut own.outbox.spare, Pile::new()))
        });
        self.core().budget().give(room);
        drop(spare);
    }
}

/// Which batch is for `list`. Records are large: the bits above their size tell neighbours apart.
fn at(list: &'static List) -> usize {
    (ptr::from_ref(list).addr() / size_of::<Heap>() + list.class.index()) % ROUTES
}
