//! `cargo xtask parity`: which test answers which behaviour of the original, as a page of the book.
//!
//! The page is made of names alone: of functions `case_023_...`, of files `case_023_....rs` that the
//! compiler is to judge, and of comments `// case 023: no meaning here: REASON.` So it cannot say what
//! no test does, and `cargo xtask tidy` fails when it is not what the tests would make of it.

use std::collections::BTreeMap;

use crate::named::{CASES, case};
use crate::process::{Outcome, flags, root, write};
use crate::source::{FOLDERS, Source, collect};

/// The page, relative to the root.
pub(crate) const PAGE: &str = "docs/parity.md";

/// Cases that a test must answer; the rest may have no meaning here.
const WANTED: usize = 150;

const HEAD: &str = "\
# Parity

The behaviours of System.IO.Pipelines and its companions, by number, and what answers each here: a test
of that name, a file that must not compile, or why there is nothing to test. Made of the tests' names by
`cargo xtask parity`; whoever edits it by hand will find `cargo xtask tidy` against it.

| case | answered by | what it shows |
|---:|---|---|
";

/// What the sources say of one case.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    /// Tests as paths of modules, files as paths of the repository.
    tests: Vec<String>,
    files: Vec<String>,
    /// Why it has no meaning here.
    reason: Option<String>,
}

type Answers = BTreeMap<u16, Answer>;

pub(crate) fn run(args: &[String]) -> Outcome {
    let [] = flags(args, [])?;
    let answers = find(&collect(&root(), &FOLDERS)?);
    write(&root().join(PAGE), &page(&answers))?;
    println!("parity: {PAGE}: {}", summary(&answers));
    let wrong = wrong(&answers);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
}

/// The page as the sources would have it.
pub(crate) fn made_of(sources: &[Source]) -> String {
    page(&find(sources))
}

fn find(sources: &[Source]) -> Answers {
    let mut answers = Answers::new();
    for source in sources.iter().filter(|source| source.path.starts_with("crates/")) {
        for function in source.functions() {
            if let Some(number) = case(&function.name) {
                let test = format!("{}::{}", module(&source.path), function.name);
                answers.entry(number).or_default().tests.push(test);
            }
        }
        if let Some(number) = judged(&source.path) {
            answers.entry(number).or_default().files.push(source.path.clone());
        }
        for (number, reason) in reasons(&source.text) {
            answers.entry(number).or_default().reason = Some(reason);
        }
    }
    answers
}

/// The module that a file is: `crates/pipe/tests/it/flush.rs` is `aqueduct_pipe::it::flush`.
fn module(path: &str) -> String {
    let path = path.trim_start_matches("crates/").trim_end_matches(".rs");
    let parts = path.split('/').filter(|part| !matches!(*part, "src" | "tests"));
    let named = parts.filter(|part| !matches!(*part, "main" | "lib" | "mod"));
    format!("aqueduct_{}", named.collect::<Vec<_>>().join("::"))
}

/// The case of a file for the compiler to judge: `case_075_....rs` or `case075_....rs`.
fn judged(path: &str) -> Option<u16> {
    let (_, file) = path.split_once("/tests/ui/")?;
    let name = file.rsplit('/').next()?.strip_prefix("case")?;
    case(&format!("case_{}", name.trim_start_matches('_')))
}

/// The cases that have no meaning here, with the reason. It ends with a full stop, on its line or on
/// a comment below.
fn reasons(text: &str) -> Vec<(u16, String)> {
    let comment = |line: &str| line.trim_start().strip_prefix("//").map(|c| c.trim().to_owned());
    let lines: Vec<Option<String>> = text.lines().map(comment).collect();
    let mut reasons = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let Some((number, start)) = line.as_deref().and_then(reason) else { continue };
        let mut reason = start.to_owned();
        for more in lines[i + 1..].iter().map_while(Option::as_deref) {
            if reason.ends_with('.') {
                break;
            }
            reason = format!("{reason} {more}");
        }
        reasons.push((number, reason));
    }
    reasons
}

/// The number and the words of `case 023: no meaning here: REASON`.
fn reason(comment: &str) -> Option<(u16, &str)> {
    let (number, words) = comment.strip_prefix("case ")?.split_once(": no meaning here: ")?;
    // As in the name of a test.
    Some((case(&format!("case_{number}_"))?, words))
}

fn page(answers: &Answers) -> String {
    let mut page = HEAD.to_owned();
    for number in 1..=CASES {
        page += &row(number, answers.get(&number));
    }
    page + &format!("\n{}\n", summary(answers))
}

fn row(number: u16, answer: Option<&Answer>) -> String {
    let Some(answer) = answer else { return format!("| {number} | **missing** | |\n") };
    let all: Vec<&String> = answer.tests.iter().chain(&answer.files).collect();
    if let (true, Some(reason)) = (all.is_empty(), &answer.reason) {
        return format!("| {number} | no meaning here | {} |\n", reason.replace('|', "\\|"));
    }
    let names: Vec<String> = all.iter().map(|name| format!("`{name}`")).collect();
    let words: Vec<String> = all.iter().map(|name| words(name)).collect();
    format!("| {number} | {} | {} |\n", names.join("<br>"), words.join("; "))
}

/// What a name says: `case_023_a_flush_waits` is "a flush waits".
fn words(name: &str) -> String {
    let name = name.trim_end_matches(".rs").rsplit(['/', ':']).next().unwrap_or(name);
    let number = |c: char| c == '_' || c.is_ascii_digit();
    name.trim_start_matches("case").trim_start_matches(number).replace('_', " ")
}

/// How many cases a test answers.
fn tested(answers: &Answers) -> usize {
    answers.values().filter(|a| !(a.tests.is_empty() && a.files.is_empty())).count()
}

fn missing(answers: &Answers) -> Vec<String> {
    (1..=CASES).filter(|n| !answers.contains_key(n)).map(|n| n.to_string()).collect()
}

fn summary(answers: &Answers) -> String {
    let tested = tested(answers);
    let refused = answers.values().filter(|a| a.tests.is_empty() && !a.files.is_empty()).count();
    let missing = missing(answers);
    let none = answers.len() - tested;
    let mut text = format!(
        "Of {CASES} cases, {tested} are answered by a test, {refused} of them by the compiler alone; {none} have no meaning here"
    );
    if !missing.is_empty() {
        text += &format!("; {} are missing: {}", missing.len(), missing.join(", "));
    }
    text + "."
}

/// What keeps the page from being complete.
fn wrong(answers: &Answers) -> Vec<String> {
    let mut wrong = Vec::new();
    let missing = missing(answers);
    if !missing.is_empty() {
        wrong.push(format!(
            "neither test nor reason for case {}: write `case_NNN_...`, or `// case NNN: no meaning here: REASON.`",
            missing.join(", ")
        ));
    }
    let both =
        |answer: &&Answer| answer.reason.is_some() && answer.tests.len() + answer.files.len() > 0;
    for (number, _) in answers.iter().filter(|(_, answer)| both(answer)) {
        wrong.push(format!("case {number} has a test, and a reason why it has none: delete that"));
    }
    let tested = tested(answers);
    if tested < WANTED {
        wrong.push(format!("{tested} cases are answered by a test, {WANTED} are wanted"));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Answers {
        let sources: Vec<Source> =
            files.iter().map(|(path, text)| Source::new(path, text)).collect();
        find(&sources)
    }

    #[test]
    fn tests_are_found_by_name_with_their_module() {
        let answers = found(&[
            ("crates/pipe/tests/it/flush.rs", "#[test]\nfn case_023_a_flush_waits() {}\n"),
            ("crates/pipe/src/models.rs", "mod m { fn case_023_no_wake_is_lost() {} }"),
            ("crates/pool/tests/it/cases/mod.rs", "// fn case_024_not_code() {}"),
            ("xtask/src/parity.rs", "fn case_025_elsewhere() {}"),
        ]);
        assert_eq!(answers.len(), 1);
        let row = row(23, answers.get(&23));
        assert!(row.contains("| 23 | `aqueduct_pipe::it::flush::case_023_a_flush_waits`<br>"));
        assert!(row.contains("`aqueduct_pipe::models::case_023_no_wake_is_lost`"), "{row}");
        assert!(row.contains("| a flush waits; no wake is lost |"), "{row}");
    }

    #[test]
    fn files_for_the_compiler_count() {
        let path = "crates/pipe/tests/ui/fail/case_075_a_view_used_late.rs";
        let short = "crates/pipe/tests/ui/case075_a_view_used_twice.rs";
        let other = "crates/pipe/tests/ui/case_of_nothing.rs";
        assert_eq!(found(&[(short, "")])[&75].files, [short]);
        assert_eq!(words(short), "a view used twice");
        let answers = found(&[(path, "fn main() {}"), (other, "")]);
        assert_eq!(answers[&75].files, [path]);
        assert!(row(75, answers.get(&75)).ends_with("| a view used late |\n"));
        assert!(
            summary(&answers).starts_with("Of 183 cases, 1 are answered by a test, 1 of them by")
        );
    }

    #[test]
    fn reasons_are_read_to_their_full_stop() {
        let text = "// case 095: no meaning here: there is no context\n//   to go back to.\n// More.\nfn f() {}\n// case 181: no meaning here: one | line.\n// case 96 is not one\n";
        let answers = found(&[("crates/pipe/tests/it/main.rs", text)]);
        assert_eq!(answers[&95].reason.as_deref(), Some("there is no context to go back to."));
        assert_eq!(row(181, answers.get(&181)), "| 181 | no meaning here | one \\| line. |\n");
        assert_eq!(answers.len(), 2);
    }

    #[test]
    fn what_is_missing_or_said_twice_is_wrong() {
        let text = "fn case_001_a() {}\n// case 001: no meaning here: none.\n";
        let answers = found(&[("crates/pipe/tests/it/main.rs", text)]);
        let wrong = wrong(&answers);
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(wrong[0].starts_with("neither test nor reason for case 2, 3, "));
        assert!(wrong[1].starts_with("case 1 has a test, and a reason"));
        assert!(wrong[2].starts_with("1 cases are answered by a test, 150 are wanted"));
        assert!(row(2, answers.get(&2)).contains("missing"));
    }

    #[test]
    fn all_cases_answered_is_complete() {
        let text: String = (1..=CASES).map(|n| format!("fn case_{n:03}_x() {{}}\n")).collect();
        let answers = found(&[("crates/pipe/tests/it/main.rs", &text)]);
        assert!(wrong(&answers).is_empty());
        assert_eq!(page(&answers).matches("\n| ").count(), 1 + usize::from(CASES));
        assert!(page(&answers).ends_with("0 have no meaning here.\n"));
    }
}
