//! Only aqueduct-base names loom, the std atomics and the raw allocator, or copies payload.
//!
//! Clippy's `disallowed_methods` finds copies by type, which this cannot; this finds what clippy
//! cannot: paths, macros' arguments, and an `allow` that would switch clippy off.

use super::paths::{self, Named};
use super::{Finding, Tree};
use crate::source::Source;
use crate::workspace::Package;

/// A thing that one part of aqueduct-base does for everybody.
struct Reserved {
    /// Where it may be named: files whose path starts so.
    home: &'static str,
    /// Paths, with `core` and `alloc` read as `std`.
    paths: &'static [&'static str],
    /// Longer paths below those which are free.
    free: &'static [&'static str],
    /// Methods that only types of std have.
    methods: &'static [&'static str],
    instead: &'static str,
}

const RESERVED: [Reserved; 3] = [
    Reserved {
        home: "crates/base/src/sync",
        paths: &[
            "loom",
            "shuttle",
            "parking_lot",
            "std::sync::atomic",
            "std::sync::Mutex",
            "std::sync::RwLock",
            "std::sync::Condvar",
            "std::cell::UnsafeCell",
        ],
        free: &[],
        methods: &[],
        instead: "aqueduct_base::sync, so that loom sees it",
    },
    Reserved {
        home: "crates/base/src/block",
        paths: &["std::alloc"],
        free: &["std::alloc::Layout", "std::alloc::LayoutError"],
        methods: &[],
        instead: "aqueduct_base's blocks, which check sizes and can fail",
    },
    Reserved {
        home: "crates/base/src/copy",
        paths: &["std::ptr::copy", "std::ptr::copy_nonoverlapping", "std::intrinsics"],
        free: &[],
        // `extend_from_slice` is also a method of SliceMut: clippy, which knows types, has it.
        methods: &[
            "copy_from_slice",
            "clone_from_slice",
            "copy_within",
            "extend_from_within",
            "to_vec",
            "concat",
            "copy_to",
            "copy_to_nonoverlapping",
            "copy_from",
            "copy_from_nonoverlapping",
        ],
        instead: "aqueduct_base::copy, which counts",
    },
];

/// Crates that only the seam may depend on.
const SEAM_ONLY: [&str; 3] = ["loom", "shuttle", "parking_lot"];
const BASE: &str = "aqueduct-base";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.packages.iter().filter(|package| package.published) {
        findings.extend(check_dependencies(package));
        let files: Vec<&Source> = tree.files_of(package).collect();
        let tests = test_files(&files);
        let src = format!("{}/src/", package.folder);
        for source in files.iter().filter(|source| source.path.starts_with(&src)) {
            if !tests.iter().any(|test| in_module(&source.path, test)) {
                findings.extend(check_source(source));
            }
        }
    }
    findings
}

fn check_dependencies(package: &Package) -> Vec<Finding> {
    let named = |name: &str| package.dependencies.iter().any(|d| d.name == name && !d.dev);
    let message = |name: &str| {
        let message = format!("{} depends on {name}: use aqueduct_base::sync", package.name);
        Finding::new(&format!("{}/Cargo.toml", package.folder), 1, message)
    };
    let other = package.name != BASE;
    SEAM_ONLY.into_iter().filter(|name| other && named(name)).map(message).collect()
}

/// Where the modules stand that are compiled for tests alone, without `.rs`.
fn test_files(files: &[&Source]) -> Vec<String> {
    let modules = |source: &&Source| {
        let path = source.path.trim_end_matches(".rs");
        let folder = match path.rsplit_once('/') {
            Some((folder, "lib" | "main" | "mod")) => folder.to_owned(),
            _ => path.to_owned(),
        };
        let name = |name: &String| format!("{folder}/{name}");
        source.test_modules.iter().map(name).collect::<Vec<_>>()
    };
    files.iter().flat_map(modules).collect()
}

fn in_module(path: &str, module: &str) -> bool {
    path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn check_source(source: &Source) -> Vec<Finding> {
    let names = paths::named(&source.code);
    let mut findings = Vec::new();
    for reserved in RESERVED.iter().filter(|r| !source.path.starts_with(r.home)) {
        let mut report = |at: usize, what: &str| {
            if !source.in_tests(at) {
                let message = format!("names {what}: use {}", reserved.instead);
                findings.push(Finding::new(&source.path, source.line(at), message));
            }
        };
        for Named { at, path } in &names {
            let hit = |known: &&&str| below(path, known);
            if reserved.paths.iter().any(|p| hit(&p)) && !reserved.free.iter().any(|p| hit(&p)) {
                report(*at, path);
            }
        }
        for method in reserved.methods {
            for at in method_calls(source, method) {
                report(at, &format!(".{method}()"));
            }
        }
    }
    findings.extend(switched_off(source));
    findings
}

fn below(path: &str, known: &str) -> bool {
    path.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Calls with a dot: `Slice::copy_from_slice(..)` is ours and has none.
pub(super) fn method_calls<'a>(
    source: &'a Source,
    method: &'a str,
) -> impl Iterator<Item = usize> + 'a {
    let code = &source.code;
    source.words(method).filter(move |&at| {
        code[..at].trim_end().ends_with('.')
            && code[at + method.len()..].trim_start().starts_with('(')
    })
}

/// An `allow(clippy::disallowed_methods)` where payload may not be copied.
fn switched_off(source: &Source) -> Vec<Finding> {
    if RESERVED.iter().any(|reserved| source.path.starts_with(reserved.home)) {
        return Vec::new();
    }
    let allowed = |at: &usize| {
        let attribute = source.code[..*at].rfind('#').map_or("", |start| &source.code[start..*at]);
        attribute.contains("cfg_attr(test") || source.in_tests(*at)
    };
    let message = "switches the ban on copying off: copy through aqueduct_base::copy, or move this into tests";
    source
        .words("disallowed_methods")
        .filter(|at| !allowed(at))
        .map(|at| Finding::new(&source.path, source.line(at), message))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn found(path: &str, text: &str) -> Vec<String> {
        check_source(&Source::new(path, text)).iter().map(Finding::to_string).collect()
    }

    fn count(text: &str) -> usize {
        found("crates/slice/src/raw.rs", text).len()
    }

    #[test]
    fn our_own_names_are_fine() {
        assert_eq!(count("use aqueduct_base::sync::atomic::AtomicUsize;"), 0);
        assert_eq!(count("use aqueduct_base::sync; fn f() { sync::atomic::fence(x); }"), 0);
        assert_eq!(count("fn f() { Slice::copy_from_slice(b); m.extend_from_slice(b); }"), 0);
        assert_eq!(count("use std::alloc::Layout;"), 0);
        assert_eq!(count("// std::sync::atomic\nfn copy_from_slice(a: &[u8]) {}"), 0);
        assert_eq!(count("aqueduct_base::copy(d, s); aqueduct_base::sync::loom_only();"), 0);
    }

    #[test]
    fn atomics_and_loom_are_findings() {
        assert_eq!(count("use std::sync::atomic::AtomicUsize;"), 1);
        assert_eq!(count("use core::sync::{atomic::{self, fence}};"), 2);
        assert_eq!(count("use std::{fmt, sync::{Arc, Mutex}};"), 1);
        assert_eq!(count("fn f() { core::sync::atomic::fence(x) }"), 1);
        assert_eq!(count("use std::sync; fn f() { sync::atomic::fence(x) }"), 1);
        assert_eq!(count("loom::model(|| {});"), 1);
        assert_eq!(count("use parking_lot as locks;"), 1);
    }

    #[test]
    fn the_raw_allocator_is_a_finding() {
        assert_eq!(count("use std::alloc::{Layout, alloc};"), 1);
        assert_eq!(count("extern crate alloc; fn f() { alloc::alloc::dealloc(p, l) }"), 1);
        assert_eq!(count("impl core::alloc::GlobalAlloc for A {}"), 1);
        assert_eq!(found("crates/base/src/block.rs", "use std::alloc::alloc;").len(), 0);
    }

    #[test]
    fn copies_are_findings_with_their_line() {
        let text = "fn f() {\n    d.copy_from_slice(s);\n    ptr::copy(a, b, 1);\n    s.to_vec();\n}\nuse std::ptr;\n";
        let found = found("crates/pool/src/pool.rs", text);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(
            found.iter().any(|f| f.starts_with("crates/pool/src/pool.rs:3: names std::ptr::copy"))
        );
        assert_eq!(count("p.copy_to_nonoverlapping(q, 1)"), 1);
    }

    #[test]
    fn inside_base_each_has_its_own_file() {
        assert_eq!(found("crates/base/src/copy.rs", "d.copy_from_slice(s);").len(), 0);
        assert_eq!(found("crates/base/src/meter.rs", "d.copy_from_slice(s);").len(), 1);
        assert_eq!(found("crates/base/src/sync/mod.rs", "use std::sync::atomic::fence;").len(), 0);
    }

    #[test]
    fn tests_may_and_switching_clippy_off_may_not() {
        assert_eq!(count("#[cfg(test)]\nmod tests { fn f() { a.to_vec(); loom::model(f); } }"), 0);
        assert_eq!(count("#[allow(clippy::disallowed_methods, reason = \"x\")]\nfn f() {}"), 1);
        assert_eq!(count("#![cfg_attr(test, allow(clippy::disallowed_methods))]"), 0);
    }

    #[test]
    fn test_modules_in_files_are_left_out() {
        let lib = Source::new("crates/x/src/lib.rs", "#[cfg(test)]\nmod models;");
        let other = Source::new("crates/x/src/a.rs", "#[cfg(all(test, loom))]\nmod checks;");
        let tests = test_files(&[&lib, &other]);
        assert!(in_module("crates/x/src/models.rs", &tests[0]));
        assert!(in_module("crates/x/src/models/one.rs", &tests[0]));
        assert!(!in_module("crates/x/src/models_too.rs", &tests[0]));
        assert!(in_module("crates/x/src/a/checks.rs", &tests[1]));
    }

    #[test]
    fn dependencies_of_the_seam_are_findings_elsewhere() {
        let package = |name: &str, dev| Package {
            name: name.into(),
            dependencies: vec![Dependency { name: "loom".into(), dev }],
            ..Package::default()
        };
        assert_eq!(check_dependencies(&package("aqueduct-slice", false)).len(), 1);
        assert_eq!(check_dependencies(&package("aqueduct-slice", true)).len(), 0);
        assert_eq!(check_dependencies(&package(BASE, false)).len(), 0);
    }
}
