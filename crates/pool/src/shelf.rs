//! Where blocks go that no thread keeps: home, to everybody, or back to the system.

use crate::{
    block::Block,
    chain::Chain,
    class::Class,
    core::Core,
    heap::Heap,
    remote::{BATCH_BLOCKS, Batch, Pile},
};
use aqueduct_base::sync::atomic::Ordering;

/// Empty batches that are kept for anybody, and that a thread takes at a time: 19 KiB of them.
pub(crate) const SPARE: usize = 64;

impl Core {
    /// Takes a block of a pool whose blocks all go through the shared lists, and wakes who waits.
    pub(crate) fn give_back(&self, block: Block) {
        let class = block.class();
        self.shelve(class, Chain::of(block));
        self.waiters.wake();
    }

    /// Leaves blocks of one class for everybody, or gives them to the system when enough are kept.
    pub(crate) fn shelve(&self, class: Class, chain: Chain) {
        if chain.is_empty() {
            return;
        }
        let (chain, blocks) = count(chain);
        let bytes = blocks * self.classes().capacity(class);
        if self.is_closed() || !self.budget().take(bytes) {
            return self.free_chain(chain);
        }
        if let Err(chain) = self.shared().push(class, chain) {
            self.budget().give(bytes);
            self.free_chain(chain);
        }
    }

    /// As [`shelve`](Self::shelve), for blocks of any classes.
    pub(crate) fn shelve_mixed(&self, chain: Chain) {
        let mut run = Chain::new();
        let (mut class, mut len) = (None, 0);
        for block in chain {
            if class != Some(block.class()) || len == BATCH_BLOCKS {
                if let Some(class) = class {
                    self.shelve(class, std::mem::replace(&mut run, Chain::new()));
                }
                (class, len) = (Some(block.class()), 0);
            }
            run.push(block);
            len += 1;
        }
        if let Some(class) = class {
            self.shelve(class, run);
        }
    }

    /// Takes blocks of one class from the shared list.
    pub(crate) fn unshelve(&self, class: Class) -> Option<Chain> {
        let (chain, blocks) = count(self.shared().pop(class)?);
        self.budget().give(blocks * self.classes().capacity(class));
        Some(chain)
    }

    /// Returns blocks to their owner, with the lease for them; what would be too much there becomes
    /// everybody's.
    ///
    /// A heap that gave up collecting in this very moment keeps the batch, and its lease, until it is
    /// adopted or the pool is trimmed.
    pub(crate) fn deliver(&self, batch: Box<Batch>) {
        let (class, bytes) = (batch.class(), batch.bytes());
        let Some(home) = batch.home() else { return };
        let cap = home.remote_cap.load(Ordering::Relaxed);
        let refused = if cap > 0 && !self.is_closed() {
            home.remote.push(Pile::of(batch), bytes, cap).err()
        } else {
            Some(Pile::of(batch))
        };
        if let Some(batches) = refused {
            self.budget().give(bytes);
            self.shelve(class, self.unload(batches));
        }
    }

    pub(crate) fn free_chain(&self, chain: Chain) {
        let mut bytes = 0;
        for block in chain {
            bytes += self.footprint(block.class());
            block.free();
        }
        if bytes > 0 {
            self.let_go(bytes);
        }
    }

    /// Takes all that was returned to `heap`. Anybody may take a stack whole.
    pub(crate) fn take_remote(&self, heap: &Heap) -> Pile {
        let batches = heap.remote.take();
        let bytes = batches.iter().map(Batch::bytes).sum();
        if bytes > 0 {
            heap.remote.taken(bytes);
            self.budget().give(bytes);
        }
        batches
    }

    /// Gives all that was returned to `heap` to the system.
    pub(crate) fn free_remote(&self, heap: &Heap) {
        self.free_chain(self.unload(self.take_remote(heap)));
    }

    /// The blocks of batches, which are left for others.
    pub(crate) fn unload(&self, batches: Pile) -> Chain {
        let mut chain = Chain::new();
        for mut batch in batches {
            chain.extend(std::iter::from_fn(|| batch.pop()));
            self.reuse(Pile::of(batch));
        }
        chain
    }

    /// Keeps empty batches for who sends some, if there are few.
    pub(crate) fn reuse(&self, batches: Pile) {
        let count = batches.iter().count();
        drop(self.spare_batches().push(batches, count, SPARE));
        if self.is_closed() {
            drop(self.spare());
        }
    }

    /// All empty batches.
    pub(crate) fn spare(&self) -> Pile {
        let batches = self.spare_batches().take();
        self.spare_batches().taken(batches.iter().count());
        batches
    }
}

/// A chain, and how many blocks it has.
fn count(chain: Chain) -> (Chain, usize) {
    let (mut counted, mut blocks) = (Chain::new(), 0);
    for block in chain {
        counted.push(block);
        blocks += 1;
    }
    (counted, blocks)
}
