//! The file server, with a client that copies nothing in this process.

use std::error::Error;

pub(super) use ::patterns::serve::Way;
use aqueduct::meter;

use super::{BLOCK, Ran};
use crate::clock::latencies;
use crate::folder::Folder;
use crate::serve::load::Load;
use crate::serve::{NAME, start};

/// So many blocks of one file. What is moved about to open it is no payload, and the same for all lengths.
pub(super) fn blocks(way: Way, operations: u64) -> Result<Ran, Box<dyn Error>> {
    let len = usize::try_from(operations)? * BLOCK;
    let folder = Folder::new()?;
    folder.file(NAME, len)?;
    let server = start(&folder, way)?;
    let mut load = Load::connect(server.address(), 1, len)?;
    let mut latencies = latencies();
    let before = meter::process();
    load.run(1, &mut latencies)?;
    let copied = (meter::process() - before).bytes;
    Ok(Ran { operations, payload: len as u64, copied })
}
