//! A lock whose holder panicked is taken all the same: whoever comes next has done nothing wrong.

use super::{Finding, Tree, names::method_calls};
use crate::source::Source;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let of_ours = |source: &&Source| {
        let path = &source.path;
        // The testkit's panics are what it is for.
        let ours = path.starts_with("crates/") && !path.starts_with("crates/testkit/");
        (ours || path.starts_with("examples/")) && path.contains("/src/")
    };
    tree.sources.iter().filter(of_ours).flat_map(check_source).collect()
}

fn check_source(source: &Source) -> Vec<Finding> {
    let panics = |at: &usize| {
        let after = source.code[*at..].split_whitespace().collect::<String>();
        after.starts_with("lock().unwrap()") || after.starts_with("lock().expect(")
    };
    let calls = method_calls(source, "lock").filter(|at| !source.in_tests(*at)).filter(panics);
    let message = "panics for another's panic: unwrap_or_else(PoisonError::into_inner)";
    calls.map(|at| Finding::new(&source.path, source.line(at), message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> usize {
        check_source(&Source::new("examples/x/src/a.rs", text)).len()
    }

    #[test]
    fn a_panic_for_poison_is_a_finding() {
        assert_eq!(count("fn f() { a.lock().unwrap(); a\n  .lock()\n  .expect(\"whole\"); }"), 2);
        assert_eq!(count("fn f() { a.lock().unwrap_or_else(PoisonError::into_inner); }"), 0);
        assert_eq!(count("fn f() { stdin().lock(); }"), 0);
        assert_eq!(count("#[cfg(test)]\nmod tests { fn f() { a.lock().unwrap(); } }"), 0);
    }
}
