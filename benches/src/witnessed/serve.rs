//! The file server, with a client that copies nothing in this process.

use std::error::Error;

pub(super) use ::patterns::serve::Way;
use aqueduct::meter;

use super::{BLOCK, Ran};
use crate::folder::Folder;
use crate::serve::load::Load;
use crate::serve::{NAME, start};
use crate::web::load::latencies;

/// So many files of a block each, one after the other.
pub(super) fn files(way: Way, operations: u64) -> Result<Ran, Box<dyn Error>> {
    let folder = Folder::new()?;
    folder.file(NAME, BLOCK)?;
    let server = start(&folder, way)?;
    let mut load = Load::connect(server.address(), 1, BLOCK)?;
    let mut latencies = latencies()?;
    let before = meter::process();
    load.run(operations, &mut latencies)?;
    let copied = (meter::process() - before).bytes;
    Ok(Ran { operations, payload: operations * BLOCK as u64, copied })
}
