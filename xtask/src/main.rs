//! Aqueduct's own checks, run as `cargo xtask COMMAND`.
//!
//! Every command ends with exit code 0 when what it checks holds, and with 1 and a line that says
//! what to do when it does not. One command is one file of this crate, or one folder.

#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    reason = "a tool copies strings; the ban protects payload bytes in the published crates"
)]

use std::process::ExitCode;

mod api;
mod book;
mod counts;
mod coverage;
#[cfg(test)]
mod dependencies;
mod features;
mod fuzz;
mod listed;
mod long;
mod loom;
mod miri;
mod mutants;
mod named;
mod parity;
mod planted;
mod process;
mod sanitize;
mod shuttle;
mod soak;
mod source;
mod test_binary;
mod tidy;
mod tree;
mod tsan;
mod valgrind;
mod witness;
mod workspace;

const HELP: &str = "\
cargo xtask COMMAND

  tidy                      layers, unsafe files, lengths, inherited versions, forbidden names
  book                      links and code blocks of the book and of every README, and files that the
                            book names; builds it where mdbook is installed
  api [--update] [--if-present]
                            the published crates' public items against docs/api
  loom [--twins|--deep] [NAME]
                            every loom model; or every model's negative twin; or every model as
                            deep as it ends in ten minutes (hours)
  sanitize [asan|memcheck] [NAME]
                            the suite under AddressSanitizer (default), debug and release, or the
                            crates' under valgrind's memcheck
  sanitize tsan             the soak under ThreadSanitizer, a minute, and weakened twins of it
  soak [--minutes N]        threads that pass blocks to each other (30 minutes)
  miri [--tree] [NAME]      the crates with unsafe code, but aqueduct-os, under Miri, by Stacked or Tree
                            Borrows
  features [--bare] [NAME]  each published crate with no, each, and all features, and what can do without
                            std for a target that has none; or that target alone
  fuzz [TARGET] [SECONDS]   cargo-fuzz targets (all of them, 60 seconds of CPU time each), and their
                            rows for the ledger
  fuzz --minimise [TARGET]  what they found into the committed corpora, as little as reaches as much
  coverage [NAME]           lines of the files with unsafe that the tests run: 90 % of each
  mutants [FILE] [K/N]      cargo-mutants on the files with unsafe, or on every N-th mutant of each
  planted [NN]              bugs put in on purpose: the command that each names must catch it
  counts [--update] [--if-present]
                            instructions per hot operation against benches/counts.json
  witness [--if-present]    the copy meter against valgrind's own count of copied bytes
  shuttle [--long]          many tasks under a hundred random schedules, or ten thousand, and twins
  named                     which named tests, loom models and cases exist, which are missing
  parity                    docs/parity.md: which test answers which numbered case of the pipe
  long NAME                 the tests of that name at a hundred times their ordinary size
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, rest)) = args.split_first() else {
        eprint!("{HELP}");
        return ExitCode::from(2);
    };
    let outcome = match command.as_str() {
        "tidy" => tidy::run(rest),
        "api" => api::run(rest),
        "book" => book::run(rest),
        "loom" => loom::run(rest),
        "sanitize" => sanitize::run(rest),
        "miri" => miri::run(rest),
        "coverage" => coverage::run(rest),
        "features" => features::run(rest),
        "fuzz" => fuzz::run(rest),
        "counts" => counts::run(rest),
        "witness" => witness::run(rest),
        "soak" => soak::run(rest),
        "shuttle" => shuttle::run(rest),
        "mutants" => mutants::run(rest),
        "planted" => planted::run(rest),
        "named" => named::run(rest),
        "parity" => parity::run(rest),
        "long" => long::run(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("no such command; `cargo xtask help` lists them: {other}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask {command}: {message}");
            ExitCode::FAILURE
        }
    }
}
