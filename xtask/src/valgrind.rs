//! Two of valgrind's tools on a release binary: callgrind counts instructions, dhat copied bytes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{capture, cargo, execute, find_tool, read, remove, root, scratch};

/// Why a valgrind command does nothing: printed, and an error unless `--if-present` was given.
pub(crate) const ABSENT: &str = "skipped, valgrind is not installed: apt-get install valgrind";

/// valgrind, if it is installed.
pub(crate) struct Valgrind(PathBuf);

/// What dhat saw one run copy.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    pub(crate) bytes: u64,
    /// Bytes of std's own values that the compiler moved, such as a file's metadata; not in `bytes`.
    pub(crate) moved: u64,
    /// Bytes by call stack, innermost frame first.
    sites: BTreeMap<String, u64>,
    /// What the program printed.
    pub(crate) output: String,
}

impl Valgrind {
    pub(crate) fn find() -> Option<Valgrind> {
        find_tool("valgrind").map(Valgrind)
    }

    /// Instructions that a whole run executes.
    pub(crate) fn instructions(&self, program: &Path, args: &[&str]) -> Result<u64, String> {
        let (text, _) = self.run("callgrind", &[], program, args)?;
        let total = text.lines().find_map(|line| line.strip_prefix("summary: "));
        total
            .and_then(|total| total.split_whitespace().next()?.parse().ok())
            .ok_or_else(|| "callgrind's file has no summary".to_owned())
    }

    /// Bytes that a whole run moves through memcpy and its kin.
    pub(crate) fn copies(&self, program: &Path, args: &[&str]) -> Result<Copies, String> {
        let (text, output) = self.run("dhat", &["--mode=copy"], program, args)?;
        let value = serde_json::from_str(&text).map_err(|e| format!("dhat's file: {e}"))?;
        Ok(Copies { output, ..parse(&value) })
    }

    /// One run: the tool's file and the program's output.
    fn run(
        &self,
        tool: &str,
        options: &[&str],
        program: &Path,
        args: &[&str],
    ) -> Result<(String, String), String> {
        let file = scratch(&format!("{tool}.out"))?;
        let log = scratch(&format!("{tool}.log"))?;
        let mut command = Command::new(&self.0);
        command.arg(format!("--tool={tool}")).args(options);
        command.arg(format!("--{tool}-out-file={}", file.display()));
        command.arg(format!("--log-file={}", log.display()));
        command.arg(program).args(args).current_dir(root()).stdin(Stdio::null());
        let output = capture(&mut command)?;
        let text = read(&file)?;
        remove(&file)?;
        remove(&log)?;
        Ok((text, output))
    }
}

impl Copies {
    /// The call stacks that copied most more than in a shorter run, at most `count` of them.
    pub(crate) fn grown_since(&self, shorter: &Copies, count: usize) -> Vec<(u64, &str)> {
        let grown = |(site, bytes): (&String, &u64)| {
            bytes.saturating_sub(shorter.sites.get(site).copied().unwrap_or(0))
        };
        let mut all: Vec<(u64, &str)> =
            self.sites.iter().map(|site| (grown(site), site.0.as_str())).collect();
        all.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        all.retain(|(bytes, _)| *bytes > 0);
        all.truncate(count);
        all
    }
}

/// dhat's file: `pps` are call stacks with `tb` bytes in all, `fs` their frames in `ftbl`.
fn parse(value: &Value) -> Copies {
    let mut copies = Copies::default();
    for point in value["pps"].as_array().into_iter().flatten() {
        let bytes = point["tb"].as_u64().unwrap_or(0);
        let frames = point["fs"].as_array().into_iter().flatten();
        // The first frame is valgrind's own memcpy, the next ones are std's wrappers, inlined.
        let names = frames.skip(1).take(6).filter_map(Value::as_u64).filter_map(|i| {
            let frame = value["ftbl"].get(usize::try_from(i).ok()?)?.as_str()?;
            Some(frame.split_once(": ").map_or(frame, |(_, name)| name).to_owned())
        });
        let site = names.collect::<Vec<_>>().join(" <- ");
        // std is compiled so that its moves of large values show as calls. They are no payload,
        // unless of an array of bytes. Our crates are not compiled so: here nothing can hide.
        if site.starts_with("compiler_move<") && !site.contains("[u8") {
            copies.moved += bytes;
            continue;
        }
        *copies.sites.entry(site).or_insert(0) += bytes;
        copies.bytes += bytes;
    }
    copies
}

/// Builds packages in release and gives the folder of their binaries.
pub(crate) fn release(packages: &[&str]) -> Result<PathBuf, String> {
    let mut command = cargo();
    command.args(["build", "--release", "--quiet"]);
    for package in packages {
        command.args(["--package", package]);
    }
    execute(&mut command)?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    Ok(root().join(target).join("release"))
}

/// The operations that `copy-cost COMMAND --list` prints, one to a line.
pub(crate) fn list(program: &Path, command: &str) -> Result<Vec<String>, String> {
    let text = capture(Command::new(program).args([command, "--list"]).current_dir(root()))?;
    let names: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if names.is_empty() {
        return Err(format!("`copy-cost {command} --list` names nothing"));
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"dhatFileVersion":2,"mode":"copy","pps":[
        {"tb":900,"tbk":1,"fs":[1,2,3]},{"tb":100,"tbk":1,"fs":[1,3]},
        {"tb":352,"tbk":2,"fs":[1,4,3]},{"tb":64,"tbk":1,"fs":[1,5,3]}],
        "ftbl":["[root]","0x1: memcpy (vg.c:1)","0x2: a::copy (a.rs:9)","0x3: main (a.rs:20)",
        "0x4: compiler_move<std::fs::Metadata, 176> (p.rs:1)","0x5: compiler_move<[u8; 64], 64> (p.rs:1)"]}"#;

    #[test]
    fn bytes_are_summed_and_kept_by_site() {
        let value = serde_json::from_str(FILE).expect("the sample is JSON");
        let copies = parse(&value);
        assert_eq!((copies.bytes, copies.moved), (1064, 352));
        let grown = copies.grown_since(&Copies::default(), 1);
        assert_eq!(grown, [(900, "a::copy (a.rs:9) <- main (a.rs:20)")]);
        assert!(copies.grown_since(&copies, 9).is_empty());
    }
}
