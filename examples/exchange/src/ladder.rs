//! [`Ladder`]: the prices of one side of a book, sorted.
//!
//! A sorted array of two hundred thousand prices would move a megabyte for a new one, and a tree allocates
//! for it. So the array is cut into blocks of at most [`BLOCK`] prices, and a second array says with which
//! price each begins: a full block is halved, an empty one is kept for the next. Prices stand as keys that
//! rise towards the best, which is thus always the last of the last block. What stands at a price is a
//! [`Level`] with a number of its own, which stays the same when its price moves within the arrays.

use crate::Side;

/// Prices in a block at most: a kilobyte of them with their levels, which is moved in some 20 ns.
const BLOCK: usize = 64;

/// No order, or no level.
pub(crate) const NONE: u32 = u32::MAX;

/// The orders at one price, first to last: the ends of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    pub(crate) price: u64,
    pub(crate) first: u32,
    pub(crate) last: u32,
}

#[derive(Debug)]
struct Block {
    len: usize,
    keys: [u64; BLOCK],
    levels: [u32; BLOCK],
}

/// Where a block stands, and with which key it begins.
#[derive(Clone, Copy, Debug)]
struct Front {
    key: u64,
    block: u32,
}

#[derive(Debug)]
pub(crate) struct Ladder {
    side: Side,
    /// In order. The first begins with the lowest key there may be.
    fronts: Vec<Front>,
    blocks: Vec<Block>,
    free_blocks: Vec<u32>,
    levels: Vec<Level>,
    free_levels: Vec<u32>,
}

impl Ladder {
    /// With room for so many prices before anything is allocated, unless they come and go in a way that
    /// leaves blocks nearly empty.
    pub(crate) fn new(side: Side, prices: usize) -> Self {
        let blocks = prices / (BLOCK / 2) + 1;
        let mut ladder = Self {
            side,
            fronts: Vec::with_capacity(blocks),
            blocks: Vec::with_capacity(blocks),
            free_blocks: Vec::with_capacity(blocks),
            levels: Vec::with_capacity(prices),
            free_levels: Vec::with_capacity(prices),
        };
        let block = ladder.block();
        ladder.fronts.push(Front { key: 0, block });
        ladder
    }

    /// A number that is the higher the better the price.
    #[inline]
    fn key(&self, price: u64) -> u64 {
        match self.side {
            Side::Buy => price,
            Side::Sell => !price,
        }
    }

    /// The level of the best price.
    #[inline]
    pub(crate) fn best(&self) -> Option<u32> {
        let block = &self.blocks[self.fronts.last()?.block as usize];
        // Only a first block that is the last may be empty.
        Some(block.levels[block.len.checked_sub(1)?])
    }

    #[inline]
    pub(crate) fn level(&self, level: u32) -> &Level {
        &self.levels[level as usize]
    }

    #[inline]
    pub(crate) fn level_mut(&mut self, level: u32) -> &mut Level {
        &mut self.levels[level as usize]
    }

    /// Levels, the best first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Level> {
        let blocks = self.fronts.iter().rev().map(|front| &self.blocks[front.block as usize]);
        let levels = blocks.flat_map(|block| block.levels[..block.len].iter().rev());
        levels.map(|level| self.level(*level))
    }

    /// The level of a price, an empty one if there was none. Logarithmic.
    pub(crate) fn at(&mut self, price: u64) -> u32 {
        let key = self.key(price);
        let mut front = self.front(key);
        let block = &self.blocks[self.fronts[front].block as usize];
        let mut at = match block.keys[..block.len].binary_search(&key) {
            Ok(at) => return block.levels[at],
            Err(at) => at,
        };
        if block.len == BLOCK {
            self.halve(front);
            if at > BLOCK / 2 {
                (front, at) = (front + 1, at - BLOCK / 2);
            }
        }
        let level = match self.free_levels.pop() {
            Some(level) => level,
            None => {
                self.levels.push(Level { price: 0, first: NONE, last: NONE });
                u32::try_from(self.levels.len() - 1).expect("no more levels than orders")
            }
        };
        self.levels[level as usize] = Level { price, first: NONE, last: NONE };
        let block = &mut self.blocks[self.fronts[front].block as usize];
        shift(&mut block.keys[at..=block.len], key);
        shift(&mut block.levels[at..=block.len], level);
        block.len += 1;
        level
    }

    /// Forgets a level that is empty. Logarithmic.
    pub(crate) fn remove(&mut self, level: u32) {
        let key = self.key(self.level(level).price);
        let front = self.front(key);
        let place = self.fronts[front].block;
        let block = &mut self.blocks[place as usize];
        let Ok(at) = block.keys[..block.len].binary_search(&key) else { return };
        self.free_levels.push(level);
        block.keys[at..block.len].rotate_left(1);
        block.levels[at..block.len].rotate_left(1);
        block.len -= 1;
        if block.len == 0 && self.fronts.len() > 1 {
            self.fronts.remove(front);
            self.fronts[0].key = 0;
            self.free_blocks.push(place);
        }
    }

    /// The last block that begins with at most `key`.
    #[inline]
    fn front(&self, key: u64) -> usize {
        self.fronts.partition_point(|front| front.key <= key) - 1
    }

    /// Moves the upper half of a block to one of its own.
    #[cold]
    fn halve(&mut self, front: usize) {
        let upper = self.block();
        let lower = self.fronts[front].block as usize;
        let (keys, levels) = (self.blocks[lower].keys, self.blocks[lower].levels);
        self.blocks[lower].len = BLOCK / 2;
        let block = &mut self.blocks[upper as usize];
        for at in 0..BLOCK / 2 {
            block.keys[at] = keys[BLOCK / 2 + at];
            block.levels[at] = levels[BLOCK / 2 + at];
        }
        block.len = BLOCK / 2;
        self.fronts.insert(front + 1, Front { key: block.keys[0], block: upper });
    }

    /// An empty block.
    fn block(&mut self) -> u32 {
        self.free_blocks.pop().unwrap_or_else(|| {
            self.blocks.push(Block { len: 0, keys: [0; BLOCK], levels: [NONE; BLOCK] });
            u32::try_from(self.blocks.len() - 1).expect("no more blocks than levels")
        })
    }
}

/// Puts `value` in front of the others; the last one falls off.
#[inline]
fn shift<T: Copy>(values: &mut [T], value: T) {
    values.rotate_right(1);
    values[0] = value;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// A sorted map is the oracle.
        #[test]
        fn prices_are_sorted(
            steps in proptest::collection::vec((any::<bool>(), 0u64..2_000), 0..4_000),
            sell in any::<bool>(),
        ) {
            let side = if sell { Side::Sell } else { Side::Buy };
            let (mut ladder, mut oracle) = (Ladder::new(side, 10), BTreeMap::new());
            for (insert, price) in steps {
                if insert {
                    let level = ladder.at(price);
                    prop_assert_eq!(*oracle.entry(price).or_insert(level), level);
                    prop_assert_eq!(ladder.level(level).price, price);
                } else if let Some(level) = oracle.remove(&price) {
                    ladder.remove(level);
                }
                let best = if sell { oracle.first_key_value() } else { oracle.last_key_value() };
                prop_assert_eq!(ladder.best(), best.map(|(_, level)| *level));
            }
            let prices: Vec<u64> = ladder.iter().map(|level| level.price).collect();
            let mut expected: Vec<u64> = oracle.into_keys().collect();
            if !sell {
                expected.reverse();
            }
            prop_assert_eq!(prices, expected);
        }
    }
}
