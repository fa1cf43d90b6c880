//! `cargo xtask book`: that the book builds, and that nothing in it, in a README or beside it leads nowhere.
//!
//! Four things that no compiler checks: every relative link leads to a file or folder of the tree, and
//! to a heading where it names one; every page is in the summary; every fence says what is in it, and
//! where that is Rust, the file is among the doc tests; every file of Rust that a page names is there. Links
//! to other places are looked at, not followed.

mod markdown;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::process::{Outcome, execute, find_tool, flags, read, root};
use crate::source::{FOLDERS, Source, collect, files};
use crate::tidy::Finding;
use crate::workspace::relative;
use markdown::{Found, Page};

/// Where the book's pages are.
const BOOK: &str = "docs/src/";
const SUMMARY: &str = "docs/src/SUMMARY.md";
/// Those of them that are about the reader's code.
const GUIDE: &str = "docs/src/guide/";

/// Whose READMEs are read without the rest of the tree, on a registry and on docs.rs.
const CRATES: &str = "crates/";

/// What a fence may be, besides Rust: nothing that a doc test could run.
const OTHERS: [&str; 8] = ["text", "sh", "toml", "json", "csharp", "java", "python", "c"];

/// All that is looked at.
struct Shelf {
    pages: BTreeMap<String, Page>,
    /// Markdown files that are somewhere's documentation, so that their Rust is compiled.
    tested: BTreeSet<String>,
    /// The paths of all Rust files.
    sources: Vec<String>,
}

impl Shelf {
    fn load(root: &Path) -> Result<Shelf, String> {
        let mut paths = files(root, &["docs"], ".md")?;
        paths.extend(files(root, &FOLDERS, "README.md")?);
        let own = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"];
        paths.extend(own.map(|name| root.join(name)));
        let mut pages = BTreeMap::new();
        for path in paths {
            let name = relative(&path, root);
            pages.insert(name.clone(), Page::new(&name, &read(&path)?));
        }
        let sources = collect(root, &FOLDERS)?;
        let tested = sources.iter().flat_map(|source| included(source, root)).collect();
        let sources = sources.into_iter().map(|source| source.path).collect();
        Ok(Shelf { pages, tested, sources })
    }

    fn check(&self, root: &Path) -> Vec<Finding> {
        let mut findings = Vec::new();
        for page in self.pages.values() {
            let of = |found: &Found, said| Finding::new(&page.path, found.line, said);
            let link = |link| Some(of(link, self.refuse_link(page, &link.text, root)?));
            findings.extend(page.links.iter().filter_map(link));
            let fence = |fence| Some(of(fence, self.refuse_fence(page, &fence.text)?));
            findings.extend(page.fences.iter().filter_map(fence));
            let gone = page.sources.iter().filter(|named| self.is_gone(page, &named.text));
            findings.extend(gone.map(|named| of(named, format!("no such file: {}", named.text))));
        }
        findings.extend(self.unlisted());
        findings
    }

    /// What is wrong with a link, if anything.
    fn refuse_link(&self, from: &Page, target: &str, root: &Path) -> Option<String> {
        if let Some((scheme, rest)) = target.split_once("://") {
            let host = rest.split('/').next().unwrap_or_default();
            let sane = matches!(scheme, "https" | "http") && host.contains('.');
            return (!sane).then(|| format!("no address: {target}"));
        }
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        let to = if path.is_empty() { from.path.clone() } else { resolve(&from.path, path) };
        if !self.pages.contains_key(&to) && !root.join(&to).exists() {
            return Some(format!("leads nowhere: {target}"));
        }
        let in_book = |path: &str| path.starts_with(BOOK);
        if from.path.starts_with(CRATES) && !path.is_empty() {
            return Some(format!("leads out of the crate, which is published alone: {target}"));
        }
        if in_book(&from.path) && !(in_book(&to) && to.ends_with(".md")) {
            return Some(format!("leads out of the book, where its readers cannot go: {target}"));
        }
        let known = |page: &Page| page.anchors.iter().any(|known| known == anchor);
        let found = anchor.is_empty() || self.pages.get(&to).is_some_and(known);
        (!found).then(|| format!("no such heading: {target}"))
    }

    /// Whether a page about our code names a file of which no path has this end.
    fn is_gone(&self, page: &Page, file: &str) -> bool {
        let ends = |path: &String| {
            path.strip_suffix(file).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
        };
        page.path.starts_with(BOOK)
            && !page.path.starts_with(GUIDE)
            && !self.sources.iter().any(ends)
    }

    /// What is wrong with a fence, if anything.
    fn refuse_fence(&self, page: &Page, words: &str) -> Option<String> {
        let mut words = words.split([',', ' ']).filter(|word| !word.is_empty());
        match words.next() {
            Some("rust") if words.any(|word| word == "ignore") => {
                Some("Rust that is ignored is no Rust: mark it as text".to_owned())
            }
            Some("rust") if self.tested.contains(&page.path) => None,
            Some("rust") => Some(
                "Rust that no doc test compiles: include the page in a crate's docs".to_owned(),
            ),
            Some(other) if OTHERS.contains(&other) => None,
            other => Some(format!(
                "say what the block is, rust or one of {}: {}",
                OTHERS.join(", "),
                other.unwrap_or("nothing is said"),
            )),
        }
    }

    /// Pages of the book that its summary does not list.
    fn unlisted(&self) -> impl Iterator<Item = Finding> {
        let listed = |summary: &Page| {
            summary.links.iter().map(|link| resolve(SUMMARY, &link.text)).collect::<BTreeSet<_>>()
        };
        let listed = self.pages.get(SUMMARY).map(listed).unwrap_or_default();
        let missing = |path: &&String| {
            path.starts_with(BOOK) && *path != SUMMARY && !listed.contains(path.as_str())
        };
        let message = format!("not in {SUMMARY}");
        let paths: Vec<String> = self.pages.keys().filter(missing).cloned().collect();
        paths.into_iter().map(move |path| Finding::new(&path, 1, message.clone()))
    }
}

/// The Markdown files that a source includes.
fn included(source: &Source, root: &Path) -> Vec<String> {
    let parts = source.text.split("include_str!(\"").skip(1);
    let names =
        parts.filter_map(|rest| rest.split('"').next()).filter(|name| name.ends_with(".md"));
    let path = |name| root.join(resolve(&source.path, name));
    let path = |name| path(name).canonicalize().ok();
    names.filter_map(path).map(|path| relative(&path, root)).collect()
}

/// What a relative path means in a file.
fn resolve(from: &str, path: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.pop().is_some() => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

pub(crate) fn run(args: &[String]) -> Outcome {
    let [] = flags(args, [])?;
    let root = root();
    let shelf = Shelf::load(&root)?;
    let findings = shelf.check(&root);
    findings.iter().for_each(|finding| println!("{finding}"));
    let links: usize = shelf.pages.values().map(|page| page.links.len()).sum();
    let fences: usize = shelf.pages.values().map(|page| page.fences.len()).sum();
    let count = findings.len();
    println!("book: {} files, {links} links, {fences} fences: {count} findings", shelf.pages.len());
    match find_tool("mdbook") {
        Some(mdbook) => {
            let target = root.join("target/book");
            execute(
                Command::new(mdbook).arg("build").arg(root.join("docs")).arg("-d").arg(target),
            )?;
        }
        None => println!("book: not built, mdbook is not installed"),
    }
    if findings.is_empty() { Ok(()) } else { Err("findings above".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(pages: &[(&str, &str)]) -> Shelf {
        let page = |&(path, text): &(&str, &str)| (path.to_owned(), Page::new(path, text));
        let tested = BTreeSet::from(["docs/src/a.md".to_owned()]);
        let sources = vec!["crates/pipe/src/gate.rs".to_owned()];
        Shelf { pages: pages.iter().map(page).collect(), tested, sources }
    }

    fn findings(text: &str) -> Vec<String> {
        let summary = "[A](a.md)\n";
        let shelf =
            shelf(&[(SUMMARY, summary), ("docs/src/guide.md", "# B"), ("docs/src/a.md", text)]);
        let all = shelf.check(&root()).into_iter().map(|finding| finding.to_string());
        all.filter(|said| said.contains("a.md:")).collect()
    }

    #[test]
    fn a_link_leads_to_a_file_and_a_heading() {
        assert_eq!(
            findings("# Top\n[x](guide.md#b) [y](#top) [z](https://example.org/a)"),
            [""; 0]
        );
        assert!(findings("[x](nowhere.md)")[0].contains("a.md:1: leads nowhere: nowhere.md"));
        assert!(findings("[x](guide.md#c)")[0].contains("no such heading"));
        assert!(findings("[x](../../README.md)")[0].contains("out of the book"));
        assert!(findings("[x](ftp://example.org) [y](https://here)")[1].contains("no address"));
    }

    #[test]
    fn a_readme_of_a_crate_leads_to_addresses_alone() {
        let text = "# Top\n[x](https://docs.rs/aqueduct) [y](#top)\n[z](../../README.md)";
        let pages = shelf(&[("crates/slice/README.md", text)]);
        let said: Vec<_> = pages.check(&root()).iter().map(ToString::to_string).collect();
        assert!(
            said.len() == 1 && said[0].contains("README.md:3: leads out of the crate"),
            "{said:?}"
        );
    }

    #[test]
    fn a_fence_says_what_it_is_and_rust_is_compiled() {
        assert_eq!(findings("```rust,no_run\n```\n```text\n```"), [""; 0]);
        assert!(findings("```\n```")[0].contains("say what the block is"));
        assert!(findings("```rust,ignore\n```")[0].contains("ignored"));
        let untested = shelf(&[(SUMMARY, "[G](guide.md)"), ("docs/src/guide.md", "```rust\n```")]);
        assert!(untested.check(&root())[0].to_string().contains("no doc test"));
    }

    #[test]
    fn a_file_that_is_named_is_there() {
        assert_eq!(findings("`gate.rs`, `src/gate.rs` and `crates/pipe/src/gate.rs`"), [""; 0]);
        assert!(findings("`gone.rs`")[0].contains("a.md:1: no such file: gone.rs"));
        assert!(findings("`ate.rs`")[0].contains("no such file"));
    }

    #[test]
    fn a_page_is_in_the_summary() {
        let lost = shelf(&[(SUMMARY, ""), ("docs/src/guide.md", "")]);
        assert!(lost.check(&root())[0].to_string().contains("not in docs/src/SUMMARY.md"));
    }
}
