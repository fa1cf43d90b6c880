//! The paths that a file names, with `use` declarations expanded and followed.

use crate::source::is_word;

/// A path and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) at: usize,
    /// From its crate on as far as the file's `use` lines tell; `core` and `alloc` read as `std`.
    pub(super) path: String,
}

/// What a `use` brings into scope.
struct Import {
    /// The name in this file: the alias, or the last segment.
    name: String,
    path: String,
}

/// Every path of masked code.
pub(super) fn named(code: &str) -> Vec<Named> {
    let mut all = Vec::new();
    let mut imports = Vec::new();
    let mut inline = Vec::new();
    let mut after_use = 0;
    for (at, path) in chains(code) {
        if at < after_use {
            continue;
        }
        if path == "use" && !code[at + 3..].trim_start().starts_with('<') {
            let end = code[at..].find(';').map_or(code.len(), |length| at + length);
            expand(&code[at + 3..end], "", &mut imports);
            all.extend(imports.iter().skip(all.len()).map(|i| Named { at, path: i.path.clone() }));
            after_use = end;
        } else {
            inline.push((at, path));
        }
    }
    for (at, path) in inline {
        let (first, rest) = path.split_once("::").unwrap_or((&path, ""));
        let import = imports.iter().find(|import| import.name == first);
        // A lone word is a local name, and what it was imported from is reported already.
        if rest.is_empty() {
            continue;
        }
        let path = import.map_or(path.clone(), |import| format!("{}::{rest}", import.path));
        all.push(Named { at, path: from_std(&path) });
    }
    all
}

/// Words joined by `::`, with the position of the first.
fn chains(code: &str) -> impl Iterator<Item = (usize, String)> + '_ {
    let bytes = code.as_bytes();
    let mut i = 0;
    std::iter::from_fn(move || {
        while i < bytes.len() && !is_word(bytes[i]) {
            i += 1;
        }
        let start = i;
        loop {
            while i < bytes.len() && is_word(bytes[i]) {
                i += 1;
            }
            let next = bytes.get(i + 2).is_some_and(|&byte| is_word(byte));
            if !(next && code[i..].starts_with("::")) {
                break;
            }
            i += 2;
        }
        (start < i).then(|| (start, code[start..i].to_owned()))
    })
}

/// `a::{b, c as d}` becomes `a::b` and `a::c`.
fn expand(tree: &str, prefix: &str, out: &mut Vec<Import>) {
    for item in split(tree) {
        let item = item.trim().trim_start_matches("::");
        if item.is_empty() {
            continue;
        }
        if let Some((head, inner)) = item.split_once('{') {
            let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
            expand(inner, &format!("{prefix}{}", compact(head)), out);
            continue;
        }
        let (path, alias) = match item.split_once(" as ") {
            Some((path, alias)) => (path, Some(alias.trim())),
            None => (item, None),
        };
        let path = format!("{prefix}{}", compact(path));
        let path = from_std(path.strip_suffix("::self").unwrap_or(&path));
        let last = path.rsplit("::").next().unwrap_or(&path);
        out.push(Import { name: alias.unwrap_or(last).to_owned(), path: path.clone() });
    }
}

/// At commas that no brace encloses.
fn split(tree: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0usize, 0, Vec::new());
    for (i, byte) in tree.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                parts.push(&tree[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    parts
}

fn compact(path: &str) -> String {
    path.split_whitespace().collect()
}

fn from_std(path: &str) -> String {
    match path.split_once("::") {
        Some(("core" | "alloc", rest)) => format!("std::{rest}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> Vec<String> {
        named(code).into_iter().map(|named| named.path).collect()
    }

    #[test]
    fn use_trees_are_expanded() {
        let code = "use core::{fmt, sync::{atomic::{self, AtomicU8 as A}, Arc}};\nuse loom;";
        let expected = [
            "std::fmt",
            "std::sync::atomic",
            "std::sync::atomic::AtomicU8",
            "std::sync::Arc",
            "loom",
        ];
        assert_eq!(of(code), expected);
    }

    #[test]
    fn inline_paths_follow_their_imports() {
        assert_eq!(of("use std::ptr as p; fn f() { p::copy(a, b) }")[1], "std::ptr::copy");
        assert_eq!(of("fn f(x: impl Sized + use<'a>) { a::b::c(x); d(x) }"), ["a::b::c"]);
    }
}
