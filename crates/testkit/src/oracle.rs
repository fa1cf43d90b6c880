//! The naive model of a handle: a `Vec<u8>`, and the place in a block that it stands for.
//!
//! Correct by being simple: every operation copies. What the real handles share is modelled only as
//! a block's number and a position in it, so that an interpreter can say which neighbours must join
//! and which handle must be alone.

use std::ops::Range;

/// Which block a handle keeps alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId(pub u32);

/// What a handle must show, and where its bytes stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// What the handle must deref to.
    pub bytes: Vec<u8>,
    /// The block it holds a count of; `None` for inline, static and unknown.
    pub block: Option<BlockId>,
    /// The position of the first byte in the block. Prepending may make it negative.
    pub start: i64,
}

impl Model {
    /// Bytes that hold no block.
    #[must_use]
    pub fn loose(bytes: Vec<u8>) -> Model {
        Model { bytes, block: None, start: 0 }
    }

    /// Bytes at the start of a block of their own.
    #[must_use]
    pub fn in_block(bytes: Vec<u8>, block: BlockId) -> Model {
        Model { bytes, block: Some(block), start: 0 }
    }

    /// How many bytes the handle shows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it shows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The part in `range`; `None` where the real operation must refuse.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Option<Model> {
        let bytes = self.bytes.get(range.clone())?.to_vec();
        Some(Model { bytes, block: self.block, start: self.start + offset(range.start) })
    }

    /// Takes the first `at` bytes out; `None` and no change where that must be refused.
    pub fn split_to(&mut self, at: usize) -> Option<Model> {
        let front = self.slice(0..at)?;
        self.advance(at);
        Some(front)
    }

    /// Takes the bytes from `at` on out; `None` and no change where that must be refused.
    pub fn split_off(&mut self, at: usize) -> Option<Model> {
        let back = self.slice(at..self.len())?;
        self.bytes.truncate(at);
        Some(back)
    }

    /// Forgets the first `n` bytes; `false` and no change where that must be refused.
    pub fn advance(&mut self, n: usize) -> bool {
        if n > self.len() {
            return false;
        }
        self.bytes.drain(..n);
        self.start += offset(n);
        true
    }

    /// Puts bytes in front.
    pub fn prepend(&mut self, bytes: &[u8]) {
        self.bytes.splice(0..0, bytes.iter().copied());
        self.start -= offset(bytes.len());
    }

    /// Appends the other's bytes.
    pub fn append(&mut self, other: &Model) {
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Whether `next` must join behind this one: the same block, not empty, neighbours.
    #[must_use]
    pub fn joins(&self, next: &Model) -> bool {
        let end = self.start + offset(self.len());
        let known = self.block.is_some() && self.block == next.block;
        known && !self.is_empty() && !next.is_empty() && end == next.start
    }
}

fn offset(n: usize) -> i64 {
    i64::try_from(n).expect("a model is shorter than 2^63 bytes")
}

/// What can be said of the number of other handles of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alone {
    /// No other handle holds the block.
    Yes,
    /// At least one does.
    No,
    /// One may: it is empty, or another thread is just dropping it.
    Unknown,
}

/// Whether a handle of `block` is alone, given the other handles, and how many are just dying.
pub fn alone<'a>(
    block: BlockId,
    others: impl IntoIterator<Item = &'a Model>,
    dying: &[BlockId],
) -> Alone {
    let mut found = if dying.contains(&block) { Alone::Unknown } else { Alone::Yes };
    for other in others.into_iter().filter(|m| m.block == Some(block)) {
        if !other.is_empty() {
            return Alone::No;
        }
        found = Alone::Unknown;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_join_and_others_do_not() {
        let mut back = Model::in_block(vec![1, 2, 3, 4], BlockId(1));
        let front = back.split_to(2).expect("in range");
        assert!(front.joins(&back) && !back.joins(&front));
        back.advance(1);
        assert!(!front.joins(&back));
        assert_eq!(back.slice(1..2), None);
        assert_eq!(alone(BlockId(1), [&front], &[]), Alone::No);
        assert_eq!(alone(BlockId(1), [], &[BlockId(1)]), Alone::Unknown);
    }
}
