//! [`Table`]: blocks that are registered with the kernel, and who has them.

use aqueduct_slice::{Slice, SliceMut};
use std::collections::VecDeque;

/// A place in the kernel's table.
#[derive(Clone, Copy)]
pub(crate) struct FixedIndex(pub(super) u16);

/// Registered blocks. The table keeps a handle on each one that no operation has, so that none goes back
/// to its pool, and another way, while the kernel knows it; one that somebody read is used again when
/// the table's handle is the only one left.
#[derive(Default)]
pub(crate) struct Table {
    idle: Vec<(FixedIndex, SliceMut)>,
    /// Those that were filled, the oldest in front.
    lent: VecDeque<(FixedIndex, Slice)>,
}

impl Table {
    pub(super) fn new(blocks: impl Iterator<Item = SliceMut>) -> Self {
        Self { idle: (0..).map(FixedIndex).zip(blocks).collect(), lent: VecDeque::new() }
    }

    /// A block of which nobody holds a slice any more. The one that was lent first is looked at first,
    /// as it is the likeliest to be back; then those that were never lent; then all others. Each that is
    /// looked at in vain goes to the back, so that one that is kept for long is not in the way.
    pub(crate) fn take(&mut self) -> Option<(FixedIndex, SliceMut)> {
        self.take_back().or_else(|| self.idle.pop()).or_else(|| {
            let rest = self.lent.len().saturating_sub(1);
            (0..rest).find_map(|_| self.take_back())
        })
    }

    fn take_back(&mut self) -> Option<(FixedIndex, SliceMut)> {
        let (index, slice) = self.lent.pop_front()?;
        match slice.try_into_mut() {
            Ok(mut block) => {
                block.clear();
                Some((index, block))
            }
            Err(slice) => {
                self.lent.push_back((index, slice));
                None
            }
        }
    }

    /// Takes a block back that has no data.
    pub(crate) fn give_back(&mut self, index: FixedIndex, block: SliceMut) {
        self.idle.push((index, block));
    }

    /// The data of a block, which is taken back when the last of its slices is gone.
    pub(crate) fn lend(&mut self, index: FixedIndex, block: SliceMut) -> Slice {
        let slice = block.freeze();
        self.lent.push_back((index, slice.clone()));
        slice
    }
}
