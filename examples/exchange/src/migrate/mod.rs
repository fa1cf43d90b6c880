//! The original's log becomes one of ours: `exchange migrate OLD NEW`.
//!
//! Record by record: an order or a cancel of the old log is the order of the same place in the new one,
//! numbered from 1 on. Memory is a block of either. What was converted before an interruption, of whatever
//! kind, is compared and not converted again; at the end all of it is read back and compared.

mod error;
mod program;
mod v2;

pub use error::{Fault, MigrateError};
pub use program::Arguments;
pub use v2::Old;

use crate::log::{Folder, Fsync, Options, Recovery};
use std::{path::Path, time::Duration};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// Records in the old log, and now in the new one.
    pub records: u64,
    /// How many of them were there already.
    pub resumed: u64,
}

/// Records between two looks at the clock, and two reports of progress.
const STRETCH: u64 = 4096;

/// Converts the old log at `old` into the new one in the folder `new`, which is made if there is none, or goes
/// on with. Reports at times how many bytes of the old log were converted, and then compared.
///
/// Linear in the log; memory does not depend on it.
///
/// # Errors
///
/// [`MigrateError`]. What comes before a damaged record is converted, compared and kept.
pub fn migrate(
    old: &Path,
    new: &Path,
    progress: &mut dyn FnMut(Stage, u64, u64),
) -> Result<Migrated, MigrateError> {
    let mut from = Old::open(old)?;
    let size = from.size()?;
    let folder = || {
        let name = || new.display().to_string();
        Folder::open(new).map_err(|source| MigrateError::Io { name: name(), source })
    };
    let mut recovery = Recovery::whole(folder()?)?;
    let resumed = compare(&mut from, &mut recovery, &mut |at| progress(Stage::Convert, at, size))?;

    let fsync = Fsync::Group { every: Duration::from_millis(500), orders: u64::MAX };
    let mut log = recovery.log(Options { fsync, ..Options::default() })?;
    let converted = loop {
        match from.read() {
            Ok(Some(order)) => log.append(&order)?,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
        if log.next().is_multiple_of(STRETCH) {
            log.commit()?;
            progress(Stage::Convert, from.offset(), size);
        }
    };
    log.close()?;

    let mut recovery = Recovery::whole(folder()?)?;
    let mut again = Old::open(old)?;
    let records = compare(&mut again, &mut recovery, &mut |at| progress(Stage::Compare, at, size))?;
    converted.map(|()| Migrated { records, resumed })
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Records are converted.
    Convert,
    /// They are read back and compared.
    Compare,
}

/// Holds all of the new log against as much of the old one; gives how many records it has.
fn compare(
    old: &mut Old,
    new: &mut Recovery<Folder>,
    progress: &mut dyn FnMut(u64),
) -> Result<u64, MigrateError> {
    let mut count = 0;
    while let Some(logged) = new.read()? {
        let (offset, order) = (old.offset(), logged.order());
        count += 1;
        if old.read()? != Some(order) {
            return Err(MigrateError::Differs { seq: count, offset });
        }
        if count.is_multiple_of(STRETCH) {
            progress(offset);
        }
    }
    Ok(count)
}
