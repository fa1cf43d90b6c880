//! `cargo xtask fuzz [--minimise] [TARGET] [SECONDS]`: cargo-fuzz on a stable toolchain, without
//! building libFuzzer's own C++, which takes minutes.
//!
//! A target runs until it has had so many seconds of CPU time, however busy the machine is, and then the
//! row for the ledger is printed. What it finds interesting stays under `target/`: the committed corpus
//! grows by `--minimise`, which keeps what reaches something new and all files with names of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Outcome, TICKS, capture, cargo, execute, find_tool, make, read, root, ticks};

const SECONDS: u64 = 60;
const ARCHIVE: &str = "libclang_rt.fuzzer-x86_64.a";
/// What a round takes at least, in seconds: it reads the corpus first.
const ROUND: u64 = 10;
/// A corpus that is committed.
const LARGEST: u64 = 1 << 20;

pub(crate) fn run(args: &[String]) -> Outcome {
    let minimise = args.first().is_some_and(|arg| arg == "--minimise");
    let (target, seconds) = match &args[usize::from(minimise)..] {
        [] => (None, None),
        [one] if one.parse::<u64>().is_ok() => (None, one.parse().ok()),
        [target] => (Some(target), None),
        [target, seconds] if seconds.parse::<u64>().is_ok() => (Some(target), seconds.parse().ok()),
        _ => return Err("takes a target and a number of seconds".to_owned()),
    };
    if find_tool("cargo-fuzz").is_none() {
        return Err("cargo-fuzz is not installed: cargo install cargo-fuzz --locked".to_owned());
    }
    let all = targets(&read(&root().join("fuzz/Cargo.toml"))?);
    let chosen: Vec<&String> =
        all.iter().filter(|name| target.is_none_or(|t| t == *name)).collect();
    if chosen.is_empty() {
        return Err(format!("no such target, there are: {}", all.join(", ")));
    }
    let archive = find_archive(Path::new("/usr/lib"));
    if archive.is_none() {
        println!("fuzz: no {ARCHIVE} (Debian: libclang-rt-14-dev); libFuzzer is built from source");
    }
    let mut rows = String::new();
    for name in chosen {
        // Built first: the compiler's time is not the target's.
        execute(cargo_fuzz(archive.as_deref(), "build").arg(name))?;
        let target = Target::new(name, archive.as_deref())?;
        if minimise {
            target.minimise()?;
        } else {
            rows += &target.fuzz(seconds.unwrap_or(SECONDS))?;
        }
    }
    print!("{rows}");
    Ok(())
}

fn cargo_fuzz(archive: Option<&Path>, what: &str) -> Command {
    let mut command = cargo();
    command.args(["fuzz", what]).env("RUSTC_BOOTSTRAP", "1");
    if let Some(archive) = archive {
        command.env("CUSTOM_LIBFUZZER_PATH", archive).env("CUSTOM_LIBFUZZER_STD_CXX", "stdc++");
    }
    command
}

struct Target<'a> {
    name: &'a str,
    archive: Option<&'a Path>,
    /// What it found.
    fresh: PathBuf,
    /// What is committed.
    corpus: PathBuf,
}

impl<'a> Target<'a> {
    fn new(name: &'a str, archive: Option<&'a Path>) -> Result<Self, String> {
        let fresh = root().join("target/fuzz-corpus").join(name);
        let corpus = root().join("fuzz/corpus").join(name);
        make(&fresh)?;
        make(&corpus)?;
        Ok(Self { name, archive, fresh, corpus })
    }

    fn command(&self, folders: &[&Path], option: &str) -> Command {
        let mut command = cargo_fuzz(self.archive, "run");
        command.arg(self.name).args(folders).args(["--", "-print_final_stats=1", option]);
        command
    }

    /// Runs it for so many seconds of CPU time, and gives the ledger's row.
    fn fuzz(&self, seconds: u64) -> Result<String, String> {
        let (begin, mut executions) = (children_ticks()?, 0);
        loop {
            let spent = (children_ticks()? - begin) / u64::from(TICKS);
            if spent >= seconds {
                return self.row(seconds, spent, executions);
            }
            let option = format!("-max_total_time={}", (seconds - spent).max(ROUND));
            executions += executed(&mut self.command(&[&self.fresh, &self.corpus], &option))?;
        }
    }

    fn row(&self, asked: u64, seconds: u64, executions: u64) -> Result<String, String> {
        let date = capture(Command::new("date").arg("+%F"))?;
        let mut git = Command::new("git");
        let commit = capture(git.current_dir(root()).args(["rev-parse", "--short", "HEAD"]))?;
        let (date, commit, name) = (date.trim(), commit.trim(), self.name);
        let what = format!("`cargo xtask fuzz {name} {asked}`, AddressSanitizer");
        Ok(format!("| {date} | {commit} | {what} | {seconds} | {} | none |\n", grouped(executions)))
    }

    /// Replaces the committed corpus by the least of it and of what was found that reaches as much.
    fn minimise(&self) -> Outcome {
        let least = self.fresh.with_extension("least");
        let failed = |e| format!("cannot minimise {}: {e}", self.corpus.display());
        if least.exists() {
            fs::remove_dir_all(&least).map_err(failed)?;
        }
        make(&least)?;
        for file in children(&self.corpus).iter().filter(|file| has_name_of_its_own(file)) {
            let name = file.file_name().unwrap_or_default();
            fs::copy(file, least.join(name)).map_err(failed)?;
        }
        executed(&mut self.command(&[&least, &self.corpus, &self.fresh], "-merge=1"))?;
        let mut files = children(&least);
        files.sort_by_cached_key(|file| (!has_name_of_its_own(file), length(file)));
        fs::remove_dir_all(&self.corpus).map_err(failed)?;
        make(&self.corpus)?;
        let (mut bytes, mut kept) = (0, 0);
        for file in &files {
            if bytes + length(file) <= LARGEST {
                let name = file.file_name().unwrap_or_default();
                fs::copy(file, self.corpus.join(name)).map_err(failed)?;
                (bytes, kept) = (bytes + length(file), kept + 1);
            }
        }
        let out = files.len() - kept;
        println!("fuzz: {}: {kept} files, {bytes} bytes; {out} more are too large", self.name);
        fs::remove_dir_all(&least).map_err(failed)
    }
}

/// Runs libFuzzer, shows what it says, and gives how many inputs it says that it tried.
fn executed(command: &mut Command) -> Result<u64, String> {
    let failed = |e| format!("cannot run cargo fuzz: {e}");
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(failed)?;
    let mut count = 0;
    for line in child.stderr.take().into_iter().flat_map(|said| BufReader::new(said).split(b'\n')) {
        let line = String::from_utf8_lossy(&line.map_err(failed)?).into_owned();
        eprintln!("{line}");
        count += executions(&line).unwrap_or(0);
    }
    let status = child.wait().map_err(failed)?;
    if status.success() {
        Ok(count)
    } else {
        Err(format!("{status}: make a test of what it found"))
    }
}

/// The figure in that line of libFuzzer's last words.
fn executions(line: &str) -> Option<u64> {
    line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
}

/// With a comma before each three digits, as the ledger has it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.char_indices() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// CPU time of all children so far, in ticks.
fn children_ticks() -> Result<u64, String> {
    let stat = read(Path::new("/proc/self/stat"))?;
    ticks(&stat, 16).ok_or_else(|| format!("no times of children in /proc/self/stat: {stat}"))
}

/// libFuzzer names what it finds by its hash.
fn has_name_of_its_own(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().as_encoded_bytes();
    name.len() != 40 || !name.iter().all(u8::is_ascii_hexdigit)
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |meta| meta.len())
}

/// The names of the `[[bin]]` sections.
fn targets(manifest: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut in_bin = false;
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            in_bin = line == "[[bin]]";
        }
        if let Some(name) = line.strip_prefix("name = ").filter(|_| in_bin) {
            names.push(name.trim_matches('"').to_owned());
        }
    }
    names
}

/// Any version of LLVM will do: `/usr/lib/llvm-*/lib/clang/*/lib/linux/`, the newest last.
fn find_archive(lib: &Path) -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = children(lib)
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("llvm-")))
        .flat_map(|llvm| children(&llvm.join("lib/clang")))
        .map(|version| version.join("lib/linux").join(ARCHIVE))
        .filter(|archive| archive.is_file())
        .collect();
    found.sort();
    found.pop()
}

fn children(folder: &Path) -> Vec<PathBuf> {
    folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_bins() {
        let text = "[package]\nname = \"f\"\n[[bin]]\nname = \"slice\"\npath = \"x\"\n[[bin]]\nname = \"pool\"\n[dependencies]\n";
        assert_eq!(targets(text), ["slice", "pool"]);
    }

    #[test]
    fn what_the_ledger_says_is_read_off() {
        let line = "stat::number_of_executed_units: 166881";
        assert_eq!(executions(line), Some(166_881));
        assert_eq!(executions("#166881\tDONE   cov: 900 ft: 4000"), None);
        let numbers = [7, 123, 1234, 123_456, 1_234_567].map(grouped);
        assert_eq!(numbers, ["7", "123", "1,234", "123,456", "1,234,567"]);
        assert!(!has_name_of_its_own(Path::new("x/0123456789abcdef0123456789abcdef01234567")));
        assert!(has_name_of_its_own(Path::new("x/07")));
    }
}
