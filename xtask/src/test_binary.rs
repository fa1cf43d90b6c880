//! Test binaries: built by cargo, run one test at a time by us.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{capture, cargo};

/// One compiled test binary.
pub(crate) struct TestBinary {
    pub(crate) path: PathBuf,
    /// The folder that `cargo test` would run it in.
    folder: PathBuf,
}

impl TestBinary {
    /// The binary as a command in its package's folder.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.current_dir(&self.folder);
        command
    }

    /// The full names of its tests, ignored ones included.
    pub(crate) fn tests(&self) -> Result<Vec<String>, String> {
        let text = capture(self.command().args(["--list", "--format", "terse"]))?;
        let name = |line: &str| line.strip_suffix(": test").map(str::to_owned);
        Ok(text.lines().filter_map(name).collect())
    }
}

/// Builds tests without running them: `cargo test --no-run ARGS` in a given environment.
pub(crate) fn build(args: &[&str], env: &[(&str, &str)]) -> Result<Vec<TestBinary>, String> {
    let mut command = cargo();
    command.args(["test", "--no-run", "--message-format=json-render-diagnostics"]).args(args);
    command.envs(env.iter().copied()).stdin(Stdio::null());
    let text = capture(&mut command)?;
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(messages.filter_map(|message| binary(&message)).collect())
}

fn binary(message: &Value) -> Option<TestBinary> {
    if message["profile"]["test"] != true {
        return None;
    }
    let path = PathBuf::from(message["executable"].as_str()?);
    let manifest = PathBuf::from(message["manifest_path"].as_str()?);
    Some(TestBinary { path, folder: manifest.parent()?.to_path_buf() })
}

/// The last segment of a test's name: `models::model_01_clone` is `model_01_clone`.
pub(crate) fn short(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
