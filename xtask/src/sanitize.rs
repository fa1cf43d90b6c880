//! `cargo xtask sanitize`: the suite where a wrong access or a leak is an error.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::process::{Outcome, capture, cargo, execute, find_tool, read, root, run_limited, tail};
use crate::test_binary::build;
use crate::tidy::unsafety::{LIST, List};
use crate::tsan::tsan;
use crate::workspace::packages;

/// Memcheck is about twenty times slower than the program alone.
const LIMIT: Duration = Duration::from_secs(1800);

pub(crate) fn run(args: &[String]) -> Outcome {
    let (tool, name) = match args {
        [] => ("asan", None),
        [tool] => (tool.as_str(), None),
        [tool, name] => (tool.as_str(), Some(name.as_str())),
        _ => return Err("takes a tool and a part of the tests' names".to_owned()),
    };
    match tool {
        "asan" => asan(name),
        "tsan" => tsan(),
        "memcheck" => memcheck(name),
        other => Err(format!("no such sanitizer, asan, tsan and memcheck are there: {other}")),
    }
}

/// The published crates, the testkit, whose allocators are unsafe code too, and the examples.
fn suite() -> Result<Vec<String>, String> {
    let tested = |folder: &str| folder.starts_with("crates/") || folder.starts_with("examples/");
    let suite = packages()?.into_iter().filter(|package| tested(&package.folder));
    Ok(suite.map(|package| format!("--package={}", package.name)).collect())
}

fn asan(name: Option<&str>) -> Outcome {
    let host = host()?;
    find_runtime(&host)?;
    // Sizes that overflow only wrap in release, where overflow checks are off.
    for profile in ["--profile=dev", "--profile=release"] {
        let mut tests = cargo();
        // The target must be given: without it the flag would reach build scripts and macros.
        tests.args(["test", profile, "--no-fail-fast", "--target", &host]);
        tests.args(["--target-dir=target/asan", "--lib", "--bins", "--tests"]);
        tests.args(suite()?).args(name);
        with_asan(&mut tests);
        let start = Instant::now();
        execute(&mut tests)?;
        println!("sanitize: {profile}: {} s", start.elapsed().as_secs());
    }
    // Cargo's exit code is read, not its output: a leak fails a binary after it printed "ok".
    println!("sanitize: clean under AddressSanitizer with leak checking");
    Ok(())
}

fn with_asan(command: &mut Command) {
    command.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zsanitizer=address");
    // Tests ask for absurd sizes on purpose; the answer must be null, as without the sanitizer.
    command.env("ASAN_OPTIONS", "detect_leaks=1:allocator_may_return_null=1");
}

pub(crate) fn host() -> Result<String, String> {
    let text = capture(Command::new(rustc()).arg("-vV"))?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV names no host".to_owned())
}

fn rustc() -> PathBuf {
    std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from)
}

/// An early, clear answer where this toolchain has no AddressSanitizer.
fn find_runtime(host: &str) -> Outcome {
    let sysroot = capture(Command::new(rustc()).args(["--print", "sysroot"]))?;
    let folder = PathBuf::from(sysroot.trim()).join("lib/rustlib").join(host).join("lib");
    let entries =
        folder.read_dir().map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
    let is_runtime = |name: String| name.contains("_rt.asan");
    if entries.flatten().any(|entry| is_runtime(entry.file_name().to_string_lossy().into_owned())) {
        return Ok(());
    }
    Err(format!(
        "this toolchain has no AddressSanitizer runtime for {host}: use rustup's toolchain"
    ))
}

/// Those whose own code, not that of their tests alone, is on the list.
fn crates_with_unsafe() -> Result<Vec<String>, String> {
    let list = List::parse(&read(&root().join(LIST))?);
    let crates = packages()?.into_iter().filter(|package| package.folder.starts_with("crates/"));
    let crates = crates.filter(|package| list.holds_below(&format!("{}/src", package.folder)));
    Ok(crates.map(|package| format!("--package={}", package.name)).collect())
}

/// While a thread waits in io_uring for another, valgrind lets no other run.
const WAITS: &str = "uring::sockets::";

fn memcheck(name: Option<&str>) -> Outcome {
    let Some(valgrind) = find_tool("valgrind") else {
        return Err("valgrind is not installed: apt-get install valgrind".to_owned());
    };
    let mut args = vec!["--lib".to_owned(), "--tests".to_owned()];
    args.extend(crates_with_unsafe()?);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut bad = Vec::new();
    for binary in build(&args, &[])? {
        if binary.tests()?.is_empty() {
            continue;
        }
        let mut command = Command::new(&valgrind);
        command.args(["--quiet", "--error-exitcode=9", "--leak-check=full"]);
        command.args(["--errors-for-leak-kinds=definite", "--"]).arg(&binary.path);
        command.args(name).args(["--test-threads=1", "--skip", WAITS]).env("PROPTEST_CASES", "16");
        command.current_dir(binary.command().get_current_dir().unwrap_or(&binary.path));
        let shown = binary.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let finished = run_limited(&mut command, LIMIT)?;
        let good = finished.status.is_some_and(|status| status.success());
        println!("{shown:<48} {:>8.1} s  {}", finished.seconds, if good { "clean" } else { "BAD" });
        if !good {
            print!("{}", tail(&finished.output, 40));
            bad.push(shown);
        }
    }
    if bad.is_empty() {
        Ok(())
    } else {
        Err(format!("not clean under memcheck: {}", bad.join(", ")))
    }
}
