//! `bench`: how fast items go through four nodes, and what that takes.

mod gauge;
mod job;
mod nodes;
mod report;

use crate::Error;
use indicatif::ProgressBar;
use job::Answer;
use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
};

pub use job::{Job, Way};
pub use report::{Figures, Report};

/// All ways, in the order in which they are measured.
pub const ALL: [Way; 6] =
    [Way::InProcess, Way::Cloning, Way::Copying, Way::Distributed, Way::Timely, Way::Hybrid];

/// What is measured, and how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes of each item.
    pub payload: usize,
    /// Sinks that each item goes to.
    pub fan_out: usize,
    /// The ways, in turns.
    pub ways: Vec<Way>,
    /// How long items come, in each round.
    pub milliseconds: u64,
    /// How often each way is measured.
    pub rounds: u64,
}

/// Gives the command of a process for a job, which calls [`job`].
pub trait Start: Fn(&str) -> Command {}
impl<F: Fn(&str) -> Command> Start for F {}

/// Measures all ways in turns, each time twice: once for its time, and once with a clock at each hop.
///
/// # Errors
///
/// When a process cannot be started, or fails.
pub fn measure(settings: &Settings, start: &impl Start) -> Result<Report, Error> {
    let mut report = Report::new(settings);
    let bar = ProgressBar::new(settings.rounds * settings.ways.len() as u64);
    for _ in 0..settings.rounds {
        for (way, figures) in &mut report.ways {
            let mut round = once(settings, *way, start)?;
            if *way != Way::Timely {
                round.hops_ns = hops(settings, *way, start)?;
            }
            figures.push(round);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(report)
}

/// One round of one way, for its time.
///
/// # Errors
///
/// As [`measure`].
pub fn once(settings: &Settings, way: Way, start: &impl Start) -> Result<Figures, Error> {
    Ok(Figures::of(settings.payload, &run(&settings.job(way), start)?))
}

/// One round of one way with a clock at each hop: nanoseconds of half of the hops and of 99 in a hundred, between
/// nodes and into sinks.
///
/// # Errors
///
/// As [`measure`].
pub fn hops(settings: &Settings, way: Way, start: &impl Start) -> Result<[[u64; 2]; 2], Error> {
    let answers = run(&Job { watched: true, ..settings.job(way) }, start)?;
    let hops = |answer: Option<&Answer>| answer.map_or([[0; 2]; 2], |answer| answer.hops_ns);
    Ok([hops(answers.first())[0], hops(answers.last())[1]])
}

/// The memory that one item takes in the graph at most, in bytes beyond what its process held before.
///
/// # Errors
///
/// As [`measure`].
pub fn memory(settings: &Settings, way: Way, start: &impl Start) -> Result<u64, Error> {
    let answers = run(&Job { most: Some(1), ..settings.job(way) }, start)?;
    let grew = |answer: &Answer| answer.peak_bytes.saturating_sub(answer.before_bytes);
    Ok(answers.iter().map(grew).sum())
}

/// One round of a way of one process, in this one: for its time, and then with a clock at each hop.
///
/// # Errors
///
/// Those of the run.
pub fn here(settings: &Settings, way: Way, allocations: fn() -> u64) -> Result<Figures, Error> {
    let job = settings.job(way);
    let figures = Figures::of(settings.payload, &[job.run(allocations)?]);
    let hops_ns = Job { watched: true, ..job }.run(allocations)?.hops_ns;
    Ok(Figures { hops_ns, ..figures })
}

/// Sends so many items one way, all of whose processes are threads of this one.
///
/// # Errors
///
/// Those of the runs.
pub fn pass(settings: &Settings, way: Way, items: u64) -> Result<(), Error> {
    let run = |job: Job| job.run(|| 0).map(drop);
    let mut jobs = Job { most: Some(items), ..settings.job(way) }.processes()?;
    let last = jobs.pop();
    let others: Vec<_> = jobs.into_iter().map(|job| thread::spawn(move || run(job))).collect();
    let ended = last.map_or(Ok(()), run);
    others
        .into_iter()
        .map(|other| other.join().unwrap_or(Err(Error::Panicked)))
        .fold(ended, Result::and)
}

/// The side of a process that was started for a job: does it, and gives what it found.
///
/// # Errors
///
/// When it is no job, and those of the run.
pub fn job(text: &str, allocations: fn() -> u64) -> Result<String, Error> {
    let said = |error: serde_json::Error| Error::Cluster(error.to_string());
    let job: Job = serde_json::from_str(text).map_err(said)?;
    serde_json::to_string(&job.run(allocations)?).map_err(said)
}

impl Settings {
    fn job(&self, way: Way) -> Job {
        let Self { payload, fan_out, milliseconds, .. } = *self;
        let (most, watched, index, addresses) = (None, false, 0, Vec::new());
        Job { way, payload, fan_out, milliseconds, most, watched, index, addresses }
    }
}

impl Job {
    /// What each process does.
    fn processes(self) -> Result<Vec<Self>, Error> {
        let count = self.way.processes();
        let addresses = if count == 1 { Vec::new() } else { addresses(count)? };
        let job = |index| Self { index, addresses: addresses.clone(), ..self.clone() };
        Ok((0..count).map(job).collect())
    }
}

/// Runs all processes of a job.
fn run(job: &Job, start: &impl Start) -> Result<Vec<Answer>, Error> {
    let jobs = job.clone().processes()?.into_iter();
    let children: Vec<Child> = jobs.map(|job| spawn(&job, start)).collect::<Result<_, _>>()?;
    // All are waited for, so that none is left behind.
    let answers: Vec<_> = children.into_iter().map(answer).collect();
    answers.into_iter().collect()
}

fn spawn(job: &Job, start: &impl Start) -> Result<Child, Error> {
    let text = serde_json::to_string(job).map_err(|error| Error::Cluster(error.to_string()))?;
    let child =
        start(&text).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    child.map_err(|error| Error::Io("a process of the measurement".into(), error))
}

fn answer(child: Child) -> Result<Answer, Error> {
    let output = child.wait_with_output();
    let output = output.map_err(|error| Error::Io("a process of the measurement".into(), error))?;
    if !output.status.success() {
        return Err(Error::Cluster(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| Error::Cluster(error.to_string()))
}

/// Where nobody listens.
fn addresses(count: usize) -> Result<Vec<String>, Error> {
    let free = || -> std::io::Result<_> { TcpListener::bind("127.0.0.1:0") };
    let listeners = (0..count).map(|_| free()).collect::<Result<Vec<_>, _>>();
    let found = listeners.and_then(|listeners| {
        listeners.iter().map(|listener| Ok(listener.local_addr()?.to_string())).collect()
    });
    found.map_err(|error| Error::Io("an address of this machine".into(), error))
}
