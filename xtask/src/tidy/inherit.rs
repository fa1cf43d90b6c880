//! Published crates take their version, compiler and dependencies from the workspace.

use super::{Finding, Tree};

const KEYS: [&str; 4] = ["version", "edition", "rust-version", "license"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in tree.packages.iter().filter(|package| package.published) {
        let path = format!("{}/Cargo.toml", package.folder);
        let manifest = tree.manifests.iter().find(|(known, _)| *known == path);
        findings.extend(manifest.into_iter().flat_map(|(path, text)| check_manifest(path, text)));
    }
    findings
}

/// A section of a manifest: its name and its lines, numbered from one.
struct Section<'a> {
    line: usize,
    name: &'a str,
    lines: Vec<(usize, &'a str)>,
}

fn sections(text: &str) -> Vec<Section<'_>> {
    let mut all: Vec<Section<'_>> = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            all.push(Section { line: i + 1, name, lines: Vec::new() });
        } else if let Some(section) = all.last_mut() {
            section.lines.push((i + 1, line));
        }
    }
    all
}

fn check_manifest(path: &str, text: &str) -> Vec<Finding> {
    let sections = sections(text);
    let mut findings = Vec::new();
    let package = sections.iter().find(|section| section.name == "package");
    for key in KEYS {
        let wanted = format!("{key}.workspace = true");
        let lines = package.iter().flat_map(|section| &section.lines);
        if !lines.clone().any(|(_, line)| *line == wanted) {
            let own = lines.clone().find(|(_, line)| line.starts_with(key));
            let at = own.map_or(1, |(at, _)| *at);
            findings.push(Finding::new(
                path,
                at,
                format!("{key} is not inherited: write `{wanted}`"),
            ));
        }
    }
    let inherits_lints = sections.iter().any(|section| {
        section.name == "lints" && section.lines.iter().any(|(_, line)| *line == "workspace = true")
    });
    if !inherits_lints {
        findings.push(Finding::new(
            path,
            1,
            "lints are not inherited: add `[lints]` with `workspace = true`",
        ));
    }
    for section in &sections {
        findings.extend(check_dependencies(path, section));
    }
    findings
}

fn check_dependencies(path: &str, section: &Section<'_>) -> Vec<Finding> {
    let finding = |line: usize, name: &str| {
        let message = format!(
            "{name} has a version of its own: name it in the workspace's dependencies and write `workspace = true`"
        );
        Finding::new(path, line, message)
    };
    let name = section.name.rsplit_once('.').map_or(section.name, |(_, last)| last);
    if name.ends_with("dependencies") {
        let own = |(_, line): &&(usize, &str)| !line.contains("workspace = true");
        let mut findings = Vec::new();
        for (line, text) in section.lines.iter().filter(own) {
            // Lines inside a list of features have no `=`.
            if let Some((name, _)) = text.split_once('=') {
                findings.push(finding(*line, name.trim()));
            }
        }
        return findings;
    }
    // `[dependencies.NAME]`, a section to itself.
    let of_one = section.name.contains("dependencies.");
    let inherited = section.lines.iter().any(|(_, line)| *line == "workspace = true");
    if of_one && !inherited { vec![finding(section.line, name)] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[package]\nname = \"x\"\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\n\n[lints]\nworkspace = true\n\n[dependencies]\nserde.workspace = true\nbytes = { workspace = true, optional = true }\n\n[target.'cfg(aqueduct_loom)'.dependencies]\nloom.workspace = true\n";

    fn messages(text: &str) -> Vec<String> {
        check_manifest("Cargo.toml", text).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn inherited_is_fine() {
        assert_eq!(messages(GOOD), [""; 0]);
    }

    #[test]
    fn own_versions_are_findings() {
        let own = GOOD.replace("version.workspace = true\nedition", "version = \"1.0.0\"\nedition");
        assert!(messages(&own)[0].starts_with("Cargo.toml:3: version is not inherited"));
        let missing = GOOD.replace("rust-version.workspace = true\n", "");
        assert!(messages(&missing)[0].contains("rust-version"));
        assert!(messages(&GOOD.replace("[lints]\nworkspace = true\n", ""))[0].contains("lints"));
    }

    #[test]
    fn own_dependencies_are_findings() {
        for bad in ["bytes = \"1\"", "bytes = { version = \"1\", optional = true }"] {
            let text = GOOD.replace("serde.workspace = true", bad);
            assert!(messages(&text)[0].starts_with("Cargo.toml:12: bytes has a version"), "{text}");
        }
        let text = GOOD.replace("loom.workspace = true", "loom = \"0.7\"");
        assert_eq!(messages(&text).len(), 1);
        let text = GOOD.to_owned() + "[dev-dependencies.proptest]\nversion = \"1\"\n";
        assert!(messages(&text)[0].contains("proptest"));
    }
}
