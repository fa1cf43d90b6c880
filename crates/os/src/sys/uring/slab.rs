//! [`Slab`]: operations in their slots, found by what the kernel gives back with a completion.

use super::{File, Held};
use std::task::Waker;

/// Where an operation is, and which of all those that were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    index: u32,
    generation: u32,
}

impl Key {
    pub(crate) const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    #[allow(clippy::cast_possible_truncation, reason = "each half is")]
    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32 }
    }
}

/// An operation from its start to its last completion, whatever happens to who started it.
pub(crate) struct Operation {
    /// What the kernel reads and writes.
    pub(crate) held: Held,
    /// Keeps the descriptor from being closed, and its number from being given to another file, before
    /// the kernel has looked it up.
    pub(super) file: File,
    pub(crate) waker: Option<Waker>,
    /// Of the completion that tells it.
    pub(crate) result: Option<i32>,
    /// An entry is with the kernel, or on its way there.
    pub(crate) armed: bool,
    /// Nobody asks for the result any more.
    pub(crate) orphaned: bool,
}

impl Operation {
    pub(super) fn new(held: Held, file: File) -> Self {
        Self { held, file, waker: None, result: None, armed: false, orphaned: false }
    }
}

#[derive(Default)]
struct Slot {
    generation: u32,
    operation: Option<Operation>,
}

#[derive(Default)]
pub(crate) struct Slab {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

impl Slab {
    pub(crate) fn insert(&mut self, operation: Operation) -> Key {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            // The kernel refuses more than 32 Ki entries; so many in flight have no memory.
            u32::try_from(self.slots.len() - 1).unwrap_or_else(|_| unreachable!("2^32 operations"))
        });
        let slot = &mut self.slots[index as usize];
        slot.operation = Some(operation);
        Key { index, generation: slot.generation }
    }

    /// None, when the operation of this key is over.
    pub(crate) fn get(&mut self, key: Key) -> Option<&mut Operation> {
        let slot = self.slots.get_mut(key.index as usize)?;
        slot.operation.as_mut().filter(|_| slot.generation == key.generation)
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Operation> {
        self.get(key)?;
        let slot = &mut self.slots[key.index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(key.index);
        slot.operation.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Those of the operations that there are.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        (0..)
            .zip(&self.slots)
            .filter(|(_, slot)| slot.operation.is_some())
            .map(|(index, slot)| Key { index, generation: slot.generation })
    }
}
