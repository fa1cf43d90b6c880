//! What `cargo xtask book` reads of a Markdown file: headings, links and fences.

/// A Markdown file.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    /// What a link to a heading names behind its `#`.
    pub(super) anchors: Vec<String>,
    pub(super) links: Vec<Found>,
    /// The files of Rust that it names as code.
    pub(super) sources: Vec<Found>,
    /// The words behind the opening of each fence; empty where there are none.
    pub(super) fences: Vec<Found>,
}

/// A piece of text and the line that it stands on, counted from one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) line: usize,
    pub(super) text: String,
}

impl Page {
    pub(super) fn new(path: &str, text: &str) -> Page {
        let mut page = Page { path: path.to_owned(), ..Page::default() };
        let mut open: Option<&str> = None;
        for (line, text) in (1..).zip(text.lines()) {
            let trimmed = text.trim_start();
            if let Some(marks) = open {
                if trimmed.starts_with(marks)
                    && trimmed.trim_end_matches(['`', '~', ' ']).is_empty()
                {
                    open = None;
                }
                continue;
            }
            if let Some(marks) = fence(trimmed) {
                open = Some(marks);
                let words = trimmed[marks.len()..].trim().to_owned();
                page.fences.push(Found { line, text: words });
                continue;
            }
            if let Some(title) = heading(trimmed) {
                let anchor = page.unused(anchor(title));
                page.anchors.push(anchor);
            }
            let (text, code) = apart(text);
            page.links.extend(links(&text).map(|text| Found { line, text }));
            let files = code.into_iter().filter(|code| code.ends_with(".rs"));
            page.sources.extend(files.map(|file| Found { line, text: file.to_owned() }));
        }
        page
    }

    /// A second heading of the same words gets a number.
    fn unused(&self, anchor: String) -> String {
        let taken = |wanted: &String| self.anchors.contains(wanted);
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        std::iter::once(anchor.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(anchor)
    }
}

/// The marks that open a fence.
fn fence(line: &str) -> Option<&str> {
    let length = |mark: char| line.len() - line.trim_start_matches(mark).len();
    let longest = length('`').max(length('~'));
    (longest >= 3).then(|| &line[..longest])
}

fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    ((1..=6).contains(&level) && title.starts_with(' ')).then(|| title.trim())
}

/// The name that both mdBook and GitHub give a heading.
fn anchor(title: &str) -> String {
    let letters = title.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter.is_alphanumeric().then(|| letter.to_lowercase().next().unwrap_or(letter)),
    });
    letters.collect()
}

/// The targets of `[..](target)`, `[..](target "title")` and `[..]: target`.
fn links(text: &str) -> impl Iterator<Item = String> {
    let inline = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let by_name = text.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
    let by_name = by_name.and_then(|(_, rest)| rest.split_whitespace().next());
    let targets: Vec<String> = inline.chain(by_name).map(str::to_owned).collect();
    targets.into_iter()
}

/// The line without what stands in backticks, and that.
fn apart(line: &str) -> (String, Vec<&str>) {
    let (mut text, mut code) = (String::new(), Vec::new());
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let marks = fence_of_code(&rest[at..]);
        let inner = &rest[at + marks.len()..];
        let Some(end) = inner.find(marks) else { break };
        text += &rest[..at];
        code.push(&inner[..end]);
        rest = &inner[end + marks.len()..];
    }
    (text + rest, code)
}

fn fence_of_code(text: &str) -> &str {
    &text[..text.len() - text.trim_start_matches('`').len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# The `first` page, or: two
A [link](a.md#b), a [`code`](c.md \"title\") and `[none](x.md)`; ``[n](`y`)``.
```rust,no_run
# not a heading
[no](link.md)
```
## Same
~~~
```
~~~
## Same
[named]: https://example.org/ (as `a/b.rs` said)
";

    #[test]
    fn headings_links_and_fences() {
        let page = Page::new("p.md", TEXT);
        assert_eq!(page.anchors, ["the-first-page-or-two", "same", "same-1"]);
        let links: Vec<_> = page.links.iter().map(|link| (link.line, &*link.text)).collect();
        assert_eq!(links, [(2, "a.md#b"), (2, "c.md"), (12, "https://example.org/")]);
        assert_eq!(page.sources, [Found { line: 12, text: "a/b.rs".to_owned() }]);
        let fences: Vec<_> = page.fences.iter().map(|fence| (fence.line, &*fence.text)).collect();
        assert_eq!(fences, [(3, "rust,no_run"), (8, "")]);
    }

    #[test]
    fn a_backtick_alone_hides_nothing() {
        assert_eq!(apart("a ` and [b](c)"), ("a ` and [b](c)".to_owned(), Vec::new()));
    }
}
