//! Where the code of others comes from.

use std::collections::BTreeSet;

use crate::process::{read, root};
use crate::workspace::packages;

/// What the published crates stand on, each for a reason that their manifests give.
const ALLOWED: [&str; 16] = [
    "bytes",
    "crossbeam-queue",
    "futures-core",
    "futures-io",
    "futures-sink",
    "http-body",
    "io-uring",
    "libc",
    "loom",
    "memchr",
    "memmap2",
    "parking_lot",
    "rustix",
    "serde",
    "shuttle",
    "tokio",
];

#[test]
fn t30_all_code_of_others_is_of_the_registry_and_locked() {
    for lock in ["Cargo.lock", "fuzz/Cargo.lock", "examples/python/Cargo.lock"] {
        let text = read(&root().join(lock)).unwrap();
        for package in text.split("[[package]]").skip(1) {
            let line = |key: &str| package.lines().find_map(|line| line.strip_prefix(key));
            let name = line("name = ").unwrap();
            // One of ours has no source.
            let Some(source) = line("source = ") else { continue };
            let registry = "\"registry+https://github.com/rust-lang/crates.io-index\"";
            assert_eq!(source, registry, "{lock}: {name}");
            assert!(line("checksum = ").is_some(), "{lock}: {name} has no checksum");
        }
    }
    let deny = read(&root().join("deny.toml")).unwrap();
    for rule in ["unknown-registry = \"deny\"", "unknown-git = \"deny\""] {
        assert!(deny.contains(rule), "deny.toml lacks {rule}");
    }
    let gate = read(&root().join(".ci/run")).unwrap();
    for step in gate.lines().filter(|line| line.contains("--workspace")) {
        assert!(step.contains("--locked"), ".ci/run: {step}");
    }
}

#[test]
fn t30_the_published_crates_need_few_others() {
    let packages = packages().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    for package in packages.iter().filter(|package| package.published) {
        let needs = package.dependencies.iter().filter(|dependency| !dependency.dev);
        for needed in needs.map(|dependency| dependency.name.as_str()) {
            let known = ours.contains(needed) || ALLOWED.contains(&needed);
            assert!(known, "{} depends on {needed}", package.name);
        }
    }
}
