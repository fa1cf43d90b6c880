//! `unsafe` stands only in listed files, each of which the book argues, and crates without one forbid
//! it.

use super::{Finding, Tree};
use crate::source::Source;

pub(crate) const LIST: &str = "xtask/lists/unsafe.txt";
/// The page that argues each file of the list.
pub(super) const PAGE: &str = "docs/src/soundness.md";
const FORBID: &str = "#![forbid(unsafe_code)]";

/// The files of `xtask/lists/unsafe.txt`, with their line there.
pub(crate) struct List(Vec<(usize, String)>);

impl List {
    pub(crate) fn parse(text: &str) -> List {
        let lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim().to_owned()));
        List(lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn holds(&self, path: &str) -> bool {
        self.0.iter().any(|(_, listed)| listed == path)
    }

    pub(crate) fn holds_below(&self, folder: &str) -> bool {
        self.0.iter().any(|(_, listed)| listed.starts_with(&format!("{folder}/")))
    }
}

/// True where the file has the token in code.
pub(super) fn has_unsafe(source: &Source) -> bool {
    source.words("unsafe").next().is_some()
}

pub(super) fn check(tree: &Tree, list: &List) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in tree.sources.iter().filter(|source| !list.holds(&source.path)) {
        let mut places = source.words("unsafe");
        let Some(first) = places.next() else { continue };
        let message = format!(
            "`unsafe` in {} places of a file that {LIST} does not list: write it safely, or list the file and argue it in {PAGE}",
            1 + places.count()
        );
        findings.push(Finding::new(&source.path, source.line(first), message));
    }
    for (line, path) in &list.0 {
        let found = tree.sources.iter().find(|source| source.path == *path);
        let message = match found {
            None => "listed, but there is no such file: delete the line",
            Some(source) if !has_unsafe(source) => "listed, but has no `unsafe`: delete the line",
            Some(_) => continue,
        };
        findings.push(Finding::new(LIST, *line, format!("{path}: {message}")));
    }
    for package in &tree.packages {
        if list.holds_below(&package.folder) {
            continue;
        }
        for root in &package.crate_roots {
            let source = tree.sources.iter().find(|source| source.path == *root);
            if source.is_some_and(|source| !source.code.contains(FORBID)) {
                findings.push(Finding::new(
                    root,
                    1,
                    format!("no file of this crate is listed in {LIST}: add `{FORBID}`"),
                ));
            }
        }
    }
    findings
}

/// Listed files that the page does not name by their full path, marked as code.
pub(super) fn unargued(list: &List, page: &str) -> Vec<Finding> {
    let missing = list.0.iter().filter(|(_, path)| !page.contains(&format!("`{path}`")));
    let finding = |(line, path): &(usize, String)| {
        Finding::new(LIST, *line, format!("{path}: {PAGE} does not name it: argue it there"))
    };
    missing.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Package;

    fn messages(files: &[(&str, &str)], list: &str) -> Vec<String> {
        let package = Package {
            folder: "crates/x".into(),
            crate_roots: vec!["crates/x/src/lib.rs".into()],
            ..Package::default()
        };
        let sources = files.iter().map(|(path, text)| Source::new(path, text)).collect();
        let tree = Tree { packages: vec![package], sources, manifests: Vec::new() };
        check(&tree, &List::parse(list)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn listed_or_forbidden_is_fine() {
        assert!(messages(&[("crates/x/src/lib.rs", FORBID)], "# none\n").is_empty());
        let files = [("crates/x/src/lib.rs", "mod a;"), ("crates/x/src/a.rs", "unsafe {}")];
        assert!(messages(&files, "crates/x/src/a.rs\n").is_empty());
    }

    #[test]
    fn unlisted_unsafe_is_a_finding_at_its_line() {
        let text = format!("{FORBID}\n// unsafe\nunsafe fn f() {{}}\n");
        let found = messages(&[("crates/x/src/lib.rs", &text)], "");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/x/src/lib.rs:3: "), "{}", found[0]);
    }

    #[test]
    fn stale_lines_are_findings() {
        let files = [("crates/x/src/lib.rs", "// unsafe")];
        let found = messages(&files, "# head\ncrates/x/src/lib.rs\ncrates/x/src/gone.rs\n");
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("xtask/lists/unsafe.txt:2: "));
        assert!(found[1].contains("no such file"));
    }

    #[test]
    fn a_listed_file_that_the_page_does_not_name_in_full_is_a_finding() {
        let list =
            List::parse("# head\ncrates/x/src/a.rs\ncrates/x/src/b.rs\ncrates/x/src/raw.rs\n");
        let page =
            "| `crates/x/src/a.rs`, `crates/x/src/{b,c}.rs` |\n| `deep/crates/x/src/raw.rs` |";
        let found: Vec<_> = unargued(&list, page).iter().map(Finding::to_string).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("xtask/lists/unsafe.txt:3: crates/x/src/b.rs: "), "{found:?}");
        assert!(found[1].starts_with("xtask/lists/unsafe.txt:4: "), "{found:?}");
        assert!(
            unargued(&list, "`crates/x/src/a.rs` `crates/x/src/b.rs`, `crates/x/src/raw.rs`")
                .is_empty()
        );
    }

    #[test]
    fn a_crate_that_does_not_forbid_is_a_finding() {
        let found = messages(&[("crates/x/src/lib.rs", "// #![forbid(unsafe_code)]")], "");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("crates/x/src/lib.rs:1: "));
    }
}
