//! How long a heap's lists may grow: bytes that it leases from the pool.

use crate::{chain::Chain, class::Class, owner::Owner, remote::BATCH_BLOCKS};

/// Bytes by which a list's places grow.
const STEP: usize = 64 << 10;

impl Owner {
    /// Makes the list of `class` longer, within the lease: by bytes that the thread may still have,
    /// or that other classes do not use.
    pub(crate) fn raise_cap(self, class: Class) -> bool {
        let (core, list) = (self.core(), self.list(class));
        let most = core.lists_share();
        if most < list.capacity || core.is_closed() {
            return false;
        }
        if self.own(|own| own.lease) + list.capacity > most {
            self.give_up_unused(class);
        }
        let lease = self.own(|own| own.lease);
        let step =
            (STEP / list.capacity).clamp(1, BATCH_BLOCKS).min((most - lease) / list.capacity);
        let bytes = step * list.capacity;
        if step == 0 || !core.budget().take(bytes) {
            return false;
        }
        if !list.lengthen(step) {
            core.budget().give(bytes);
            return false;
        }
        self.own(|own| own.lease += bytes);
        true
    }

    /// Gives back the lease for places of the other classes that have no block.
    fn give_up_unused(self, but: Class) {
        for class in self.core().classes().all().filter(|&class| class != but) {
            self.shrink(class);
        }
    }

    /// Makes a list as short as its blocks allow.
    fn shrink(self, class: Class) {
        let list = self.list(class);
        let bytes = list.shorten() * list.capacity;
        self.own(|own| own.lease -= bytes);
        self.core().budget().give(bytes);
    }

    /// Makes room on a full list: half of it becomes everybody's.
    pub(crate) fn spill(self, class: Class) {
        let list = self.list(class);
        let some = list.kept().div_ceil(2).min(BATCH_BLOCKS);
        let mut chain = Chain::new();
        chain.extend((0..some).map_while(|_| list.leave()));
        self.core().shelve(class, chain);
    }

    /// Takes all lists down and gives the lease back.
    pub(crate) fn empty(self) -> Chain {
        let mut all = Chain::new();
        for class in self.core().classes().all() {
            all.extend(std::iter::from_fn(|| self.list(class).leave()));
            self.shrink(class);
        }
        all
    }
}
