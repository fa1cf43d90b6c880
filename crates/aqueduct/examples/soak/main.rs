//! Eight threads that pass blocks to each other for a long time, and what must hold meanwhile.
//!
//! ```sh
//! cargo run --release -p aqueduct --example soak -- 1800       # half an hour
//! cargo run --release -p aqueduct --example soak -- 10 byte    # with a mistake that it must notice
//! ```
//!
//! Prints a line a minute, and ends with exit code 1 and what was wrong. The mistakes: `byte`, `block`,
//! `descriptor`, `memory`.
#![cfg(target_os = "linux")]
#![allow(missing_docs, unreachable_pub, reason = "an example")]
#![allow(clippy::disallowed_methods, reason = "what is checked is made by copying")]

mod kernel;
mod ledger;
mod parcel;
mod soak;
mod streams;
mod worker;

use ledger::Plant;
use soak::{Settings, run};
use std::{env, error::Error, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    let (seconds, plant) = match &words[..] {
        [seconds] => (seconds, None),
        [seconds, plant] => (seconds, Some(plant.parse::<Plant>()?)),
        _ => return Err("usage: soak SECONDS [byte | block | descriptor | memory]".into()),
    };
    let length = Duration::from_secs(seconds.parse()?);
    // Memory is judged by what it was after a sixth of the time: of half an hour, minute five.
    let rested = (length >= Duration::from_secs(60)).then_some(length / 6);
    run(&Settings { length, rested, line: Duration::from_secs(60), plant })?;
    Ok(())
}
