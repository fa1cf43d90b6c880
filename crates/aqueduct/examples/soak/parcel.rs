//! [`Parcel`]: bytes on their way, which are checked wherever they are read, and when they are freed.

use crate::ledger::{Ledger, Plant};
use aqueduct::{Pool, Sequence, Slice};
use aqueduct_testkit::Random;
use std::{
    mem::take,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// The largest parcel.
const LARGEST: usize = 128 << 10;

/// Bytes that say by where they start whose they are: the block's tenant before had others.
#[derive(Debug)]
pub struct Parcel {
    bytes: Sequence,
    start: usize,
    ledger: Arc<Ledger>,
}

impl Parcel {
    pub fn new(ledger: &Arc<Ledger>, bytes: impl Into<Sequence>, start: usize) -> Self {
        ledger.alive.fetch_add(1, Relaxed);
        ledger.parcels.fetch_add(1, Relaxed);
        Self { bytes: bytes.into(), start, ledger: Arc::clone(ledger) }
    }

    pub fn bytes(&self) -> &Sequence {
        &self.bytes
    }

    pub fn start(&self) -> usize {
        self.start
    }

    pub fn check(&self, when: &str) {
        let mut start = self.start;
        for segment in self.bytes.as_ref().segments() {
            self.ledger.check(segment, start, when);
            start += segment.len();
        }
    }

    /// Another on the same blocks, of some of the bytes.
    pub fn part(&self, random: &mut Random) -> Self {
        let from = random.below(self.bytes.len() + 1);
        let to = from + random.below(self.bytes.len() - from + 1);
        Self::new(&self.ledger, self.bytes.slice(from..to), self.start + from)
    }

    /// The same bytes in another guise.
    pub fn turn(mut self, random: &mut Random) -> Self {
        let mut bytes = take(&mut self.bytes);
        let start = self.start;
        match random.below(4) {
            0 => self.bytes = in_pieces(bytes.into_slice(), random),
            1 => {
                let mut back = bytes.split_off(random.below(bytes.len() + 1));
                back = back.as_ref().to_sequence();
                bytes.append(back);
                self.bytes = bytes;
            }
            2 => self.bytes = self.locally(bytes.into_slice()).into(),
            // Alone on its block, it writes there what the next tenant is to find.
            _ => match bytes.into_slice().try_into_mut() {
                Ok(mut block) => {
                    self.ledger.check(&block, start, "to be written again");
                    self.start = random.below(1 << 30);
                    self.ledger.fill(&mut block, self.start);
                    self.bytes = block.freeze().into();
                }
                Err(shared) => self.bytes = shared.into(),
            },
        }
        self
    }

    /// Once through handles that count for this thread alone.
    fn locally(&self, slice: Slice) -> Slice {
        match slice.into_local() {
            Err(shared) => shared,
            Ok(local) => {
                let half = local.len() / 2;
                let back = local.slice(half..);
                self.ledger.check(&local, self.start, "local");
                let shared = local.to_shared();
                drop(local);
                self.ledger.check(&back, self.start + half, "the local half");
                shared
            }
        }
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        self.check("at the end");
        self.ledger.alive.fetch_sub(1, Relaxed);
    }
}

fn in_pieces(mut slice: Slice, random: &mut Random) -> Sequence {
    let mut pieces = Vec::new();
    while slice.len() > 64 && pieces.len() < 6 {
        pieces.push(slice.split_to(random.below(slice.len())));
    }
    pieces.push(slice);
    pieces.into_iter().collect()
}

/// Memory of somebody else's, which looks at itself when it is given back.
struct Owner {
    bytes: Vec<u8>,
    start: usize,
    ledger: Arc<Ledger>,
}

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.ledger.check(&self.bytes, self.start, "an owner that is freed");
        self.ledger.alive.fetch_sub(1, Relaxed);
    }
}

/// Where parcels come from.
#[derive(Debug)]
pub struct Maker {
    pub pools: [Pool; 3],
    pub ledger: Arc<Ledger>,
}

impl Maker {
    /// A few bytes mostly, rarely many.
    fn size(random: &mut Random) -> usize {
        let most = [64, 600, 5_000, 20_000][random.below(4)];
        let most = if random.one_in(40) { LARGEST } else { most };
        random.below(most)
    }

    /// New bytes, in one of the ways in which they come to be.
    pub fn make(&self, random: &mut Random) -> Vec<Parcel> {
        let (len, start) = (Self::size(random), random.below(1 << 30));
        if random.one_in(8) {
            return vec![self.foreign(len, start)];
        }
        let pool = &self.pools[random.below(3)];
        // The pool with the hard limit may have nothing more.
        let Ok(mut block) = pool.try_get(len) else { return Vec::new() };
        self.ledger.fill(&mut block.spare_mut()[..len], start);
        if len > 0 && self.ledger.plant == Some(Plant::Byte) && random.one_in(500) {
            block.spare_mut()[len / 2] ^= 1;
        }
        block.commit(len);
        let mut parcels = Vec::new();
        // Parts are frozen in front while the rest of the block is still to be written.
        let mut from = start;
        while block.len() > 64 && random.one_in(3) {
            let front = block.split_frozen(random.below(block.len()));
            let len = front.len();
            parcels.push(Parcel::new(&self.ledger, front, from));
            from += len;
        }
        parcels.push(Parcel::new(&self.ledger, block.freeze(), from));
        parcels
    }

    fn foreign(&self, len: usize, start: usize) -> Parcel {
        let mut bytes = vec![0; len];
        self.ledger.fill(&mut bytes, start);
        self.ledger.alive.fetch_add(1, Relaxed);
        let owner = Owner { bytes, start, ledger: Arc::clone(&self.ledger) };
        Parcel::new(&self.ledger, Slice::from_owner(owner), start)
    }
}
