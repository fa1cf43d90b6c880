//! The book's page shows what is tested here: every line of Rust on it stands in one of these files.

const PAGE: &str = include_str!("../../../../docs/src/guide/together.md");
const FILES: [&str; 8] = [
    include_str!("archive.rs"),
    include_str!("codec.rs"),
    include_str!("columns.rs"),
    include_str!("completion.rs"),
    include_str!("http.rs"),
    include_str!("received.rs"),
    include_str!("protobuf.rs"),
    include_str!("typed.rs"),
];

/// The lines without their indent, and without the empty ones: a block may be shown less deep, and
/// with some of its items left out between two that are shown.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Whether the paragraph, as it is, stands somewhere in the file.
fn stands_in(paragraph: &str, file: &str) -> bool {
    let (shown, all): (Vec<_>, Vec<_>) = (lines(paragraph).collect(), lines(file).collect());
    all.windows(shown.len()).any(|window| window == shown)
}

#[test]
fn every_block_of_the_page_is_tested() {
    let blocks: Vec<&str> =
        PAGE.split("```rust\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
    assert!(blocks.len() >= FILES.len());
    let mut used = [false; FILES.len()];
    for block in blocks {
        for paragraph in block.split("\n\n") {
            let at = FILES.iter().position(|file| stands_in(paragraph, file));
            let at = at.unwrap_or_else(|| panic!("no test has this:\n{paragraph}"));
            used[at] = true;
        }
    }
    assert_eq!(used, [true; FILES.len()], "a recipe that is not shown");
}

#[test]
fn a_block_that_is_not_tested_is_found() {
    let file = "fn a() {\n    one();\n\n    two();\n}\n";
    assert!(stands_in("one();\ntwo();", file));
    assert!(!stands_in("one();\nthree();", file));
    assert!(!stands_in("two();\none();", file));
}
