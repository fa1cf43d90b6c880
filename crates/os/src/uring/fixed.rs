//! [`Registered`]: blocks that the kernel has looked up once and for all.

use super::{Op, Ring};
use crate::sys::uring::{Done, File, Held};
use aqueduct_pool::Pool;
use aqueduct_slice::Slice;
use std::{io, os::fd::AsFd, sync::Arc};

/// Blocks of a pool that are registered with a ring, so that reading into one need not look its pages up
/// each time.
///
/// A block that was read becomes a [`Slice`], and is read into again when all its slices are gone,
/// wherever that happens: nothing is given back by hand. While all blocks are out, others of the pool are
/// read into in the ordinary way.
///
/// Registered memory is locked: it counts towards the process's limit of that (`ulimit -l`), if it has
/// one, and stays with the ring as long as that lives. Slices may outlive the ring.
#[derive(Clone, Debug)]
pub struct Registered {
    ring: Ring,
    pool: Pool,
    len: usize,
}

impl Ring {
    /// Registers `count` blocks of `pool` with room for `len` bytes each; once in the life of a ring. The
    /// kernel takes 1024, and 16,384 from Linux 5.13 on.
    ///
    /// # Errors
    ///
    /// The system's: `OutOfMemory` at the limit of locked memory, `ResourceBusy` when blocks are
    /// registered already, `InvalidInput` for none or too many.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    pub fn register(&self, pool: &Pool, count: u16, len: usize) -> io::Result<Registered> {
        let blocks = (0..count).map(|_| pool.get(len)).collect();
        self.core.borrow_mut().register(blocks)?;
        Ok(Registered { ring: self.clone(), pool: pool.clone(), len })
    }
}

impl Registered {
    /// Reads at most `len` bytes of a file from `offset` on, and no more than a block has room for. Fewer
    /// come at the end of the file, none at its end. For `O_DIRECT` see [`Ring::read_at`].
    ///
    /// Finding a block takes constant time while few slices are kept, and looks at each block when all
    /// are.
    ///
    /// # Panics
    ///
    /// As `Vec` does, when memory is out.
    pub fn read_at(
        &self,
        file: &Arc<impl AsFd + 'static>,
        offset: u64,
        len: usize,
    ) -> Op<io::Result<Slice>> {
        let len = len.min(self.len);
        // First: it is other people's code, and a block that was taken has to go back.
        let file = File::new(Arc::clone(file) as Arc<dyn AsFd>);
        let taken = self.ring.core.borrow_mut().table.take();
        let held = match taken {
            Some((index, block)) => Held::ReadFixed { block, len, offset, index },
            None => Held::Read { block: self.pool.get(self.len), len, offset: Some(offset) },
        };
        self.ring.begin(held, file, filled)
    }
}

fn filled(ring: &Ring, done: Done) -> io::Result<Slice> {
    match (done.result, done.held) {
        (Ok(read), Some(Held::ReadFixed { mut block, index, .. })) => {
            block.commit(read);
            Ok(ring.core.borrow_mut().table.lend(index, block))
        }
        (Err(refused), Some(Held::ReadFixed { block, index, .. })) => {
            ring.core.borrow_mut().table.give_back(index, block);
            Err(refused)
        }
        (Ok(read), Some(Held::Read { mut block, .. })) => {
            block.commit(read);
            Ok(block.freeze())
        }
        (result, _) => result.map(|_| Slice::new()),
    }
}
