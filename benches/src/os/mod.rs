//! The operating system's zero-copy: what it costs to get at a file's bytes, and to send bytes, in every
//! way there is.
//!
//! What this machine lacks is left out, and one line says so. To read costs the CPU time of the process,
//! in which the kernel's own threads for io_uring run; to send, that of the sender's thread, beside which
//! the receiver's is shown: over loopback the receiver copies what a sender left where it is.

mod ground;
mod line;
mod read;
mod send;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::Instant;

use crate::measure::{Effort, Measured, Outcome, Rounds, turn};
use crate::rows::age_heap;
use crate::target::{Bound, Target};
use ground::Ground;
use send::{VEC, WRITE};

/// Rounds in which every entrant has its turn.
const ROUNDS: usize = 31;

/// Sizes that are read.
const READ: [usize; 3] = [4 << 10, 64 << 10, 1 << 20];
/// Sizes of messages in memory.
const SENT: [usize; 3] = [4 << 10, 64 << 10, 1 << 20];
/// Sizes that are sent of a file. In between lies the size from which on `sendfile` is chosen.
const SENT_OF_FILE: [usize; 4] = [4 << 10, 16 << 10, 64 << 10, 1 << 20];

/// From so many bytes on, sending without a copy is held to be the cheaper way.
const MUCH: usize = 1 << 20;

/// What some operations took together, in nanoseconds.
#[derive(Clone, Copy, Default)]
struct Spent {
    cpu: u64,
    /// CPU time at the other end, where there is one.
    receiver: u64,
    wall: u64,
}

/// Does so many operations.
type Work = Box<dyn FnMut(u64) -> io::Result<Spent>>;

/// One way of doing a row's work.
struct Entrant {
    key: &'static str,
    note: &'static str,
    /// An error where the machine lacks it.
    start: Box<dyn FnOnce() -> io::Result<Work>>,
}

impl Entrant {
    fn new(
        key: &'static str,
        note: &'static str,
        start: impl FnOnce() -> io::Result<Work> + 'static,
    ) -> Self {
        Self { key, note, start: Box::new(start) }
    }
}

/// The entrants of a group, or why there is none.
type Entrants = Result<Vec<Entrant>, String>;

/// Lists them.
type Lister = Box<dyn Fn(&Rc<Ground>) -> Entrants>;

/// A row: what follows the id of its group, what it shows of what was spent, and what it is held to.
#[derive(Clone, Copy)]
struct Figure {
    suffix: &'static str,
    of: fn(&Spent) -> u64,
    target: Target,
}

const fn figure(suffix: &'static str, of: fn(&Spent) -> u64, target: &'static [Bound]) -> Figure {
    Figure { suffix, of, target: Target(target) }
}

const READING: [Figure; 1] = [figure("", |spent| spent.cpu, &[])];
/// Past the cache, where the device is waited for.
const WAITING: [Figure; 2] = [READING[0], figure(".wall", |spent| spent.wall, &[])];
const SENDING: [Figure; 2] =
    [figure("", |spent| spent.cpu, &[]), figure(".receiver", |spent| spent.receiver, &[])];
/// Where a copy is long enough to matter.
const SENDING_MUCH: [Figure; 2] =
    [figure("", |spent| spent.cpu, &[Bound::Faster(1.0, VEC)]), SENDING[1]];

/// Rows that are measured together.
struct Group {
    id: String,
    figures: &'static [Figure],
    floor: &'static str,
    entrants: Lister,
}

fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    groups.extend(READ.map(|len| Group {
        id: format!("os.read.{len}.cached"),
        figures: &READING,
        floor: "",
        entrants: Box::new(move |ground| Ok(read::cached(ground, len))),
    }));
    groups.extend(READ.map(|len| Group {
        id: format!("os.read.{len}.direct"),
        figures: &WAITING,
        floor: "",
        entrants: Box::new(move |ground| read::direct(ground, len)),
    }));
    groups.extend(SENT.map(|len| Group {
        id: format!("os.send.{len}"),
        figures: if len < MUCH { &SENDING } else { &SENDING_MUCH },
        floor: WRITE,
        entrants: Box::new(move |_| Ok(send::memory(len))),
    }));
    groups.extend(SENT_OF_FILE.map(|len| Group {
        id: format!("os.send_file.{len}"),
        figures: if len < MUCH { &SENDING } else { &SENDING_MUCH },
        floor: "",
        entrants: Box::new(move |ground| Ok(send::file(ground, len))),
    }));
    groups
}

/// How many rounds this takes.
#[must_use]
pub fn rounds(wanted: impl Fn(&str) -> bool) -> usize {
    ROUNDS * groups().iter().filter(|group| group.is_wanted(&wanted)).count()
}

/// Measures the rows that are wanted; `tick` is called after every round with its group.
///
/// # Errors
///
/// The system's, where something fails that worked before.
pub fn measure(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    mut tick: impl FnMut(&str),
) -> io::Result<Outcome> {
    let mut chosen = groups();
    chosen.retain(|group| group.is_wanted(&wanted));
    let mut outcome = Outcome::default();
    if chosen.is_empty() {
        return Ok(outcome);
    }
    age_heap();
    let ground = Rc::new(Ground::new()?);
    let mut missing = Missing::default();
    for group in chosen {
        let rows = group.measure(&ground, effort, &mut missing, || tick(&group.id))?;
        let there = rows.into_iter().filter(|row| wanted(&row.id) && !row.subjects.is_empty());
        outcome.rows.extend(there);
    }
    outcome.notes = missing.lines();
    Ok(outcome)
}

impl Group {
    fn is_wanted(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.figures.iter().any(|figure| wanted(&format!("{}{}", self.id, figure.suffix)))
    }

    fn measure(
        &self,
        ground: &Rc<Ground>,
        effort: Effort,
        missing: &mut Missing,
        mut tick: impl FnMut(),
    ) -> io::Result<Vec<Measured>> {
        let entrants = (self.entrants)(ground).unwrap_or_else(|why| {
            missing.add(&self.id, why);
            Vec::new()
        });
        let mut ready = Vec::new();
        for Entrant { key, note, start } in entrants {
            let started = start().and_then(|mut work| {
                let count = calibrate(&mut work, effort.sample_ns)?;
                Ok((key, note, work, count))
            });
            match started {
                Ok(started) => ready.push(started),
                Err(why) => missing.add(key, why.to_string()),
            }
        }
        let mut spent = vec![Vec::with_capacity(ROUNDS); ready.len()];
        for round in 0..ROUNDS {
            for place in 0..ready.len() {
                let i = turn(round, place, ready.len());
                let (_, _, work, count) = &mut ready[i];
                spent[i].push((work(*count)?, *count));
            }
            tick();
        }
        Ok(self.figures.iter().map(|figure| self.row(figure, &ready, &spent)).collect())
    }

    fn row(
        &self,
        figure: &Figure,
        entrants: &[(&'static str, &'static str, Work, u64)],
        spent: &[Vec<(Spent, u64)>],
    ) -> Measured {
        #[expect(clippy::cast_precision_loss, reason = "all stay far below 2^53")]
        let each = |(spent, count): &(Spent, u64)| (figure.of)(spent) as f64 / 1e3 / *count as f64;
        let subjects = entrants.iter().zip(spent).map(|(&(key, note, ..), spent)| Rounds {
            key,
            note,
            ns: spent.iter().map(each).collect(),
        });
        Measured {
            id: format!("{}{}", self.id, figure.suffix),
            target: figure.target,
            floor: self.floor,
            unit: "us",
            subjects: subjects.collect(),
        }
    }
}

/// How many operations take about so long, found by doubling, which warms up as well.
fn calibrate(work: &mut Work, sample_ns: f64) -> io::Result<u64> {
    let mut count = 1;
    loop {
        #[expect(clippy::cast_precision_loss, reason = "a sample is far below 2^53 ns")]
        let wall = work(count)?.wall as f64;
        if wall >= sample_ns {
            return Ok(count);
        }
        count *= 2;
    }
}

fn since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// What the machine lacks, by the reason.
#[derive(Default)]
struct Missing(BTreeMap<String, BTreeSet<String>>);

impl Missing {
    fn add(&mut self, key: &str, why: String) {
        self.0.entry(why).or_default().insert(key.to_owned());
    }

    fn lines(self) -> Vec<String> {
        let line = |(why, keys): (String, BTreeSet<String>)| {
            let keys: Vec<_> = keys.into_iter().collect();
            format!("left out: {}: {why}", keys.join(", "))
        };
        self.0.into_iter().map(line).collect()
    }
}
