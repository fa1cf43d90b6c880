//! The command line's side of it.

use super::{MigrateError, Stage, migrate};
use clap::Args;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use std::{path::PathBuf, time::Instant};

/// Converts a log of the original's, version 2, into one of this exchange
///
/// Interrupted, it goes on where it ended when it is run again. A damaged log is refused with the offset of
/// the record; what comes before it is converted.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The old log, a file
    old: PathBuf,
    /// The folder of the new log
    new: PathBuf,
}

impl Arguments {
    /// Converts, shows how far it is, and gives what is to be said.
    ///
    /// # Errors
    ///
    /// As [`migrate`].
    pub fn run(&self) -> Result<String, MigrateError> {
        let start = Instant::now();
        let bar = ProgressBar::no_length();
        let look = "{msg} {wide_bar} {bytes}/{total_bytes} {eta}";
        bar.set_style(
            ProgressStyle::with_template(look).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let done = migrate(&self.old, &self.new, &mut |stage, at, of| {
            bar.set_message(match stage {
                Stage::Convert => "converting",
                Stage::Compare => "comparing",
            });
            bar.set_length(of);
            bar.set_position(at);
        });
        bar.finish_and_clear();
        let done = done?;
        Ok(format!(
            "{} records, {} of them from before, compared one by one: {:.2} s",
            HumanCount(done.records),
            HumanCount(done.resumed),
            start.elapsed().as_secs_f64(),
        ))
    }
}
