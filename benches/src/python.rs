//! Python with the packages that peers need, in environments of this package's own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python of an environment with the packages of this list and `more`, made anew when they change.
///
/// # Errors
///
/// Where Python or the network is missing: what failed, in a few words.
pub fn environment(name: &str, list: &Path, more: &[&str]) -> Result<PathBuf, String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/copy-cost").join(name);
    let (python, made_of) = (own.join("bin/python"), own.join("made-of.txt"));
    let listed = fs::read_to_string(list).map_err(|error| error.to_string())?;
    let wanted = listed + &more.join("\n");
    if fs::read_to_string(&made_of).is_ok_and(|made_of| made_of == wanted) {
        return Ok(python);
    }
    succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&own))?;
    let install = ["-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "10"];
    succeed(Command::new(&python).args(install).args(more).arg("-r").arg(list))?;
    fs::write(made_of, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

/// Runs a command to its end; the last that it says is the error.
fn succeed(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty());
    Err(format!("{program}: {}", last.unwrap_or("it failed")))
}
