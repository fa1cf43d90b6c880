//! A list of free blocks that are linked through their headers: how blocks move where speed does not
//! matter.
//!
//! Invariant of this file: a chain owns its blocks. Each was given up by a [`Block`] and becomes one
//! again once.

use crate::block::Block;
use aqueduct_slice::owner::Header;
use std::ptr;

/// Free blocks, linked through their headers. Dropping a chain leaks its blocks.
pub(crate) struct Chain {
    first: *mut Header,
}

// SAFETY: a chain is blocks that belong to whoever holds it, and blocks are `Send`.
unsafe impl Send for Chain {}

impl Chain {
    pub(crate) const fn new() -> Self {
        Self { first: ptr::null_mut() }
    }

    /// A chain of one.
    pub(crate) fn of(block: Block) -> Self {
        let mut chain = Self::new();
        chain.push(block);
        chain
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    pub(crate) fn push(&mut self, block: Block) {
        block.set_link(self.first);
        self.first = block.into_raw().as_ptr();
    }

    pub(crate) fn pop(&mut self) -> Option<Block> {
        let first = ptr::NonNull::new(self.first)?;
        // SAFETY: the first of our blocks, which stops being one here.
        let block = unsafe { Block::from_raw(first) };
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

impl Extend<Block> for Chain {
    fn extend<I: IntoIterator<Item = Block>>(&mut self, blocks: I) {
        blocks.into_iter().for_each(|block| self.push(block));
    }
}
