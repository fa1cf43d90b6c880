//! Calls over ZeroMQ's protocol: both modes beside an echo through libzmq, in turns. Each server is a process
//! of its own, and so is libzmq's client.

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::uvrpc::bench::{Libzmq, Load, Process, Style};
use ::uvrpc::{Address, Options, Profile, Services, serve};
use hdrhistogram::Histogram;

use crate::clock::latencies;
use crate::measure::{Effort, Measured, OURS, Outcome, Rounds, turn};
use crate::ports::Mode;
use crate::python::environment;
use crate::running::{Running, Stopped};
use crate::target::{Bound, Target};

/// The subcommand that is a server.
pub const SUBCOMMAND: &str = "uvrpc-server";

/// Calls that are under way at once.
pub const WINDOW: usize = 100;

/// Bytes of a small call's data, and of a large one's.
pub const SMALL: usize = 1 << 10;
/// The same of a large one's.
pub const LARGE: usize = 100 << 10;

/// The key of libzmq's echo.
const LIBZMQ: &str = "libzmq";

/// Rounds in which everybody has a turn.
const ROUNDS: usize = 15;

/// The rows, with how many times as long libzmq is to take.
const ROWS: [(&str, usize, &[Bound]); 2] =
    [("uvrpc.call.1024", SMALL, &[Bound::Faster(1.5, LIBZMQ)]), ("uvrpc.call.102400", LARGE, &[])];

/// How many rounds this takes.
#[must_use]
pub fn rounds(wanted: impl Fn(&str) -> bool) -> usize {
    ROUNDS * ROWS.iter().filter(|(id, ..)| wanted(id)).count()
}

/// Measures the rows that are wanted, in microseconds for each call; `tick` is called after every round with its row.
///
/// # Errors
///
/// The system's, and those of calls that fail.
pub fn measure(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    mut tick: impl FnMut(&'static str),
) -> Result<Outcome, Box<dyn Error>> {
    let mut outcome = Outcome::default();
    for (id, payload, target) in ROWS.into_iter().filter(|(id, ..)| wanted(id)) {
        let mut entrants = vec![
            ours(OURS, "", Mode::ZeroCopy, payload)?,
            ours("copying", "ours, with the document's copies", Mode::Copying, payload)?,
        ];
        let mut target = Target(target);
        match libzmq(payload) {
            Ok(libzmq) => entrants.push(libzmq),
            Err(why) => {
                target = Target(&[]);
                outcome.notes.push(format!("{id}: libzmq is skipped: {why}"));
            }
        }
        let calls = if payload == SMALL { effort.requests * 5 } else { effort.requests / 4 };
        let subjects = in_turns(&mut entrants, calls, || tick(id))?;
        outcome.rows.push(Measured { id: id.into(), target, floor: "", unit: "us", subjects });
    }
    Ok(outcome)
}

struct Entrant {
    key: &'static str,
    note: &'static str,
    who: Who,
}

enum Who {
    /// Our load, and the server that it calls.
    Ours(Box<Load>, Process),
    Libzmq(Box<Libzmq>),
}

fn ours(
    key: &'static str,
    note: &'static str,
    mode: Mode,
    payload: usize,
) -> Result<Entrant, Box<dyn Error>> {
    let name = if mode == Mode::Copying { "copying" } else { "zero-copy" };
    let (server, address) =
        Process::server(Command::new(env::current_exe()?).args([SUBCOMMAND, name]))?;
    let load = Load::connect(address, options(mode), Style::Await, WINDOW, payload)?;
    Ok(Entrant { key, note, who: Who::Ours(Box::new(load), server) })
}

fn libzmq(payload: usize) -> Result<Entrant, String> {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/uvrpc/tests/peer");
    let python = environment(&list.join("requirements.txt"), &[])?;
    let libzmq = Libzmq::start(Some(&Libzmq::find(&python)?), WINDOW, payload)?;
    let note = "DEALER and ROUTER in C, no marks, the payload by its handle";
    Ok(Entrant { key: LIBZMQ, note, who: Who::Libzmq(Box::new(libzmq)) })
}

fn in_turns(
    entrants: &mut [Entrant],
    calls: u64,
    mut tick: impl FnMut(),
) -> Result<Vec<Rounds>, Box<dyn Error>> {
    let mut latencies = latencies();
    let mut us = vec![Vec::with_capacity(ROUNDS); entrants.len()];
    for entrant in &mut *entrants {
        entrant.who.run(calls, &mut latencies)?;
    }
    for round in 0..ROUNDS {
        for place in 0..entrants.len() {
            let i = turn(round, place, entrants.len());
            let wall = entrants[i].who.run(calls, &mut latencies)?;
            #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
            us[i].push(wall.as_secs_f64() * 1e6 / calls as f64);
        }
        tick();
    }
    let each = entrants.iter().zip(us);
    Ok(each.map(|(entrant, ns)| Rounds { key: entrant.key, note: entrant.note, ns }).collect())
}

impl Who {
    fn run(
        &mut self,
        calls: u64,
        latencies: &mut Histogram<u64>,
    ) -> Result<Duration, Box<dyn Error>> {
        Ok(match self {
            Self::Libzmq(libzmq) => libzmq.run(calls, latencies)?,
            Self::Ours(load, _server) => {
                let begun = Instant::now();
                load.run(calls, latencies)?;
                begun.elapsed()
            }
        })
    }
}

/// Settings of both sides in this mode.
#[must_use]
pub fn options(mode: Mode) -> Options {
    let mode = match mode {
        Mode::Copying => ::uvrpc::Mode::Copying,
        Mode::ZeroCopy => ::uvrpc::Mode::ZeroCopy,
    };
    Options { mode, profile: Profile::Balanced, ..Options::default() }
}

/// Starts a server on a thread of its own, and a load of so many bytes that calls it.
///
/// # Errors
///
/// When there is no port or no thread.
pub fn start(mode: Mode, payload: usize) -> Result<(Running, Load), Box<dyn Error>> {
    let server = Running::start(async move |listener, stopped: Stopped| {
        serve(listener.into(), Arc::new(Services::demo()), options(mode), stopped).await;
        Ok(())
    })?;
    let address = Address::Tcp(server.address().to_string());
    let load = Load::connect(address, options(mode), Style::Await, WINDOW, payload)?;
    Ok((server, load))
}
