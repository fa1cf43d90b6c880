//! `cargo xtask tidy`: the rules of the house that no compiler checks.

mod inherit;
mod layers;
mod lengths;
mod locks;
mod names;
mod paths;
pub(crate) mod unsafety;

use std::fmt;

use crate::parity;
use crate::process::{Outcome, flags, read, root};
use crate::source::{FOLDERS, Source, collect};
use crate::workspace::{Package, packages};

/// Something that is not as the house wants it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    path: String,
    line: usize,
    /// What it is, and what to do.
    message: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, message: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// What the rules look at.
struct Tree {
    packages: Vec<Package>,
    sources: Vec<Source>,
    /// The manifests of the packages, by path.
    manifests: Vec<(String, String)>,
}

impl Tree {
    fn load() -> Result<Tree, String> {
        let root = root();
        let packages = packages()?;
        let mut manifests = Vec::new();
        for package in &packages {
            let path = format!("{}/Cargo.toml", package.folder);
            let text = read(&root.join(&path))?;
            manifests.push((path, text));
        }
        Ok(Tree { packages, sources: collect(&root, &FOLDERS)?, manifests })
    }

    /// The files that belong to a package.
    fn files_of<'a>(&'a self, package: &'a Package) -> impl Iterator<Item = &'a Source> {
        let folder = format!("{}/", package.folder);
        self.sources.iter().filter(move |source| source.path.starts_with(&folder))
    }
}

/// Runs every rule.
pub(crate) fn run(args: &[String]) -> Outcome {
    let [] = flags(args, [])?;
    let tree = Tree::load()?;
    let lists = root().join("xtask/lists");
    let allowed = unsafety::List::parse(&read(&lists.join("unsafe.txt"))?);
    let exceptions = lengths::Exceptions::parse(&read(&lists.join("lengths.txt"))?);

    let mut findings = layers::check(&tree.packages);
    findings.extend(inherit::check(&tree));
    findings.extend(unsafety::check(&tree, &allowed));
    findings.extend(unsafety::unargued(&allowed, &read(&root().join(unsafety::PAGE))?));
    findings.extend(names::check(&tree));
    findings.extend(locks::check(&tree));
    findings.extend(lengths::check(&tree.sources, &exceptions));
    if read(&root().join(parity::PAGE))? != parity::made_of(&tree.sources) {
        let message = "not what the tests say: cargo xtask parity";
        findings.push(Finding::new(parity::PAGE, 1, message));
    }
    let history = lengths::first_version();
    if let Some(first) = &history {
        findings.extend(exceptions.grown_since(first));
    }

    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    for finding in &findings {
        println!("{finding}");
    }
    let functions: usize = tree.sources.iter().map(|source| source.functions().len()).sum();
    println!(
        "tidy: checked {} packages, {} files, {functions} functions, {} files with unsafe, {} length exceptions{}: {}",
        tree.packages.len(),
        tree.sources.len(),
        allowed.len(),
        exceptions.len(),
        if history.is_some() { "" } else { " (no git history to compare them with)" },
        if findings.is_empty() {
            "clean".to_owned()
        } else {
            format!("{} findings", findings.len())
        },
    );
    if findings.is_empty() { Ok(()) } else { Err("findings above".to_owned()) }
}
