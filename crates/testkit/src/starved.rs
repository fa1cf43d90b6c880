//! Memory that runs out: at the k-th allocation, in a process of its own, or at the k-th block of a pool.

use std::process::Command;

/// What a child process does: its scenario's name and k.
const CHILD: &str = "AQUEDUCT_STARVED";
/// How a child ends in which an allocation failed, and in which none did.
const ENDS: [i32; 2] = [21, 20];

/// A name, and what is done with [`FailingAlloc`](crate::FailingAlloc) armed at k; says whether an
/// allocation failed. What does not hold is a panic.
pub type Starved = (&'static str, fn(u64) -> bool);

/// Runs each scenario with every allocation failing, one at a time, until nothing fails any more: each time
/// in a process of its own, since Rust ends those in which the allocation of a list or a task fails. It must
/// end in this way, or by itself. How many allocations failed, and how many of these were borne, scenario for
/// scenario.
///
/// To be called as all that the test named `test` does.
///
/// # Panics
/// If a child ends otherwise.
#[must_use]
pub fn for_every_allocation(test: &str, scenarios: &[Starved]) -> Vec<(usize, usize)> {
    if let Some((name, k)) = std::env::var(CHILD).ok().as_deref().and_then(|c| c.split_once(':')) {
        let (_, scenario) = scenarios.iter().find(|(n, _)| *n == name).expect("a scenario");
        let failed = scenario(k.parse().expect("a number"));
        std::process::exit(ENDS[usize::from(!failed)]);
    }
    scenarios.iter().map(|(name, _)| each(test, name)).collect()
}

fn each(test: &str, name: &str) -> (usize, usize) {
    let this = std::env::current_exe().expect("the test binary");
    let mut borne = 0;
    for k in 0.. {
        let mut child = Command::new(&this);
        child.args(["--exact", test, "--nocapture"]).env(CHILD, format!("{name}:{k}"));
        let ended = child.output().expect("a child process");
        let said = String::from_utf8_lossy(&ended.stderr);
        match ended.status.code() {
            Some(code) if code == ENDS[0] => borne += 1,
            Some(code) if code == ENDS[1] => return (k, borne),
            None => assert!(said.contains("memory allocation of"), "{name}, {k}: {said}"),
            other => panic!("{name}, allocation {k}: {other:?}: {said}"),
        }
    }
    unreachable!("there are only so many allocations")
}

/// All that `take` gives, but for `left` of them, which go back: so much is there for others.
#[must_use = "what is dropped is there for others, too"]
pub fn all_but<T>(left: usize, take: impl FnMut() -> Option<T>) -> Vec<T> {
    let mut all: Vec<T> = std::iter::from_fn(take).collect();
    all.truncate(all.len().saturating_sub(left));
    all
}

#[cfg(test)]
mod tests {
    #[test]
    fn so_many_are_left() {
        let mut numbers = 0..10;
        assert_eq!(super::all_but(3, || numbers.next()), [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(super::all_but(3, || numbers.next()), []);
    }
}
