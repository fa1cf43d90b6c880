//! Where blocks go that no thread keeps: home, to everybody, or back to the system.

use crate::{
    block::Block,
    class::Class,
    core::Core,
    heap::Heap,
    outbox::BATCH_BLOCKS,
    remote::{Batch, Chain},
};
use aqueduct_base::sync::atomic::Ordering;

impl Core {
    /// Takes a block of a pool whose blocks all go through the shared lists, and wakes who waits.
    pub(crate) fn give_back(&self, block: Block) {
        let class = block.class();
        let mut chain = Chain::new();
        chain.push(block);
        self.shelve(class, chain);
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
        if let Err(chain) = self.shared().push(self, class, chain) {
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

    /// Returns blocks to their owner; what would be too much there becomes everybody's.
    pub(crate) fn deliver(&self, mut batch: Batch, home: &Heap) {
        let bytes = batch.bytes();
        let cap = home.remote_cap.load(Ordering::Relaxed);
        if cap > 0 && !self.is_closed() && self.budget().take(bytes) {
            match home.remote.push(batch, cap) {
                Ok(()) => return,
                Err(refused) => batch = refused,
            }
            self.budget().give(bytes);
        }
        self.shelve_mixed(batch.into_chain());
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
    pub(crate) fn take_remote(&self, heap: &Heap) -> Chain {
        let (mut blocks, mut bytes) = (Chain::new(), 0);
        for block in heap.remote.take() {
            bytes += self.classes().capacity(block.class());
            blocks.push(block);
        }
        if bytes > 0 {
            heap.remote.taken(bytes);
            self.budget().give(bytes);
        }
        blocks
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
