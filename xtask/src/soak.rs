//! `cargo xtask soak [--minutes N]`: threads that pass blocks to each other, half an hour unless said.

use crate::process::{Outcome, cargo, execute};

const MINUTES: u64 = 30;

pub(crate) fn run(args: &[String]) -> Outcome {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let minutes = match words[..] {
        [] => MINUTES,
        ["--minutes", number] => number.parse().map_err(|e| format!("--minutes {number}: {e}"))?,
        _ => return Err("takes --minutes and a number".to_owned()),
    };
    let seconds = minutes.saturating_mul(60).to_string();
    let mut command = cargo();
    command.args(["run", "--release", "--package=aqueduct", "--example=soak", "--", &seconds]);
    execute(&mut command)
}
