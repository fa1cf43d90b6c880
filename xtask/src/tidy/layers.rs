//! A crate depends only on crates of a lower layer.

use super::Finding;
use crate::workspace::{Dependency, Package};

/// What a package is to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Published; depends on lower layers only.
    Layer(u8),
    /// A stranger's program: of ours it uses only `aqueduct`.
    Example,
    /// For tests and reports: uses what it wants, and no published crate uses it.
    Tool,
    /// Uses nothing of ours, so that it builds when nothing else does.
    Bare,
}

/// The house, bottom to top. A package that is not here is a finding.
const HOUSE: [(&str, Role); 20] = [
    ("aqueduct-base", Role::Layer(0)),
    ("aqueduct-slice", Role::Layer(1)),
    ("aqueduct-ring", Role::Layer(1)),
    ("aqueduct-pool", Role::Layer(2)),
    ("aqueduct-sequence", Role::Layer(2)),
    ("aqueduct-pipe", Role::Layer(3)),
    ("aqueduct-os", Role::Layer(3)),
    ("aqueduct", Role::Layer(4)),
    ("example-common", Role::Example),
    ("patterns", Role::Example),
    ("web", Role::Example),
    ("uvrpc", Role::Example),
    ("streamweave", Role::Example),
    ("exchange", Role::Example),
    ("copy-cost", Role::Tool),
    ("aqueduct-testkit", Role::Tool),
    ("aqueduct-interop", Role::Tool),
    ("aqueduct-guide", Role::Tool),
    ("aqueduct-fuzz", Role::Tool),
    ("xtask", Role::Bare),
];

const TESTKIT: &str = "aqueduct-testkit";

fn role(name: &str) -> Option<Role> {
    HOUSE.iter().find(|(known, _)| *known == name).map(|(_, role)| *role)
}

pub(super) fn check(packages: &[Package]) -> Vec<Finding> {
    packages.iter().flat_map(check_package).collect()
}

fn check_package(package: &Package) -> Vec<Finding> {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let finding = |message: String| Finding::new(&manifest, 1, message);
    let Some(own) = role(&package.name) else {
        return vec![finding(format!(
            "package {} has no layer: give it one in xtask/src/tidy/layers.rs",
            package.name
        ))];
    };
    let mut findings = Vec::new();
    if package.published != matches!(own, Role::Layer(_)) {
        findings.push(finding(format!(
            "{} is {own:?}: layers are published, everything else says `publish = false`",
            package.name
        )));
    }
    for dependency in &package.dependencies {
        let Some(other) = role(&dependency.name) else { continue };
        if let Some(rule) = broken_rule(&package.name, own, dependency, other) {
            let kind = if dependency.dev { "dev-depends" } else { "depends" };
            findings.push(finding(format!(
                "{} {kind} on {}: {rule}; drop it or move what is needed down",
                package.name, dependency.name
            )));
        }
    }
    findings
}

fn broken_rule(name: &str, own: Role, on: &Dependency, other: Role) -> Option<&'static str> {
    // A self dev-dependency turns features on for the crate's own tests.
    if on.dev && (on.name == TESTKIT || on.name == name) {
        return None;
    }
    match (own, other) {
        (Role::Layer(own), Role::Layer(other)) if other < own => None,
        (Role::Layer(_), _) => Some("a published crate uses lower layers only"),
        // The testkit's counting allocator: examples say how often they allocate, without `unsafe`.
        (Role::Example, _) if on.name == "aqueduct" || on.name == TESTKIT => None,
        // All are programs that end in order, and four of them servers.
        (Role::Example, Role::Example) if on.name == "example-common" => None,
        // Files go out by the HTTP of the port that has one.
        (Role::Example, Role::Example) if (name, &*on.name) == ("patterns", "web") => None,
        (Role::Example, _) => Some("an example uses `aqueduct` alone, as a stranger would"),
        (Role::Tool, _) => None,
        (Role::Bare, _) => Some("xtask uses nothing of ours"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, on: &[(&str, bool)]) -> Package {
        Package {
            name: name.into(),
            folder: "x".into(),
            published: matches!(role(name), Some(Role::Layer(_))),
            dependencies: on
                .iter()
                .map(|&(name, dev)| Dependency { name: name.into(), dev })
                .collect(),
            ..Package::default()
        }
    }

    fn count(name: &str, on: &[(&str, bool)]) -> usize {
        check(&[package(name, on)]).len()
    }

    #[test]
    fn downward_is_fine() {
        assert_eq!(count("aqueduct-pool", &[("aqueduct-slice", false), ("bytes", false)]), 0);
        assert_eq!(count("aqueduct-slice", &[("aqueduct-testkit", true)]), 0);
        assert_eq!(count("aqueduct-slice", &[("aqueduct-slice", true)]), 0);
        assert_eq!(count("patterns", &[("aqueduct", false), ("aqueduct-testkit", true)]), 0);
        assert_eq!(count("uvrpc", &[("example-common", false)]), 0);
        assert_eq!(count("patterns", &[("example-common", false), ("web", false)]), 0);
        assert_eq!(count("copy-cost", &[("patterns", false), ("aqueduct-slice", false)]), 0);
    }

    #[test]
    fn upward_sideways_and_into_tools_are_findings() {
        assert_eq!(count("aqueduct-slice", &[("aqueduct-pool", false)]), 1);
        assert_eq!(count("aqueduct-slice", &[("aqueduct-pool", true)]), 1);
        assert_eq!(count("aqueduct-slice", &[("aqueduct-ring", false)]), 1);
        assert_eq!(count("aqueduct-slice", &[("aqueduct-testkit", false)]), 1);
        assert_eq!(count("patterns", &[("aqueduct-slice", false)]), 1);
        assert_eq!(count("uvrpc", &[("web", false)]), 1);
        assert_eq!(count("xtask", &[("aqueduct-base", false)]), 1);
    }

    #[test]
    fn strangers_and_wrong_publishing_are_findings() {
        assert_eq!(count("aqueduct-extra", &[]), 1);
        let mut tool = package("copy-cost", &[]);
        tool.published = true;
        assert_eq!(check(&[tool]).len(), 1);
    }
}
