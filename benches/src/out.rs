//! What the program prints, for a reader that may stop reading.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints one line, or several. `println!` would panic where nobody reads any more.
///
/// # Errors
///
/// What the standard output answers.
pub fn say(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Whether it went wrong only because the reader of the output has gone: no failure of ours.
#[must_use]
pub fn nobody_reads(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
