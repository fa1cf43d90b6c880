//! How long a heap's lists may grow: bytes that it leases from the pool.

use crate::{class::Class, outbox::BATCH_BLOCKS, owner::Owner, remote::Chain};

/// Bytes by which a list's cap grows.
const STEP: usize = 64 << 10;

impl Owner {
    /// Makes the list of `class` longer, within the lease: by bytes that the thread may still have,
    /// or that other classes do not use.
    pub(crate) fn raise_cap(self, class: Class) -> bool {
        let size = self.core().classes().capacity(class);
        let most = self.core().lists_share();
        if most < size {
            return false;
        }
        if self.own(|own| own.lease) + size > most {
            self.give_up_unused(class);
        }
        let lease = self.own(|own| own.lease);
        let step = (STEP / size).clamp(1, BATCH_BLOCKS).min((most - lease) / size);
        if step == 0 || !self.core().budget().take(step * size) {
            return false;
        }
        self.own(|own| {
            own.lease += step * size;
            own.caps[class.index()] += step;
        });
        self.shift_lim(class, step.cast_signed());
        true
    }

    /// Gives back the lease for blocks that are not on the lists of the other classes.
    fn give_up_unused(self, but: Class) {
        for class in self.core().classes().all().filter(|&class| class != but) {
            let len = self.len(class);
            let unused = self.own(|own| std::mem::replace(&mut own.caps[class.index()], len)) - len;
            let bytes = unused * self.core().classes().capacity(class);
            self.shift_lim(class, -unused.cast_signed());
            self.own(|own| own.lease -= bytes);
            self.core().budget().give(bytes);
        }
    }

    /// Makes room on a full list: half of it becomes everybody's.
    pub(crate) fn spill(self, class: Class) {
        let mut chain = Chain::new();
        for _ in 0..self.len(class).div_ceil(2).min(BATCH_BLOCKS) {
            if let Some(block) = self.leave(class) {
                chain.push(block);
            }
        }
        self.core().shelve(class, chain);
    }

    /// Takes all lists down and gives the lease back.
    pub(crate) fn empty(self) -> Chain {
        let mut all = Chain::new();
        for class in self.core().classes().all() {
            while let Some(block) = self.leave(class) {
                all.push(block);
            }
            let cap = self.own(|own| std::mem::take(&mut own.caps[class.index()]));
            self.shift_lim(class, -cap.cast_signed());
        }
        self.core().budget().give(self.own(|own| std::mem::take(&mut own.lease)));
        all
    }
}
