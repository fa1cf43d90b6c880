//! Errors that strace puts in the place of real calls of a whole process.

use crate::{child, sides::fresh_path};
use aqueduct_testkit::may_trace;
use std::fs;

/// What a child says that does `task` while these calls fail.
fn says(inject: &str, path: Option<&str>, task: &str) -> String {
    let inject = format!("inject={inject}");
    let mut strace = vec!["strace", "-f", "-qq", "-o", "/dev/null", "-e", &inject];
    if let Some(path) = path {
        strace.extend(["-P", path]);
    }
    child::says(&strace, task).unwrap_or_else(|| panic!("no child under {strace:?}"))
}

/// The calls of each method.
const CALLS: [&str; 4] = ["sendfile", "splice", "copy_file_range", "splice"];

#[test]
fn interrupted_every_other_time() {
    if !may_trace() {
        return;
    }
    for errno in ["EINTR", "EAGAIN"] {
        for (method, call) in CALLS.iter().enumerate() {
            // To a socket copy_file_range is refused, so it goes to a file.
            let path = fresh_path();
            let task = match *call {
                "copy_file_range" => format!("file {method} {}", path.display()),
                _ => format!("socket {method}"),
            };
            let said = says(&format!("{call}:error={errno}:when=1+2"), None, &task);
            assert_eq!(said, "all", "{call} {errno}");
            let _ = fs::remove_file(path);
        }
        let said = says(&format!("writev:error={errno}:when=1+2"), None, "pieces");
        assert_eq!(said, "all", "writev {errno}");
    }
}

#[test]
fn no_space_says_what_was_written() {
    if !may_trace() {
        return;
    }
    let path = fresh_path();
    let target = path.to_str().unwrap();
    fs::write(&path, b"").unwrap();
    for (method, call) in [(0, "sendfile"), (1, "splice"), (2, "copy_file_range"), (4, "write")] {
        for when in [1, 2] {
            let inject = format!("{call}:error=ENOSPC:when={when}");
            let said = says(&inject, Some(target), &format!("file {method} {target}"));
            // The second call of those that take all at once never comes.
            let fits = said.starts_with(&format!("{call} after exactly"))
                && said.ends_with(": StorageFull");
            assert!(fits || (when == 2 && said == "all"), "{call} {when}: {said}");
            assert!(call != "write" || fits, "{call} {when}: {said}");
        }
    }
    fs::remove_file(path).unwrap();
}

/// As on a kernel that has none of them.
#[test]
fn without_the_calls_the_same_bytes_arrive() {
    if !may_trace() {
        return;
    }
    for method in 0..CALLS.len() {
        let inject = "sendfile,splice,copy_file_range,pipe2:error=ENOSYS";
        // What the second reads from is a pipe itself.
        let inject = if method == 1 { "splice:error=ENOSYS" } else { inject };
        assert_eq!(says(inject, None, &format!("socket {method}")), "all", "{method}");
    }
}
