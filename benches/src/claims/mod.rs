//! The documents' claims beside what was measured. Every verdict is computed from figures of this
//! run.

mod exchange;
mod files;
mod items;
mod patterns;
mod streamweave;
mod uvrpc;
mod web;

use std::io;

use crate::measure::{Effort, Measured as Rows, NS, Row, Subject, measure};
use crate::ports::Measured;
use crate::report::Claim;
use crate::stats::Summary;
use crate::target::Target;
use crate::web::Outcome;

pub use patterns::{BANDWIDTH, COPY_1K};

/// What was measured.
#[derive(Debug)]
pub struct Found<'a> {
    /// What a locked add takes here.
    pub rmw_ns: f64,
    /// The example systems.
    pub ports: &'a [Measured],
    /// The servers' rows, and what else was seen of them.
    pub web: &'a Outcome,
    /// All other rows.
    pub rows: &'a [Rows],
}

/// All claims that this run can say something about, by the number of their document.
///
/// # Errors
///
/// When a server that is asked for a claim fails.
pub fn all(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    found: &Found<'_>,
) -> io::Result<Vec<Claim>> {
    let Found { rmw_ns, ports, web, rows } = *found;
    let mut claims = web::all(effort, ports, web)?;
    claims.extend(patterns::all(wanted, effort, ports, rows));
    claims.extend(files::all(ports, rows));
    claims.extend(streamweave::all(effort, rows, rmw_ns));
    claims.extend(exchange::all(ports, rows, rmw_ns));
    claims.extend(uvrpc::all(ports));
    Ok(claims)
}

fn port<'a>(ports: &'a [Measured], id: &str) -> Option<&'a Measured> {
    ports.iter().find(|measured| measured.port.id == id)
}

fn claim(document: &'static str, claim: &str, holds: bool, measured: String, how: &str) -> Claim {
    Claim {
        document,
        claim: claim.into(),
        measured,
        verdict: if holds { "holds" } else { "does not hold" },
        how: how.into(),
    }
}

/// What the work of a claim takes by its name, in nanoseconds: medians of the rounds.
fn medians(id: &str, subjects: Vec<Subject>, effort: Effort) -> impl Fn(&str) -> f64 {
    let (target, build) = (Target(&[]), Box::new(Vec::new));
    let row = Row { id: id.into(), target, floor: "", unit: NS, build };
    let measured = measure(&row, subjects, effort, || {});
    move |key| measured.rounds(key).map_or(f64::NAN, |rounds| Summary::of(&rounds.ns).median)
}

fn near(value: f64, wanted: f64) -> bool {
    (value - wanted).abs() <= 0.01
}

#[expect(clippy::cast_precision_loss, reason = "counts of bytes stay far below 2^53")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

fn percent(part: f64) -> f64 {
    100.0 * part
}
