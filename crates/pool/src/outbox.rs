//! Batches: blocks of other heaps that died on this thread, on their way home together.

use crate::{
    block::Block,
    heap::{Heap, ROUTES, Route, raise},
    owner::{Owner, death},
    remote::Batch,
};
use std::ptr;

/// Blocks that travel together at the most, and their bytes: so much can lie unused in a batch that
/// is not full.
pub(crate) const BATCH_BLOCKS: usize = 32;
pub(crate) const BATCH_BYTES: usize = 128 << 10;

impl Owner {
    /// A block of another heap, dead on this thread: on its way home, with others.
    pub(crate) fn send(self, block: Block, home: &'static Heap) {
        let class = block.class();
        raise(&self.list(class).sent, death());
        if self.core().is_shared() {
            return self.core().give_back(block);
        }
        let (bytes, most) = (self.core().classes().capacity(class), self.core().batch_bytes());
        // A batch is kept from the others, so what it may hold is leased when it is begun.
        let room = self.route(home).is_some_and(|left| bytes <= left)
            || (bytes <= most && self.begin(home, most));
        if room {
            self.add(block, bytes, home);
        } else {
            let mut batch = Batch::new();
            batch.push(block, bytes);
            self.core().deliver(batch, home);
        }
    }

    /// Bytes that the batch for `home` has room for, if there is one.
    fn route(self, home: &'static Heap) -> Option<usize> {
        let most = self.core().batch_bytes();
        self.own(|own| {
            let route = own.routes[at(home)].as_ref()?;
            (ptr::eq(route.home, home)).then(|| most - route.batch.bytes())
        })
    }

    /// Begins a batch for `home`, if there is a lease for it; sends off what is in its place.
    fn begin(self, home: &'static Heap, most: usize) -> bool {
        self.depart(at(home));
        let leased = self.core().budget().take(most);
        if leased {
            let route = Route { home, batch: Batch::new() };
            self.own(|own| own.routes[at(home)] = Some(route));
        }
        leased
    }

    /// Adds to the batch for `home`, which has room, and sends it off when it is full.
    fn add(self, block: Block, bytes: usize, home: &'static Heap) {
        let most = self.core().batch_bytes();
        let full = self.own(|own| {
            let Some(route) = &mut own.routes[at(home)] else { unreachable!("begun before") };
            route.batch.push(block, bytes);
            route.batch.blocks() >= BATCH_BLOCKS || route.batch.bytes() + bytes > most
        });
        if full {
            self.depart(at(home));
        }
    }

    /// Sends off the batch at `at`, if there is one, and gives its lease back.
    fn depart(self, at: usize) {
        if let Some(Route { home, batch }) = self.own(|own| own.routes[at].take()) {
            self.core().budget().give(self.core().batch_bytes());
            self.core().deliver(batch, home);
        }
    }

    /// Sends off what waits for more.
    pub(crate) fn flush(self) {
        (0..ROUTES).for_each(|at| self.depart(at));
    }
}

/// Which batch is for `home`. Records are large: the bits above their size tell neighbours apart.
fn at(home: &'static Heap) -> usize {
    ptr::from_ref(home).addr() / size_of::<Heap>() % ROUTES
}
