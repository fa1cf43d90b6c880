//! `cargo xtask fuzz [TARGET] [SECONDS]`: cargo-fuzz on a stable toolchain, without building
//! libFuzzer's own C++, which takes minutes.

use std::path::{Path, PathBuf};

use crate::process::{Outcome, cargo, execute, find_tool, read, root};

const SECONDS: &str = "60";
const ARCHIVE: &str = "libclang_rt.fuzzer-x86_64.a";

pub(crate) fn run(args: &[String]) -> Outcome {
    let (target, seconds) = match args {
        [] => (None, SECONDS),
        [one] if one.bytes().all(|byte| byte.is_ascii_digit()) => (None, one.as_str()),
        [target] => (Some(target), SECONDS),
        [target, seconds] => (Some(target), seconds.as_str()),
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
    for name in chosen {
        // What it finds interesting goes to the first folder: the committed corpus grows by choice.
        let fresh = root().join("target/fuzz-corpus").join(name);
        std::fs::create_dir_all(&fresh)
            .map_err(|e| format!("cannot create {}: {e}", fresh.display()))?;
        let corpus = root().join("fuzz/corpus").join(name);
        let mut command = cargo();
        command.args(["fuzz", "run", name]).arg(fresh).args(corpus.is_dir().then_some(corpus));
        command.arg("--").arg(format!("-max_total_time={seconds}"));
        command.env("RUSTC_BOOTSTRAP", "1");
        if let Some(archive) = &archive {
            command.env("CUSTOM_LIBFUZZER_PATH", archive).env("CUSTOM_LIBFUZZER_STD_CXX", "stdc++");
        }
        execute(&mut command)?;
    }
    Ok(())
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
}
