//! `cargo xtask sanitize tsan`: ThreadSanitizer on a program of threads, and on twins of it.
//!
//! The program is the soak, since libtest itself would be reported. The standard library is built with it
//! (`-Zbuild-std`): otherwise what std's own locks and counts order would not be seen. Fences are not
//! seen: `--cfg aqueduct_tsan` puts a load in the place of the one that memory depends on.

use std::time::Duration;

use crate::miri::nightly;
use crate::process::{Outcome, execute, root, run_limited, tail};
use crate::sanitize::host;

const FLAGS: &str = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg aqueduct_tsan";

/// The program runs so long; a twin ends when its race is found.
const SECONDS: &str = "60";
const LIMIT: Duration = Duration::from_secs(300);

/// Weakened orderings between which a block changes hands, see `aqueduct_base::sync::twin`.
const TWINS: [&str; 5] = [
    "drop_relaxed",
    "unique_relaxed",
    "remote_push_relaxed",
    "stamp_relaxed",
    "last_drop_unfenced",
];

pub(crate) fn tsan() -> Outcome {
    let host = host()?;
    let mut build = nightly();
    build.args(["build", "-Zbuild-std", "--release", "--target", &host]);
    build.args(["--target-dir=target/tsan", "--package=aqueduct", "--example=soak"]);
    build.env("RUSTFLAGS", FLAGS);
    execute(&mut build)?;
    let program = root().join("target/tsan").join(&host).join("release/examples/soak");
    let mut bad = Vec::new();
    for twin in [""].into_iter().chain(TWINS) {
        let mut command = std::process::Command::new(&program);
        command.arg(SECONDS).env("AQUEDUCT_TWIN", twin);
        command.env("TSAN_OPTIONS", "halt_on_error=1:exitcode=66");
        let finished = run_limited(&mut command, LIMIT)?;
        let race = finished.output.contains("WARNING: ThreadSanitizer: data race");
        let passed = finished.status.is_some_and(|status| status.success());
        let (result, good) = match (passed, twin) {
            (true, "") => ("clean", true),
            (false, "") => ("BAD", false),
            (false, _) if race => ("a data race, as it must be", true),
            _ => ("NO RACE, though weakened", false),
        };
        let name = if twin.is_empty() { "soak".to_owned() } else { format!("soak / {twin}") };
        println!("{name:<32} {:>8.1}  {result}", finished.seconds);
        if !good {
            print!("{}", tail(&finished.output, 60));
            bad.push(name);
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(format!("not as they should be: {}", bad.join(", "))) }
}
