//! The method: subjects interleaved in one process, calibrated after a warm-up, in rounds.

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use crate::clock::cpu_of;
use crate::target::{Figures, Target};

/// The key of our own entry in a row.
pub const OURS: &str = "aqueduct";

/// The unit of nearly all rows.
pub const NS: &str = "ns";

/// One operation, in a form that can be repeated and timed.
pub enum Work {
    /// Repeats the operation; timed from outside, by the CPU clock of the calling thread.
    Here(Box<dyn FnMut(u64)>),
    /// Repeats the operation and tells itself how many nanoseconds it took, wherever it ran.
    Elsewhere(Box<dyn FnMut(u64) -> f64>),
    /// Does the operation once and counts something, in the row's own unit.
    Once(Box<dyn FnMut() -> f64>),
}

impl Work {
    /// Repeats `operation`; the loop is compiled together with it.
    pub fn each(mut operation: impl FnMut() + 'static) -> Self {
        Work::Here(Box::new(move |iterations| {
            for _ in 0..iterations {
                operation();
            }
        }))
    }

    /// Makes a value and drops it, again and again.
    pub fn make<T>(mut make: impl FnMut() -> T + 'static) -> Self {
        Self::each(move || {
            black_box(&make());
        })
    }

    /// Runs this many iterations and reads no clock: where only instructions count, a reading is
    /// one more thing in the way.
    pub fn repeat(&mut self, iterations: u64) {
        match self {
            Work::Here(work) => work(black_box(iterations)),
            Work::Elsewhere(work) => {
                work(iterations);
            }
            Work::Once(work) => {
                work();
            }
        }
    }

    /// Runs this many iterations and gives the nanoseconds they took.
    pub fn run(&mut self, iterations: u64) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "a sample is far below 2^53 ns")]
            Work::Here(work) => cpu_of(|| work(black_box(iterations))) as f64,
            Work::Elsewhere(work) => work(iterations),
            Work::Once(work) => work(),
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::Here(_) => "Work::Here",
            Work::Elsewhere(_) => "Work::Elsewhere",
            Work::Once(_) => "Work::Once",
        })
    }
}

/// One entrant of a row.
#[derive(Debug)]
pub struct Subject {
    /// [`OURS`], the key of a peer, or the name of the floor.
    pub key: &'static str,
    /// What it does less, or otherwise, than the row says.
    pub note: &'static str,
    /// What is timed.
    pub work: Work,
    /// Operations in one iteration of the work.
    pub operations: f64,
}

impl Subject {
    /// An entrant whose iterations are one operation each.
    #[must_use]
    pub fn new(key: &'static str, work: Work) -> Self {
        Self { key, note: "", work, operations: 1.0 }
    }

    /// With a label that the table shows.
    #[must_use]
    pub fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    /// With this many operations in one iteration.
    #[must_use]
    pub fn operations(self, operations: f64) -> Self {
        Self { operations, ..self }
    }

    /// Nanoseconds per operation, or what else is counted, over this many iterations.
    pub fn sample(&mut self, iterations: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "iterations stay far below 2^53")]
        let operations = iterations as f64 * self.operations;
        self.work.run(iterations) / operations
    }
}

/// One row of the report, before it is measured.
pub struct Row {
    /// Its name in the report.
    pub id: String,
    /// What it is held to.
    pub target: Target,
    /// The key of the entrant that is a floor, not a peer; empty where there is none.
    pub floor: &'static str,
    /// What is counted.
    pub unit: &'static str,
    /// Makes the entrants; called only when the row is measured.
    pub build: Box<dyn Fn() -> Vec<Subject>>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds in which every subject has one sample.
    pub rounds: usize,
    /// What one sample should take.
    pub sample_ns: f64,
    /// What one run of an example system should take.
    pub port: Duration,
    /// Requests to a server in one round.
    pub requests: u64,
}

impl Effort {
    /// What the full report takes.
    pub const FULL: Effort = Effort {
        rounds: 101,
        sample_ns: 1_500_000.0,
        port: Duration::from_millis(1_000),
        requests: 1_600,
    };
    /// What `--quick` takes.
    pub const QUICK: Effort = Effort {
        rounds: 31,
        sample_ns: 500_000.0,
        port: Duration::from_millis(300),
        requests: 320,
    };
}

/// The rounds of one subject, in nanoseconds per operation.
#[derive(Clone, Debug)]
pub struct Rounds {
    /// [`OURS`], the key of a peer, or the name of the floor.
    pub key: &'static str,
    /// What it does less, or otherwise, than the row says.
    pub note: &'static str,
    /// One figure per round.
    pub ns: Vec<f64>,
}

/// What a family of rows found that is measured in a way of its own.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The rows.
    pub rows: Vec<Measured>,
    /// What else is to be said of them, or was left out, line by line.
    pub notes: Vec<String>,
}

/// A row that was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Its name in the report.
    pub id: String,
    /// What it is held to.
    pub target: Target,
    /// The key of the floor; empty where there is none.
    pub floor: &'static str,
    /// What the figures count.
    pub unit: &'static str,
    /// Every entrant, ours first where there is one.
    pub subjects: Vec<Rounds>,
}

impl Measured {
    /// The rounds of one entrant.
    #[must_use]
    pub fn rounds(&self, key: &str) -> Option<&Rounds> {
        self.subjects.iter().find(|rounds| rounds.key == key)
    }
}

impl Figures for Measured {
    fn ours(&self) -> &[f64] {
        self.other(OURS).unwrap_or_default()
    }

    fn other(&self, name: &str) -> Option<&[f64]> {
        self.rounds(name).map(|rounds| rounds.ns.as_slice())
    }
}

/// Measures all entrants of a row; `tick` is called after every round.
pub fn measure(
    row: &Row,
    mut subjects: Vec<Subject>,
    effort: Effort,
    mut tick: impl FnMut(),
) -> Measured {
    let iterations: Vec<u64> =
        subjects.iter_mut().map(|subject| calibrate(subject, effort.sample_ns)).collect();
    let mut ns: Vec<Vec<f64>> = vec![Vec::with_capacity(effort.rounds); subjects.len()];
    for round in 0..effort.rounds {
        for place in 0..subjects.len() {
            let i = turn(round, place, subjects.len());
            ns[i].push(subjects[i].sample(iterations[i]));
        }
        tick();
    }
    let subjects = subjects
        .iter()
        .zip(ns)
        .map(|(subject, ns)| Rounds { key: subject.key, note: subject.note, ns })
        .collect();
    Measured { id: row.id.clone(), target: row.target, floor: row.floor, unit: row.unit, subjects }
}

/// Whose turn it is: each round starts one further on, and every other round runs backwards, so
/// that nobody always follows the same neighbour.
pub(crate) fn turn(round: usize, place: usize, count: usize) -> usize {
    let place = if round.is_multiple_of(2) { place } else { count - 1 - place };
    (round + place) % count
}

/// How many iterations take about `sample_ns`, found by doubling, which warms up as well.
fn calibrate(subject: &mut Subject, sample_ns: f64) -> u64 {
    if let Work::Once(work) = &mut subject.work {
        work();
        return 1;
    }
    let mut iterations = 1_u64;
    loop {
        let ns = subject.work.run(iterations).max(1.0);
        if ns >= sample_ns / 2.0 {
            let wanted = iterations_for(iterations, sample_ns / ns);
            // Once more at full length: the doubling was short of a real sample.
            subject.work.run(wanted);
            return wanted;
        }
        iterations *= 2;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a positive count that a sample of milliseconds keeps small"
)]
fn iterations_for(iterations: u64, factor: f64) -> u64 {
    ((iterations as f64 * factor) as u64).max(1)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    fn fake(key: &'static str, ns_each: f64) -> Subject {
        let work = Work::Elsewhere(Box::new(move |iterations| iterations as f64 * ns_each));
        Subject::new(key, work)
    }

    fn row() -> Row {
        Row {
            id: "a.b".into(),
            target: Target(&[]),
            floor: "",
            unit: NS,
            build: Box::new(Vec::new),
        }
    }

    #[test]
    fn every_round_gives_every_subject_its_turn() {
        for count in 1..6 {
            for round in 0..12 {
                let mut turns: Vec<_> = (0..count).map(|p| turn(round, p, count)).collect();
                turns.sort_unstable();
                assert_eq!(turns, (0..count).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn figures_are_per_operation() {
        let subjects = vec![fake(OURS, 10.0), fake("bytes", 30.0).operations(3.0)];
        let effort = Effort { rounds: 5, sample_ns: 1_000.0, ..Effort::QUICK };
        let mut ticks = 0;
        let measured = measure(&row(), subjects, effort, || ticks += 1);
        assert_eq!(ticks, 5);
        assert_eq!(measured.ours(), [10.0; 5]);
        assert_eq!(measured.other("bytes"), Some([10.0; 5].as_slice()));
        assert_eq!(measured.other("absent"), None);
    }

    #[test]
    fn samples_are_calibrated_to_their_length() {
        let longest = Rc::new(Cell::new(0));
        let seen = Rc::clone(&longest);
        let work = Work::Elsewhere(Box::new(move |iterations| {
            seen.set(seen.get().max(iterations));
            iterations as f64 * 7.0
        }));
        let chosen = calibrate(&mut Subject::new(OURS, work), 70_000.0);
        assert!((9_000..=11_000).contains(&chosen), "{chosen}");
        assert_eq!(longest.get().max(chosen), longest.get());
    }

    #[test]
    fn one_iteration_is_the_least() {
        assert_eq!(calibrate(&mut fake(OURS, 1e9), 1_000.0), 1);
    }
}
