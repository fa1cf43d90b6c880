//! Enough of Rust's grammar to find tokens, functions and test modules in a file.
//!
//! No parser: comments are blanked and strings filled, so that a search over the rest sees code
//! only. Line numbers are those of the original.

use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};

use crate::process::read;
use crate::workspace::relative;

/// A Rust file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The text with comments blanked and strings filled with quotes, byte for byte as long.
    pub(crate) code: String,
    /// Byte ranges of items under `#[cfg(test)]`.
    pub(crate) tests: Vec<Range<usize>>,
    /// Modules that this file declares under `#[cfg(test)]` and that stand in files of their own.
    pub(crate) test_modules: Vec<String>,
}

/// A function and the lines of code from its `fn` to its closing brace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// The line of its `fn`, counted from one.
    pub(crate) line: usize,
    pub(crate) length: usize,
}

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Source {
        let code = mask(text);
        let (tests, test_modules) = test_items(&code);
        Source { path: path.to_owned(), text: text.to_owned(), code, tests, test_modules }
    }

    /// The line, counted from one, of a byte position.
    pub(crate) fn line(&self, at: usize) -> usize {
        1 + self.code.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count()
    }

    /// True for a position inside an item under `#[cfg(test)]`.
    pub(crate) fn in_tests(&self, at: usize) -> bool {
        self.tests.iter().any(|range| range.contains(&at))
    }

    /// The lines of items under `#[cfg(test)]`, counted from one.
    pub(crate) fn test_lines(&self) -> impl Iterator<Item = RangeInclusive<usize>> + '_ {
        self.tests.iter().map(|range| self.line(range.start)..=self.line(range.end))
    }

    /// Lines that hold code, without blanks, comments and items under `#[cfg(test)]`.
    pub(crate) fn length(&self) -> usize {
        let mut start = 0;
        let mut count = 0;
        for line in self.code.split_inclusive('\n') {
            if !line.trim().is_empty() && !self.in_tests(start) {
                count += 1;
            }
            start += line.len();
        }
        count
    }

    /// The positions of a word that stands by itself.
    pub(crate) fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        let bytes = self.code.as_bytes();
        self.code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
            let before = at.checked_sub(1).is_some_and(|i| is_word(bytes[i]));
            let after = bytes.get(at + word.len()).is_some_and(|&byte| is_word(byte));
            !before && !after
        })
    }

    /// Every function with a body.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let bytes = self.code.as_bytes();
        let body = |at: usize| {
            let name = word_at(&self.code, skip_space(bytes, at + 2))?;
            let open = item_end(bytes, at).filter(|&end| bytes[end] == b'{')?;
            let close = closing(bytes, open)?;
            let lines = self.code[at..=close].lines().filter(|line| !line.trim().is_empty());
            Some(Function { name, line: self.line(at), length: lines.count() })
        };
        self.words("fn").filter_map(body).collect()
    }
}

/// Every Rust file below the given folders; build output and hidden folders are skipped.
pub(crate) fn collect(root: &Path, folders: &[&str]) -> Result<Vec<Source>, String> {
    let paths = files(root, folders, ".rs")?;
    paths.iter().map(|path| Ok(Source::new(&relative(path, root), &read(path)?))).collect()
}

/// Every file below the given folders whose name ends so, in order; build output and hidden folders
/// are skipped.
pub(crate) fn files(root: &Path, folders: &[&str], ends: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let mut open: Vec<_> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = open.pop() {
        let Ok(entries) = folder.read_dir() else { continue };
        for entry in entries {
            let entry = entry.map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    open.push(path);
                }
            } else if name.ends_with(ends) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The folders that may hold Rust files of ours.
pub(crate) const FOLDERS: [&str; 5] = ["crates", "examples", "benches", "fuzz", "xtask"];

pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The word that starts at a position.
fn word_at(code: &str, at: usize) -> Option<String> {
    let rest = &code[at..];
    let end = rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    (from..bytes.len()).find(|&i| !bytes[i].is_ascii_whitespace()).unwrap_or(bytes.len())
}

/// The brace, bracket or parenthesis that closes the one at `open`.
pub(crate) fn closing(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (i, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

/// Where an item's head ends: its opening brace, or its semicolon.
fn item_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut i = from;
    while i < bytes.len() {
        match bytes[i] {
            b'(' | b'[' => i = closing(bytes, i)?,
            b'{' | b';' => return Some(i),
            _ => {}
        }
        i += 1;
    }
    None
}

/// The items under `#[cfg(test)]` (or a `cfg` that needs `test`): ranges, and modules elsewhere.
fn test_items(code: &str) -> (Vec<Range<usize>>, Vec<String>) {
    let bytes = code.as_bytes();
    let (mut ranges, mut modules) = (Vec::new(), Vec::new());
    for (start, _) in code.match_indices("#[cfg(") {
        let Some(close) = closing(bytes, start + 1) else { continue };
        if !needs_test(&code[start..close]) {
            continue;
        }
        let mut at = skip_space(bytes, close + 1);
        while code[at..].starts_with("#[") {
            let Some(end) = closing(bytes, at + 1) else { break };
            at = skip_space(bytes, end + 1);
        }
        let Some(end) = item_end(bytes, at) else { continue };
        if bytes[end] == b';' {
            if let Some((_, name)) = code[at..end].rsplit_once("mod ") {
                modules.push(name.trim().to_owned());
            }
            ranges.push(start..end + 1);
        } else if let Some(end) = closing(bytes, end) {
            ranges.push(start..end + 1);
        }
    }
    (ranges, modules)
}

/// Whether it asks for `test`, be it with others: ours name it first.
fn needs_test(attribute: &str) -> bool {
    let asked = attribute.trim_start_matches("#[cfg(").trim_end_matches(')');
    let first = asked.strip_prefix("all(").unwrap_or(asked);
    first.strip_prefix("test").is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
}

/// Blanks comments and fills strings and characters with quotes; newlines stay.
fn mask(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut i = 0;
    while i < bytes.len() {
        let Some((end, fill)) = opaque(bytes, i) else {
            i += 1;
            continue;
        };
        let end = end.min(bytes.len());
        out[i..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = fill);
        i = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Where a comment, string or character literal that starts here ends, and what replaces it.
fn opaque(bytes: &[u8], i: usize) -> Option<(usize, u8)> {
    let rest = &bytes[i..];
    if rest.starts_with(b"//") {
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        return Some((i + end, b' '));
    }
    if rest.starts_with(b"/*") {
        return Some((block_comment_end(bytes, i), b' '));
    }
    match rest.first()? {
        b'"' => Some((string_end(bytes, i + 1), b'"')),
        b'\'' => char_end(bytes, i).map(|end| (end, b'"')),
        b'r' | b'b' | b'c' if i == 0 || !is_word(bytes[i - 1]) => {
            raw_string_end(bytes, i).map(|end| (end, b'"'))
        }
        _ => None,
    }
}

fn block_comment_end(bytes: &[u8], start: usize) -> usize {
    let mut depth = 0usize;
    let mut i = start;
    while i < bytes.len() {
        if bytes[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if bytes[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                break;
            }
        } else {
            i += 1;
        }
    }
    i
}

fn string_end(bytes: &[u8], mut i: usize) -> usize {
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    i
}

/// `None` for a lifetime.
fn char_end(bytes: &[u8], i: usize) -> Option<usize> {
    if bytes.get(i + 1)? == &b'\\' {
        let close = (i + 3..bytes.len()).find(|&j| bytes[j] == b'\'')?;
        return Some(close + 1);
    }
    let next = (i + 2..bytes.len()).find(|&j| bytes[j] & 0xC0 != 0x80)?;
    (bytes[next] == b'\'').then_some(next + 1)
}

fn raw_string_end(bytes: &[u8], i: usize) -> Option<usize> {
    let r = if bytes[i] == b'r' { i } else { i + 1 };
    if bytes.get(r)? != &b'r' {
        return None;
    }
    let quote = (r + 1..bytes.len()).find(|&j| bytes[j] != b'#')?;
    if bytes[quote] != b'"' {
        return None;
    }
    let hashes = quote - r - 1;
    let mut end = quote + 1;
    while end < bytes.len() {
        let tail = &bytes[end + 1..];
        if bytes[end] == b'"'
            && tail.iter().take_while(|&&b| b == b'#').take(hashes).count() == hashes
        {
            return Some(end + 1 + hashes);
        }
        end += 1;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_hide_their_words() {
        let text = "// unsafe\nlet a = \"unsafe\"; /* unsafe /* x */ unsafe */ let b = r#\"unsafe\"#;\nlet c = b'\\''; unsafe_code!(); unsafe {}\n";
        let source = Source::new("x.rs", text);
        let found: Vec<usize> = source.words("unsafe").map(|at| source.line(at)).collect();
        assert_eq!(found, [3]);
        assert_eq!(source.code.len(), text.len());
    }

    #[test]
    fn lifetimes_are_not_characters() {
        let source = Source::new("x.rs", "fn f<'a>(x: &'a str) -> char { 'x' }\nfn g() {}\n");
        let names: Vec<String> = source.functions().into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["f", "g"]);
    }

    #[test]
    fn function_length_counts_code_only() {
        let text =
            "fn f(\n    a: [u8; { 2 }],\n) {\n    // why\n\n    g();\n}\ntrait T { fn h(); }\n";
        let functions = Source::new("x.rs", text).functions();
        assert_eq!(functions, [Function { name: "f".into(), line: 1, length: 5 }]);
    }

    #[test]
    fn test_items_are_left_out_of_the_length() {
        let text = "fn f() {}\n#[cfg(test)]\n#[allow(x)]\nmod tests {\n    fn t() {}\n}\n#[cfg(not(test))]\nfn g() {}\n#[cfg(all(test, aqueduct_loom))]\nmod models;\n";
        let source = Source::new("x.rs", text);
        assert_eq!(source.length(), 3);
        assert_eq!(source.test_modules, ["models"]);
    }
}
