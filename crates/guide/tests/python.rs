//! The example for Python, built and tested as its README says: a workspace of its own, so no other test
//! comes by it.
#![allow(missing_docs, reason = "a test binary")]

use aqueduct_testkit::{python, scale, skip};
use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Cargo in a folder, with an environment that is no sanitizer's: its flags are not for build scripts.
fn cargo(folder: &Path, target: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").expect("run by cargo"));
    command.current_dir(folder).env("CARGO_TARGET_DIR", target).env("CARGO_PROFILE_DEV_DEBUG", "0");
    for flags in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        command.env_remove(flags);
    }
    command
}

/// Why the example cannot be built or run here, if so.
fn lacking(folder: &Path, target: &Path) -> Option<&'static str> {
    let recent = "import sys; sys.exit(sys.version_info < (3, 11))";
    let python = Command::new("python3").args(["-c", recent]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        return Some("no Python of 3.11 or newer");
    }
    let fetched = cargo(folder, target).args(["fetch", "--locked", "--quiet"]).output().unwrap();
    let said = String::from_utf8_lossy(&fetched.stderr);
    assert!(!said.contains("--locked"), "examples/python/Cargo.lock is out of date: {said}");
    (!fetched.status.success()).then_some("the example's crates cannot be fetched")
}

/// Builds the module, and puts it where Python finds it.
fn module(folder: &Path, target: &Path) -> PathBuf {
    let mut build = cargo(folder, target);
    let status = build.args(["build", "--locked", "--offline", "--quiet"]).status().unwrap();
    assert!(status.success(), "the example does not build");
    let path = target.join("path");
    fs::create_dir_all(&path).unwrap();
    let library = format!("{}aqueduct_python{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    // A copy under another name, not over the one that a Python next door may have open.
    let new = path.join("new");
    fs::copy(target.join("debug").join(library), &new).unwrap();
    fs::rename(new, path.join("aqueduct.so")).unwrap();
    path
}

/// Runs Python, and gives what it said on its standard error.
fn run(python: &Path, folder: &Path, path: &Path, args: &[&str]) -> String {
    let mut command = Command::new(python);
    command.arg("-B").args(args).current_dir(folder).env("PYTHONPATH", path);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Building it takes a minute: the long form does, and when it has, the ordinary one keeps it true.
#[test]
fn python_looks_at_slices_in_place() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("a workspace");
    let folder = root.join("examples/python");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-example");
    if scale(1) == 1 && !target.join("path/aqueduct.so").exists() {
        return skip("the example for Python is not built: cargo xtask long python");
    }
    if let Some(why) = lacking(&folder, &target) {
        return skip(&format!("no extension module: {why}"));
    }
    let path = module(&folder, &target);
    let list = folder.join("tests/requirements.txt");
    let python = python(Path::new(env!("CARGO_TARGET_TMPDIR")), &list, &[]).unwrap_or_else(|why| {
        skip(&format!("nothing of numpy: {why}"));
        PathBuf::from("python3")
    });
    let said = run(&python, &folder, &path, &["-m", "unittest", "discover", "-s", "tests"]);
    assert!(said.contains("\nOK"), "{said}");
    if python.file_name() != Some(OsStr::new("python3")) {
        assert!(!said.contains("skipped"), "{said}");
        let readme = fs::read_to_string(folder.join("README.md")).unwrap();
        let program = readme.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
        run(&python, &folder, &path, &["-c", program.expect("the README has a program")]);
    }
}
