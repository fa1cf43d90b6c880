//! Where blocks come from: one type per crate, each in the quickest way that crate has.
//!
//! A block is got with room for `size` bytes, made shareable where its crate can share, and
//! dropped. Nothing is written into it, unless the crate would otherwise not keep the block.

use std::hint::black_box;
use std::sync::LazyLock;

use aqueduct::{Pool, Slice};
use arc_slice::layout::ArcLayout;
use arc_slice::{ArcBytes, ArcBytesMut};
use bytes::{Bytes, BytesMut};
use hipstr::HipByt;
use ntex_bytes::BytePageSize;
use opool::PoolAllocator;
use tendril::{Atomic, Tendril};
use zeropool::ZeroPool;

use crate::measure::OURS;

/// Blocks that any pool below is let keep, so that no row runs into a limit.
const KEPT: usize = 1024;

/// Ours has its limit in bytes. The most that is alive at once are 64 blocks of 64 KiB, which with
/// their headers are somewhat more than 4 MiB; of what a thread may keep, half is for blocks that it
/// drops itself.
const KEPT_BYTES: usize = 16 << 20;

/// The type of block that a source gives out.
pub type Block<S> = <S as Source>::Block;

/// Gives out blocks of one size.
pub trait Source: Sized + 'static {
    /// A block that goes back where it came from when it is dropped.
    type Block: 'static;
    /// The key in the report.
    const KEY: &'static str;
    /// What it does less, or otherwise.
    const NOTE: &'static str = "";

    /// Prepares to give out blocks with room for `size` bytes.
    fn new(size: usize) -> Self;

    /// Gets one.
    fn get(&self) -> Self::Block;

    /// Called on a thread that only drops blocks.
    fn prepare_dropper(&self) {}
}

/// Ours: a block of a pool, frozen.
#[derive(Debug)]
pub struct AqueductBlocks {
    pool: &'static Pool,
    size: usize,
}

impl AqueductBlocks {
    /// Blocks of a pool other than the process's own.
    #[must_use]
    pub fn of(pool: &'static Pool, size: usize) -> Self {
        Self { pool, size }
    }
}

impl Source for AqueductBlocks {
    type Block = Slice;
    const KEY: &'static str = OURS;
    const NOTE: &'static str = "a pool that keeps 16 MiB per thread: 64 blocks of 64 KiB are 4 \
                                MiB, and half of it is for blocks that the thread drops itself";

    fn new(size: usize) -> Self {
        static ROOMY: LazyLock<Pool> = LazyLock::new(|| {
            let built = Pool::builder().keep_per_thread(KEPT_BYTES).build();
            built.expect("a lease of a few MiB is less than the default for all threads")
        });
        Self::of(&ROOMY, size)
    }

    #[inline]
    fn get(&self) -> Slice {
        self.pool.get(black_box(self.size)).freeze()
    }
}

/// Ours as it comes: [`AqueductBlocks`] of a pool with the settings of [`Pool::new`].
#[derive(Debug)]
pub struct DefaultBlocks(AqueductBlocks);

impl Source for DefaultBlocks {
    type Block = Slice;
    const KEY: &'static str = OURS;
    const NOTE: &'static str = "a pool of default settings, which keeps 1 MiB per thread, of the 4 \
                                MiB alive here: the rest goes by way of the shared lists";

    fn new(size: usize) -> Self {
        static DEFAULT: LazyLock<Pool> = LazyLock::new(Pool::new);
        Self(AqueductBlocks::of(&DEFAULT, size))
    }

    #[inline]
    fn get(&self) -> Slice {
        self.0.get()
    }
}

/// The heap alone, which is what a program without a pool does.
#[derive(Debug)]
pub struct VecBlocks(usize);

impl Source for VecBlocks {
    type Block = Vec<u8>;
    const KEY: &'static str = "vec";
    const NOTE: &'static str = "no count: cannot be shared or sliced";

    fn new(size: usize) -> Self {
        Self(size)
    }

    #[inline]
    fn get(&self) -> Vec<u8> {
        Vec::with_capacity(black_box(self.0))
    }
}

/// `bytes`: its allocation per block, frozen.
#[derive(Debug)]
pub struct BytesBlocks(usize);

impl Source for BytesBlocks {
    type Block = Bytes;
    const KEY: &'static str = "bytes";

    fn new(size: usize) -> Self {
        Self(size)
    }

    #[inline]
    fn get(&self) -> Bytes {
        BytesMut::with_capacity(black_box(self.0)).freeze()
    }
}

/// `arc-slice`: count and data in one allocation, frozen.
#[derive(Debug)]
pub struct ArcSliceBlocks(usize);

impl Source for ArcSliceBlocks {
    type Block = ArcBytes<ArcLayout>;
    const KEY: &'static str = "arc-slice";

    fn new(size: usize) -> Self {
        Self(size)
    }

    #[inline]
    fn get(&self) -> ArcBytes<ArcLayout> {
        ArcBytesMut::<ArcLayout>::with_capacity(black_box(self.0)).freeze()
    }
}

/// `ntex-bytes`: a page of its thread's cache, frozen.
#[derive(Debug)]
pub struct NtexBlocks(BytePageSize);

impl Source for NtexBlocks {
    type Block = ntex_bytes::Bytes;
    const KEY: &'static str = "ntex-bytes";
    const NOTE: &'static str =
        "from its page cache; writes the 25 bytes below which it would inline";

    fn new(size: usize) -> Self {
        let page = BytePageSize::for_capacity(size);
        let source = Self(page);
        source.prepare_dropper();
        source
    }

    #[inline]
    fn get(&self) -> ntex_bytes::Bytes {
        let mut page = ntex_bytes::BytesMut::with_page_size(black_box(self.0));
        page.extend_from_slice(&[0; 25]);
        page.freeze()
    }

    fn prepare_dropper(&self) {
        ntex_bytes::set_page_cache_size(self.0, KEPT);
    }
}

/// `hipstr`: a string with room, which is its shareable form as it stands.
#[derive(Debug)]
pub struct HipstrBlocks(usize);

impl Source for HipstrBlocks {
    type Block = HipByt<'static>;
    const KEY: &'static str = "hipstr";

    fn new(size: usize) -> Self {
        Self(size)
    }

    #[inline]
    fn get(&self) -> HipByt<'static> {
        HipByt::with_capacity(black_box(self.0))
    }
}

/// `tendril` with its atomic count.
#[derive(Debug)]
pub struct TendrilBlocks(u32);

impl Source for TendrilBlocks {
    type Block = Tendril<tendril::fmt::Bytes, Atomic>;
    const KEY: &'static str = "tendril";
    const NOTE: &'static str = "exclusive until it is first cloned";

    fn new(size: usize) -> Self {
        Self(u32::try_from(size).expect("the rows' sizes fit in 32 bits"))
    }

    #[inline]
    fn get(&self) -> Self::Block {
        Tendril::with_capacity(black_box(self.0))
    }
}

/// `zeropool` with room for every row in its thread cache, and without zeroing.
#[derive(Debug)]
pub struct ZeropoolBlocks {
    pool: &'static ZeroPool,
    size: usize,
}

impl Source for ZeropoolBlocks {
    type Block = zeropool::BufUninit<'static>;
    const KEY: &'static str = "zeropool";
    const NOTE: &'static str = "no count: cannot be shared or sliced";

    fn new(size: usize) -> Self {
        let pool = ZeroPool::new().tls_cache_size(KEPT / 2).max_buffers_per_class(KEPT);
        Self { pool: Box::leak(Box::new(pool)), size }
    }

    #[inline]
    fn get(&self) -> Self::Block {
        self.pool.alloc_uninit(black_box(self.size))
    }
}

/// Makes the objects of `opool`.
#[derive(Debug)]
pub struct VecMaker(usize);

impl PoolAllocator<Vec<u8>> for VecMaker {
    fn allocate(&self) -> Vec<u8> {
        Vec::with_capacity(self.0)
    }
}

/// `opool` for one thread, which is its quicker pool.
pub struct LocalOpoolBlocks(&'static opool::LocalPool<VecMaker, Vec<u8>>);

impl Source for LocalOpoolBlocks {
    type Block = opool::RefLocalGuard<'static, VecMaker, Vec<u8>>;
    const KEY: &'static str = "opool";
    const NOTE: &'static str = "one size, one thread, no count: cannot be sent, shared or sliced";

    fn new(size: usize) -> Self {
        Self(Box::leak(Box::new(opool::LocalPool::new(KEPT, VecMaker(size)))))
    }

    #[inline]
    fn get(&self) -> Self::Block {
        self.0.get()
    }
}

/// `opool` between threads.
pub struct OpoolBlocks(&'static opool::Pool<VecMaker, Vec<u8>>);

impl Source for OpoolBlocks {
    type Block = opool::RefGuard<'static, VecMaker, Vec<u8>>;
    const KEY: &'static str = "opool";
    const NOTE: &'static str = "one size, no count: cannot be shared or sliced";

    fn new(size: usize) -> Self {
        Self(Box::leak(Box::new(opool::Pool::new(KEPT, VecMaker(size)))))
    }

    #[inline]
    fn get(&self) -> Self::Block {
        self.0.get()
    }
}

macro_rules! opaque_debug {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

// The pools within have no `Debug` of their own.
opaque_debug!(LocalOpoolBlocks, OpoolBlocks);

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows freeze blocks in which nothing was written: they must be blocks nevertheless.
    #[test]
    fn ours_keeps_a_block_that_is_frozen_empty() {
        for size in [256, 4096, 65536] {
            let block = AqueductBlocks::new(size).get();
            assert!(!block.is_inline());
            assert!(block.pinned_bytes() >= size, "{size}: {}", block.pinned_bytes());
        }
    }
}
