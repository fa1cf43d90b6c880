//! Python with the packages that a test or a report compares with.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// One environment is made at a time.
static MAKING: Mutex<()> = Mutex::new(());

/// The Python of an environment below `here` with the packages that are listed in the file `list`, and
/// `more`; made by pip, once for each list.
///
/// # Errors
///
/// Why there is none, in one line: what needs it is skipped then.
pub fn python(here: &Path, list: &Path, more: &[&str]) -> Result<PathBuf, String> {
    let text = std::fs::read(list).map_err(|e| e.to_string())?;
    let mut hasher = DefaultHasher::new();
    (text, more).hash(&mut hasher);
    let here = here.join(format!("python-{:x}", hasher.finish()));
    let python = here.join("bin/python");
    let complete = here.join("complete");
    let _one = MAKING.lock().map_err(|_| "another test failed to make its environment")?;
    if complete.exists() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&here))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1"];
    run(Command::new(&python).args(pip).args(["--timeout", "10"]).args(more).arg("-r").arg(list))?;
    std::fs::write(complete, "").map_err(|e| e.to_string())?;
    Ok(python)
}

/// Runs a command to its end; what it says last is the error.
fn run(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name} does not run: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    Err(text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason").to_owned())
}
