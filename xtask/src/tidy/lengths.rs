//! Files of at most 300 lines of code (250 with `unsafe`), functions of at most 70.

use std::process::Command;

use super::Finding;
use super::unsafety::has_unsafe;
use crate::process::root;
use crate::source::Source;

const LIST: &str = "xtask/lists/lengths.txt";

/// What a reader holds in mind at once: a file that needs scrolling eight times is two ideas.
const FILE: usize = 300;
/// A file whose every line bears on a safety argument is shorter.
const UNSAFE_FILE: usize = 250;
/// A screen; clippy's `too_many_lines` has the same figure.
const FUNCTION: usize = 70;

/// One line of `xtask/lists/lengths.txt`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    line: usize,
    /// `file PATH` or `function PATH::NAME`.
    what: String,
    length: usize,
}

/// The exceptions in force.
#[derive(Debug)]
pub(super) struct Exceptions {
    known: Vec<Exception>,
    findings: Vec<(usize, String)>,
}

impl Exceptions {
    pub(super) fn parse(text: &str) -> Exceptions {
        let mut exceptions = Exceptions { known: Vec::new(), findings: Vec::new() };
        for (i, line) in text.lines().enumerate() {
            let (line, number) = (line.trim(), i + 1);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match line.rsplit_once(' ').map(|(what, length)| (what, length.parse())) {
                Some((what, Ok(length))) => exceptions.known.push(Exception {
                    line: number,
                    what: what.trim().to_owned(),
                    length,
                }),
                _ => exceptions.findings.push((number, format!("not `KIND NAME LINES`: {line}"))),
            }
        }
        exceptions
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    fn find(&self, what: &str) -> Option<&Exception> {
        self.known.iter().find(|exception| exception.what == what)
    }

    /// Lines that the list's first version did not have, or had with a smaller figure.
    pub(super) fn grown_since(&self, first: &Exceptions) -> Vec<Finding> {
        let grown =
            |now: &&Exception| first.find(&now.what).is_none_or(|then| then.length < now.length);
        let message = |now: &Exception| {
            format!("{}: new or larger; the list may only shrink, so split it", now.what)
        };
        self.known
            .iter()
            .filter(grown)
            .map(|now| Finding::new(LIST, now.line, message(now)))
            .collect()
    }
}

/// The list as git first knew it; `None` outside a repository or before its first commit.
pub(super) fn first_version() -> Option<Exceptions> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let added = git(&["log", "--diff-filter=A", "--format=%H", "--", LIST])?;
    let commit = added.lines().last()?;
    Some(Exceptions::parse(&git(&["show", &format!("{commit}:{LIST}")])?))
}

/// Something with a length and a limit.
struct Measured {
    what: String,
    path: String,
    line: usize,
    length: usize,
    limit: usize,
}

fn measure(source: &Source) -> Vec<Measured> {
    let measured = |what, line, length, limit| Measured {
        what,
        path: source.path.clone(),
        line,
        length,
        limit,
    };
    let limit = if has_unsafe(source) { UNSAFE_FILE } else { FILE };
    let mut all = vec![measured(format!("file {}", source.path), 1, source.length(), limit)];
    for function in source.functions() {
        let what = format!("function {}::{}", source.path, function.name);
        all.push(measured(what, function.line, function.length, FUNCTION));
    }
    all
}

pub(super) fn check(sources: &[Source], exceptions: &Exceptions) -> Vec<Finding> {
    let long: Vec<Measured> =
        sources.iter().flat_map(measure).filter(|m| m.length > m.limit).collect();
    let mut findings: Vec<Finding> = long
        .iter()
        .filter(|m| exceptions.find(&m.what).is_none_or(|e| e.length < m.length))
        .map(|m| {
            let Measured { what, length, limit, .. } = m;
            Finding::new(
                &m.path,
                m.line,
                format!("{what} has {length} lines of code, {limit} are allowed: split it"),
            )
        })
        .collect();
    for exception in &exceptions.known {
        // Several functions of one name share a line: the longest counts.
        let today = long.iter().filter(|m| m.what == exception.what).map(|m| m.length).max();
        let Exception { what, length, .. } = exception;
        let message = match today {
            None => format!("{what} is within the limit now: delete the line"),
            Some(today) if today < *length => {
                format!("{what} has {today} lines now: lower {length} to that")
            }
            Some(_) => continue,
        };
        findings.push(Finding::new(LIST, exception.line, message));
    }
    findings.extend(exceptions.findings.iter().map(|(line, text)| Finding::new(LIST, *line, text)));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, list: &str) -> Vec<String> {
        let sources = [Source::new("a.rs", text)];
        check(&sources, &Exceptions::parse(list)).iter().map(Finding::to_string).collect()
    }

    fn function(lines: usize) -> String {
        format!("fn f() {{\n{}}}\n", "g();\n".repeat(lines - 2))
    }

    #[test]
    fn the_limits_themselves_are_fine() {
        assert!(messages(&"g();\n".repeat(FILE), "").is_empty());
        assert!(
            messages(&("unsafe {}\n".to_owned() + &"g();\n".repeat(UNSAFE_FILE - 1)), "")
                .is_empty()
        );
        assert!(messages(&function(FUNCTION), "# none\n").is_empty());
    }

    #[test]
    fn one_more_is_a_finding() {
        assert_eq!(messages(&"g();\n".repeat(FILE + 1), "").len(), 1);
        assert_eq!(
            messages(&("unsafe {}\n".to_owned() + &"g();\n".repeat(UNSAFE_FILE)), "").len(),
            1
        );
        let found = messages(&("\n".to_owned() + &function(FUNCTION + 1)), "");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("a.rs:2: "), "{}", found[0]);
    }

    #[test]
    fn blanks_comments_and_test_items_do_not_count() {
        let text = "// a comment\n\n".repeat(FILE)
            + "#[cfg(test)]\nmod tests {\n"
            + &"g();\n".repeat(FILE)
            + "}\n";
        assert!(messages(&text, "").is_empty());
    }

    #[test]
    fn an_exception_holds_at_exactly_its_figure() {
        assert!(messages(&function(80), "function a.rs::f 80\n").is_empty());
        assert_eq!(messages(&function(81), "function a.rs::f 80\n").len(), 1);
        let lower = messages(&function(79), "function a.rs::f 80\n");
        assert!(lower[0].starts_with("xtask/lists/lengths.txt:1: "), "{lower:?}");
        assert!(messages(&function(70), "function a.rs::f 80\n")[0].contains("delete"));
        assert!(messages("", "nonsense\n")[0].contains("KIND NAME LINES"));
    }

    #[test]
    fn the_list_may_only_shrink() {
        let first = Exceptions::parse("file a.rs 400\nfile b.rs 500\n");
        assert!(Exceptions::parse("file b.rs 450\n").grown_since(&first).is_empty());
        assert_eq!(Exceptions::parse("file b.rs 501\n").grown_since(&first).len(), 1);
        assert_eq!(Exceptions::parse("file c.rs 301\n").grown_since(&first).len(), 1);
    }
}
