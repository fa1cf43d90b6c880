//! What the report says about where it was made.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use serde::Serialize;

/// The machine, the compiler and the state of the source.
#[derive(Clone, Debug, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: String,
    /// Processors that this process may use.
    pub cores: usize,
    /// The kernel's name and release.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// The commit, with a `+` where the tree had changes.
    pub commit: String,
    /// What one locked add takes, in nanoseconds.
    pub rmw_ns: f64,
}

impl Machine {
    /// Looks around; what cannot be found out is "unknown".
    #[must_use]
    pub fn here(rmw_ns: f64) -> Self {
        let system = rustix::system::uname();
        let name = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
        Self {
            cpu: cpu().unwrap_or_else(unknown),
            cores: available_parallelism().map_or(1, usize::from),
            kernel: format!("{} {}", name(system.sysname()), name(system.release())),
            rustc: output("rustc", &["--version"]).unwrap_or_else(unknown),
            commit: commit().unwrap_or_else(unknown),
            rmw_ns,
        }
    }
}

fn unknown() -> String {
    "unknown".into()
}

fn cpu() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn commit() -> Option<String> {
    let hash = output("git", &["rev-parse", "--short", "HEAD"])?;
    let changes = output("git", &["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changes.is_empty() { "" } else { "+" };
    Some(hash + mark)
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = output.status.success().then(|| String::from_utf8(output.stdout).ok())??;
    Some(text.trim().to_owned())
}
