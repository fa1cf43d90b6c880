//! [`Group`]: blocks from which the kernel takes the next one when a socket has something.
//!
//! Invariants of this file, on [`Group`]:
//!
//! 1. The entries lie in `memory`, which is of whole pages, all zero at first, and stays in place until
//!    the group is dropped: after the ring is closed.
//! 2. The block of each entry between the kernel's head and our tail is in `blocks`, under the entry's
//!    number, and nothing uses its bytes until a completion names that number.
//! 3. There are as many entries as blocks, so that one is never overwritten before it was taken.

use aqueduct_base::sync::atomic::{AtomicU16, Ordering};
use aqueduct_pool::Pool;
use aqueduct_slice::{Slice, SliceMut};
use io_uring::types::BufRingEntry;
use memmap2::MmapMut;
use std::io;

/// Bytes of its block that a byte pays for.
const PAYS: usize = 8;
/// Blocks that a stream may have given away unpaid.
const UNPAID: usize = 4;

/// What the blocks that a stream gave away have beyond what their bytes paid for: so those of any bytes that
/// follow each other are at most [`PAYS`] times as large, and [`UNPAID`] more.
#[derive(Default)]
pub(crate) struct Debt(usize);

impl Debt {
    /// Whether a block of `len` bytes may be given away for the `filled` ones that are in it.
    fn allows(&mut self, len: usize, filled: usize) -> bool {
        let debt = self.0.saturating_add(len).saturating_sub(filled.saturating_mul(PAYS));
        let allowed = debt <= len.saturating_mul(UNPAID);
        if allowed {
            self.0 = debt;
        }
        allowed
    }
}

pub(crate) struct Group {
    memory: MmapMut,
    blocks: Vec<SliceMut>,
    tail: u16,
    pool: Pool,
    len: usize,
}

impl Group {
    /// `count` blocks with room for `len` bytes each; `count` is a power of two of at most 32 Ki.
    pub(crate) fn new(pool: &Pool, count: u16, len: usize) -> io::Result<Self> {
        let memory = MmapMut::map_anon(usize::from(count) * size_of::<BufRingEntry>())?;
        let blocks = (0..count).map(|_| pool.get(len)).collect();
        let mut group = Self { memory, blocks, tail: 0, pool: pool.clone(), len };
        (0..count).for_each(|number| group.offer(number));
        Ok(group)
    }

    pub(super) fn address(&mut self) -> *mut BufRingEntry {
        self.memory.as_mut_ptr().cast()
    }

    pub(super) fn entries(&self) -> u16 {
        u16::try_from(self.blocks.len()).unwrap_or(0)
    }

    /// The block `number`, of which the kernel has filled `filled` bytes; another takes its place. Where the
    /// stream's debt allows no block for so few, a copy of them, and the block is offered again.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out. The block stays where it is then.
    pub(super) fn take(&mut self, number: u16, filled: usize, debt: &mut Debt) -> Slice {
        if !debt.allows(self.len, filled) {
            let mut few = self.pool.get(filled);
            few.extend_from_slice(&self.blocks[usize::from(number)].spare_mut()[..filled]);
            self.offer(number);
            return few.freeze();
        }
        let fresh = self.pool.get(self.len);
        let mut block = std::mem::replace(&mut self.blocks[usize::from(number)], fresh);
        self.offer(number);
        block.commit(filled);
        block.freeze()
    }

    /// Gives the block `number` to the kernel: at the start, and when it was taken or came back unused.
    pub(super) fn offer(&mut self, number: u16) {
        let count = self.entries();
        let room = self.blocks[usize::from(number)].spare_mut();
        let (start, len) = (room.as_mut_ptr(), room.len().min(self.len));
        let place = usize::from(self.tail & (count - 1));
        let base = self.address();
        // SAFETY: the place is below the count, so the entry lies in the memory (1).
        let entry = unsafe { base.add(place) };
        // SAFETY: aligned, as pages are; initialised (1); the kernel reads it no more, or not yet (3).
        let entry = unsafe { &mut *entry };
        entry.set_addr(start.expose_provenance() as u64);
        entry.set_len(u32::try_from(len).unwrap_or(u32::MAX));
        entry.set_bid(number);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: the first entry's memory is there and initialised (1).
        let tail = unsafe { BufRingEntry::tail(base) };
        // SAFETY: aligned as the entry is; we and the kernel reach it as an atomic only.
        let tail = unsafe { &*tail.cast::<AtomicU16>() };
        // Release: the entry is whole before the kernel sees that it is there.
        tail.store(self.tail, Ordering::Release);
    }
}
