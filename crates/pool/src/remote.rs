//! Lists of free blocks: a chain that one party owns, and the stack on which other threads return
//! blocks to their owner.
//!
//! Invariants of this file:
//!
//! 1. A chain owns its blocks: each was given up by a [`Block`] and becomes one again once.
//! 2. The stack is pushed to by compare-and-swap and taken whole by swap. No single block is ever
//!    popped, and the old top is never dereferenced, so there is no ABA.
//! 3. Release on the push and Acquire on the swap: what was written to a block on the thread that
//!    dropped it happens before the owner uses it.
//! 4. `bytes` is raised before a push and lowered after a take, so it is never less than what lies
//!    on the stack.

use crate::block::Block;
use aqueduct_base::{
    const_unless_model,
    sync::{
        atomic::{AtomicPtr, AtomicUsize, Ordering},
        twin,
    },
};
use aqueduct_slice::owner::Header;
use std::ptr;

/// Free blocks, linked through their headers. Dropping a chain leaks its blocks.
pub(crate) struct Chain {
    first: *mut Header,
}

// SAFETY: a chain is blocks that belong to whoever holds it (1), and blocks are `Send`.
unsafe impl Send for Chain {}

impl Chain {
    pub(crate) const fn new() -> Self {
        Self { first: ptr::null_mut() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, block: Block) {
        block.set_link(self.first);
        self.first = block.into_raw();
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) -> Option<Block> {
        // SAFETY: the first of our blocks, which stops being one here (1).
        let block = unsafe { Block::from_raw(self.first) }?;
        self.first = block.link();
        Some(block)
    }
}

impl Iterator for Chain {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        self.pop()
    }
}

/// A chain that knows its last block: the form in which blocks travel.
pub(crate) struct Batch {
    chain: Chain,
    last: *mut Header,
    bytes: usize,
    blocks: usize,
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Self { chain: Chain::new(), last: ptr::null_mut(), bytes: 0, blocks: 0 }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, block: Block, bytes: usize) {
        let first = self.chain.is_empty();
        self.chain.push(block);
        if first {
            self.last = self.chain.first;
        }
        self.bytes += bytes;
        self.blocks += 1;
    }

    pub(crate) fn into_chain(self) -> Chain {
        self.chain
    }
}

/// Blocks on their way back to their owner. Any thread pushes, one takes all.
pub(crate) struct Stack {
    top: AtomicPtr<Header>,
    bytes: AtomicUsize,
}

impl Stack {
    const_unless_model! {
        pub(crate) fn new() -> Self {
            Self { top: AtomicPtr::new(ptr::null_mut()), bytes: AtomicUsize::new(0) }
        }
    }

    /// Pushes a batch, unless more than `cap` bytes would lie here: then it comes back.
    pub(crate) fn push(&self, batch: Batch, cap: usize) -> Result<(), Batch> {
        let Some(last) = ({
            // SAFETY: the last block of the batch's chain, borrowed from it to set its link; it is
            // given up again below, before the chain is.
            unsafe { Block::from_raw(batch.last) }
        }) else {
            return Ok(());
        };
        let bytes = batch.bytes;
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed); // (4)
        if before.saturating_add(bytes) > cap {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            let _ = last.into_raw();
            return Err(batch);
        }
        let order = twin::order("remote_push_relaxed", Ordering::Release, Ordering::Relaxed);
        let mut top = self.top.load(Ordering::Relaxed);
        loop {
            last.set_link(top);
            // Release: with the Acquire of `take` (3).
            match self.top.compare_exchange_weak(top, batch.chain.first, order, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => top = now,
            }
        }
        let _ = last.into_raw();
        Ok(())
    }

    /// Takes all blocks. The caller calls [`taken`](Self::taken) with their bytes.
    pub(crate) fn take(&self) -> Chain {
        // A look without a swap: most of the time there is nothing.
        if self.top.load(Ordering::Relaxed).is_null() {
            return Chain::new();
        }
        // Acquire: with the Release of every push, whose chain the swap takes over (3).
        let order = twin::order("remote_take_relaxed", Ordering::Acquire, Ordering::Relaxed);
        Chain { first: self.top.swap(ptr::null_mut(), order) }
    }

    /// Lowers the tally by what was taken (4).
    pub(crate) fn taken(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
