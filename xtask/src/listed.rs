//! The files with `unsafe` that users get: those of `xtask/lists/unsafe.txt`, without tests and tools.

use std::collections::BTreeSet;

use crate::process::{read, root};
use crate::source::{Source, collect};
use crate::tidy::unsafety::{LIST, List};
use crate::workspace::published;

/// A file of a published crate's library.
pub(crate) struct Listed {
    pub(crate) source: Source,
    /// Whose it is.
    pub(crate) package: String,
}

/// Those whose paths contain `name`.
pub(crate) fn listed(name: &str) -> Result<Vec<Listed>, String> {
    let list = List::parse(&read(&root().join(LIST))?);
    let sources = collect(&root(), &["crates"])?;
    let mut found = Vec::new();
    for package in published()? {
        let folder = format!("{}/src/", package.folder);
        let own = || sources.iter().filter(|source| source.path.starts_with(&folder));
        let tests: BTreeSet<String> = own()
            .flat_map(|source| &source.test_modules)
            .map(|module| format!("{folder}{module}.rs"))
            .collect();
        let wanted = own().filter(|source| list.holds(&source.path) && source.path.contains(name));
        found.extend(
            wanted
                .filter(|source| !tests.contains(&source.path))
                .map(|source| Listed { source: source.clone(), package: package.name.clone() }),
        );
    }
    if found.is_empty() {
        return Err(format!("no file of {LIST} is called so: {name}"));
    }
    Ok(found)
}
