//! What `cargo metadata` knows of this workspace's own packages.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::process::{capture, cargo, root};

/// One package of the workspace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// The package's folder, relative to the root, with `/`.
    pub(crate) folder: String,
    pub(crate) published: bool,
    pub(crate) dependencies: Vec<Dependency>,
    /// The roots of its library and binaries, relative to the workspace's root.
    pub(crate) crate_roots: Vec<String>,
    /// Its features but `default`.
    pub(crate) features: Vec<String>,
    /// Those of them that turn `std` on, itself among them; none for a package that always has it.
    pub(crate) std_features: Vec<String>,
}

/// One line of a dependency table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) dev: bool,
}

/// The packages of the workspace, by name.
pub(crate) fn packages() -> Result<Vec<Package>, String> {
    let text = capture(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let value: Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    let root = value["workspace_root"].as_str().map(PathBuf::from).unwrap_or_else(root);
    let mut packages: Vec<Package> =
        value["packages"].as_array().into_iter().flatten().map(|p| package(p, &root)).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

/// The names of the packages that are published.
pub(crate) fn published() -> Result<Vec<Package>, String> {
    Ok(packages()?.into_iter().filter(|p| p.published).collect())
}

fn package(value: &Value, root: &Path) -> Package {
    let manifest = PathBuf::from(text(&value["manifest_path"]));
    let dependencies = items(&value["dependencies"])
        .map(|d| Dependency { name: text(&d["name"]), dev: d["kind"] == "dev" })
        .collect();
    let built = |target: &&Value| {
        let kinds: Vec<String> = items(&target["kind"]).map(text).collect();
        kinds.iter().any(|kind| matches!(kind.as_str(), "lib" | "bin" | "rlib" | "proc-macro"))
    };
    let crate_roots = items(&value["targets"])
        .filter(built)
        .map(|target| relative(Path::new(&text(&target["src_path"])), root))
        .collect();
    let features = value["features"].as_object().into_iter().flatten();
    let features = features.filter(|(name, _)| *name != "default");
    let needs_std = |(name, parts): &(&String, &Value)| {
        *name == "std" || items(parts).any(|part| *part == "std")
    };
    let names = |(name, _): (&String, &Value)| name.clone();
    Package {
        name: text(&value["name"]),
        folder: relative(manifest.parent().unwrap_or(root), root),
        // `publish = false` is an empty list of registries here.
        published: value["publish"].is_null(),
        dependencies,
        crate_roots,
        features: features.clone().map(names).collect(),
        std_features: features.filter(needs_std).map(names).collect(),
    }
}

/// The path below the root, with `/`.
pub(crate) fn relative(path: &Path, root: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
