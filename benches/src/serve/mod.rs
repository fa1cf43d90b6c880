//! The file server of the .NET patterns: what it costs to send a file, in each of its modes, at both ends.
//!
//! Each server runs on threads of its own; the client is the thread that calls. What the server takes is the
//! CPU time of all other threads, what the client takes is that of its reads.

pub mod load;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use ::patterns::serve::{Files, Way, with_ring};
use ::web::{Options, serve};

use crate::clock::{latencies, process_cpu, thread_cpu};
use crate::folder::Folder;
use crate::measure::{Measured, OURS, Rounds, turn};
use crate::running::{Running, Stopped};
use crate::target::{Bound, Target};
use load::Load;

/// Bytes of the file.
pub const FILE: usize = 64 << 20;

/// Clients of a load that is to be more than one.
pub const CLIENTS: usize = 10;

/// Its name.
pub const NAME: &str = "file";

/// Rounds in which every mode has its turn.
const ROUNDS: usize = 31;

#[expect(clippy::cast_precision_loss, reason = "a small constant")]
const MIB: f64 = (FILE >> 20) as f64;

/// The row of the sender's CPU time.
pub const SENDER: &str = "serve.cpu";
/// The row of the receiver's.
pub const RECEIVER: &str = "serve.receiver";
/// The row of the time that it took.
pub const WALL: &str = "serve.wall";

const FASTER: Target = Target(&[Bound::Faster(1.0, READ_ALL)]);

/// The rows, and what ours is held to.
const FIGURES: [(&str, Target); 3] =
    [(SENDER, FASTER), (RECEIVER, Target(&[])), (WALL, Target(&[]))];

/// The key of the mode that the document begins with.
pub const READ_ALL: &str = "read-all";

/// Ours first: what the document calls best.
pub const MODES: [(&str, &str, Way); 5] = [
    (OURS, "sendfile", Way::Sendfile),
    (READ_ALL, "read whole, then written", Way::ReadAll),
    ("mapped", "written from a map", Way::Mapped),
    ("pooled", "through pooled blocks", Way::Pooled),
    ("io-uring", "through pooled blocks that io_uring fills", Way::IoUring),
];

/// Starts a server of the files in a folder.
///
/// # Errors
///
/// When there is no port or no thread, or no such folder.
pub fn start(folder: &Folder, way: Way) -> io::Result<Running> {
    let files = Arc::new(Files::new(folder.path(), way)?);
    Running::start(async move |listener, stopped: Stopped| {
        let options = Options::default();
        let pool = options.pool.clone();
        // Whether it is told or the sender is gone.
        let stop = async { drop(stopped.await) };
        with_ring(&pool, serve(listener, files, options, stop)).await?
    })
}

/// How many rounds this takes.
#[must_use]
pub fn rounds(wanted: impl Fn(&str) -> bool) -> usize {
    if FIGURES.iter().any(|(id, _)| wanted(id)) { ROUNDS } else { 0 }
}

/// Measures the rows, if one is wanted: a file to one client; `tick` is called after every round.
///
/// # Errors
///
/// The system's; and those of the load, where something else arrives than the file.
pub fn measure(wanted: impl Fn(&str) -> bool, mut tick: impl FnMut()) -> io::Result<Vec<Measured>> {
    if rounds(&wanted) == 0 {
        return Ok(Vec::new());
    }
    let folder = Folder::new()?;
    folder.file(NAME, FILE)?;
    let mut entrants = Vec::new();
    for (_, _, way) in MODES {
        let server = start(&folder, way)?;
        let mut load = Load::connect(server.address(), 1, FILE)?;
        load.run(1, &mut latencies())?;
        entrants.push((server, load));
    }
    let mut us: [Vec<Vec<f64>>; 3] = [(); 3].map(|()| vec![Vec::new(); MODES.len()]);
    for round in 0..ROUNDS {
        for place in 0..MODES.len() {
            let i = turn(round, place, MODES.len());
            for (us, spent) in us.iter_mut().zip(sample(&mut entrants[i].1, 1)?) {
                us[i].push(spent);
            }
        }
        tick();
    }
    let row = |(&(id, target), us): (&(&str, Target), Vec<Vec<f64>>)| Measured {
        id: id.into(),
        target,
        floor: "",
        unit: "us/MiB",
        subjects: (MODES.iter().zip(us))
            .map(|(&(key, note, _), ns)| Rounds { key, note, ns })
            .collect(),
    };
    Ok(FIGURES.iter().zip(us).map(row).filter(|row| wanted(&row.id)).collect())
}

/// Some files. What each MiB took the sender and the receiver, and how long, in microseconds.
#[expect(clippy::cast_precision_loss, reason = "all stay far below 2^53")]
fn sample(load: &mut Load, files: u64) -> io::Result<[f64; 3]> {
    load.spent = Some(0);
    let (begun, all, own) = (Instant::now(), process_cpu(), thread_cpu());
    load.run(files, &mut latencies())?;
    let (all, own) = (process_cpu() - all, thread_cpu() - own);
    let wall = begun.elapsed().as_secs_f64() * 1e6;
    let us = |ns: u64| ns as f64 / 1e3;
    let spent = [us(all.saturating_sub(own)), us(load.spent.unwrap_or(0)), wall];
    Ok(spent.map(|us| us / (files as f64 * MIB)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mode_sends_the_file() {
        let folder = Folder::new().expect("a folder");
        folder.file(NAME, 100_000).expect("room");
        for (_, note, way) in MODES {
            let server = start(&folder, way).expect("a port");
            let mut load = Load::connect(server.address(), 3, 100_000).expect("the file");
            let [sender, receiver, wall] = sample(&mut load, 7).expect("the file");
            assert!(sender > 0.0 && receiver > 0.0 && wall > 0.0, "{note}");
        }
    }
}
