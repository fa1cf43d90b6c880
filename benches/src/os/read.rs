//! A file's bytes, got and looked at, in every way.

use std::fs::File;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use aqueduct::Pool;
use aqueduct::os::uring::Ring;
use rustix::buffer::spare_capacity;
use rustix::io::pread;

use super::ground::{FILE, Ground, see};
use super::{Entrant, Entrants, Spent, Work};
use crate::clock::process_cpu;
use crate::measure::OURS;

/// What `O_DIRECT` wants.
const ALIGNMENT: usize = 4096;

/// Blocks that are registered: the one that is read into, and one more.
const BLOCKS: u16 = 2;

/// Through the system's cache, where all bytes are.
pub(super) fn cached(ground: &Rc<Ground>, len: usize) -> Vec<Entrant> {
    let mut entrants = into_blocks(&ground.cached, Pool::global(), len);
    let file = Arc::clone(&ground.cached);
    entrants.push(Entrant::new("vec", "read into a new Vec", move || {
        Ok(each(len, move |at| {
            let mut bytes = Vec::with_capacity(len);
            pread(&file, spare_capacity(&mut bytes), at)?;
            see(&bytes, len)
        }))
    }));
    let own = Rc::clone(ground);
    entrants.push(Entrant::new("mapped", "the whole file, mapped before", move || {
        let view = own.view()?;
        Ok(each(len, move |at| see(&view[position(at)..position(at) + len], len)))
    }));
    let own = Rc::clone(ground);
    entrants.push(Entrant::new("mapped-anew", "a map for each read", move || {
        Ok(each(len, move |at| see(&Ground::view_part(&own, at, len)?, len)))
    }));
    entrants
}

/// Past the cache, from the device.
pub(super) fn direct(ground: &Rc<Ground>, len: usize) -> Entrants {
    let file = ground.direct.as_ref().map_err(ToString::to_string)?;
    let pool = Pool::builder().alignment(ALIGNMENT).build().map_err(|error| error.to_string())?;
    Ok(into_blocks(file, &pool, len))
}

/// The ways into blocks of a pool.
fn into_blocks(file: &Arc<File>, pool: &Pool, len: usize) -> Vec<Entrant> {
    let mine = || (Arc::clone(file), pool.clone());
    let (by_pread, by_read, by_read_fixed) = (mine(), mine(), mine());
    vec![
        Entrant::new(OURS, "pread into a pooled block", move || {
            let (file, pool) = by_pread;
            Ok(each(len, move |at| {
                let mut block = pool.get(len);
                let read = pread(&file, &mut block.spare_mut()[..len], at)?;
                block.commit(read);
                see(&block.freeze(), len)
            }))
        }),
        Entrant::new("read", "io_uring's READ into a pooled block", move || {
            let (file, pool) = by_read;
            let ring = Ring::new(8)?;
            Ok(each(len, move |at| {
                let (read, block) = ring.read_at(&file, at, len, pool.get(len)).wait();
                read?;
                see(&block.freeze(), len)
            }))
        }),
        Entrant::new("read-fixed", "READ_FIXED into a registered block", move || {
            let (file, pool) = by_read_fixed;
            let blocks = Ring::new(8)?.register(&pool, BLOCKS, len)?;
            Ok(each(len, move |at| see(&blocks.read_at(&file, at, len).wait()?, len)))
        }),
    ]
}

/// Reads the file from front to back, a part at a time, over and over.
fn each(len: usize, mut read: impl FnMut(u64) -> io::Result<()> + 'static) -> Work {
    let mut at = 0;
    Box::new(move |count| {
        let (begun, cpu) = (Instant::now(), process_cpu());
        for _ in 0..count {
            read(at)?;
            at = (at + len as u64) % FILE as u64;
        }
        Ok(Spent { cpu: process_cpu() - cpu, receiver: 0, wall: super::since(begun) })
    })
}

/// An offset within the file, which is in memory.
#[expect(clippy::cast_possible_truncation, reason = "less than FILE")]
fn position(at: u64) -> usize {
    at as usize
}
