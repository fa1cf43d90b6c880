//! What command lines have in common, of servers and of others.

use clap::ValueEnum;
use rustix::time::{ClockId, clock_gettime};
use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
    process::ExitCode,
    time::Duration,
};

/// Ends a program: prints what it gives, or behind its name why it failed.
pub fn end(program: &str, done: Result<impl Display, impl Display>) -> ExitCode {
    let why = match done {
        Ok(text) => match write!(io::stdout(), "{text}") {
            Ok(()) => return ExitCode::SUCCESS,
            // Whoever reads may stop reading.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Err(error) => error.to_string(),
        },
        Err(why) => why.to_string(),
    };
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "{program}: {why}");
    ExitCode::FAILURE
}

/// What a choice is called on the command line.
#[must_use]
pub fn name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Processor time of all threads of the process so far.
#[must_use]
pub fn cpu_time() -> Duration {
    // Never negative for this clock.
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default()
}
