//! One hot operation of ours, so many times and nothing else: what callgrind counts.

use std::error::Error;
use std::io;

use crate::measure::OURS;
use crate::out::say;
use crate::rows;

/// The names, one per line.
///
/// # Errors
///
/// When they cannot be printed.
pub fn list() -> io::Result<()> {
    for row in rows::all() {
        if let Some(name) = rows::counted_name(&row.id) {
            say(name)?;
        }
    }
    Ok(())
}

/// Runs the operation so many times. For `live64` an operation is to fill the Vec and clear it.
///
/// # Errors
///
/// For a name that is not in the list.
pub fn run(name: &str, operations: u64) -> Result<(), Box<dyn Error>> {
    let mut subject = rows::ours(name).ok_or_else(|| format!("{OURS} has no operation {name}"))?;
    subject.work.repeat(operations);
    Ok(())
}
