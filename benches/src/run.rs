//! The report, from the command line to the last line printed.

use std::error::Error;
use std::io;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use regex::Regex;

use crate::machine::Machine;
use crate::measure::{Effort, Measured, Outcome, Row, measure};
use crate::out::say;
use crate::remote::{Mimalloc, beside};
use crate::report::{Operation, Report, SCHEMA};
use crate::stats::Summary;
use crate::target::{Figures, SCALE};
use crate::{claims, html, os, ports, relay, rows, serve, table, uvrpc, weave, web};

/// What the command line asks the report for.
#[derive(Debug)]
pub struct Request<'a> {
    /// Only what this matches by its id.
    pub only: Option<&'a Regex>,
    /// How long to measure.
    pub effort: Effort,
    /// Where the report goes.
    pub json: &'a Path,
}

/// Measures, prints and writes the report.
///
/// # Errors
///
/// When a child process or the file of the report cannot be made, or nothing was asked for.
pub fn report(request: &Request<'_>) -> Result<(), Box<dyn Error>> {
    let wanted = |id: &str| request.only.is_none_or(|only| only.is_match(id));
    let mut chosen = rows::all();
    chosen.retain(|row| wanted(&row.id) || row.id == rows::ANCHOR);
    let rounds = chosen.len() * request.effort.rounds
        + os::rounds(wanted)
        + web::rounds(wanted)
        + relay::rounds(wanted)
        + serve::rounds(wanted)
        + uvrpc::rounds(wanted)
        + weave::rounds(wanted);
    let bar = progress(rounds as u64);
    let (rmw_ns, rows) = rows(&chosen, wanted, request.effort, &bar)?;
    let mut operations: Vec<_> = scaled(&rows, rmw_ns).collect();
    let os = shown(os::measure(wanted, request.effort, step(&bar))?, &bar)?;
    operations.extend(others(&os));
    let web = web::measure(wanted, request.effort, step(&bar))?;
    show_all(&web.rows, &web.notes, &bar)?;
    operations.extend(others(&web.rows));
    let relay = shown(relay::measure(wanted, request.effort, step(&bar))?, &bar)?;
    operations.extend(others(&relay));
    let serve = serve::measure(wanted, || step(&bar)("serve"))?;
    show_all(&serve, &[], &bar)?;
    operations.extend(others(&serve));
    let calls = shown(uvrpc::measure(wanted, request.effort, step(&bar))?, &bar)?;
    operations.extend(others(&calls));
    let weave = weave::measure(wanted, request.effort, step(&bar))?;
    weave.iter().try_for_each(|row| show(row, rmw_ns, &bar))?;
    operations.extend(scaled(&weave, rmw_ns));
    let measured = ports::run(wanted, request.effort, |id| bar.set_message(id.to_owned()))?;
    for port in &measured {
        port.rows.iter().try_for_each(|row| show(row, rmw_ns, &bar))?;
        operations.extend(scaled(&port.rows, rmw_ns));
    }
    let found = claims::Found {
        rmw_ns,
        ports: &measured,
        web: &web,
        rows: &[rows, relay, serve, weave].concat(),
    };
    let claims = claims::all(wanted, request.effort, &found)?;
    bar.finish_and_clear();
    let ports = measured.into_iter().map(|measured| measured.port).collect();
    let report =
        Report { schema: SCHEMA, machine: Machine::here(rmw_ns), operations, ports, claims };
    if report.is_empty() {
        return Err("nothing has such an id".into());
    }
    report.write(request.json)?;
    let page = html::beside(request.json);
    page.as_deref().map_or(Ok(()), |page| html::write(&report, page))?;
    finish(&report, request.json, page.as_deref())?;
    Ok(())
}

/// What a locked add takes here, and the rows that are wanted. The anchor comes first, and is
/// measured also when its row is not wanted.
fn rows(
    chosen: &[Row],
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    bar: &ProgressBar,
) -> Result<(f64, Vec<Measured>), Box<dyn Error>> {
    let mimalloc = Mimalloc::start()?;
    let (mut rmw_ns, mut rows) = (f64::NAN, Vec::new());
    for row in chosen {
        bar.set_message(row.id.clone());
        let mut subjects = (row.build)();
        subjects.extend(beside(&mimalloc, &row.id, &subjects));
        let measured = measure(row, subjects, effort, || bar.inc(1));
        if row.id == rows::ANCHOR {
            rmw_ns = Summary::of(measured.ours()).median;
        }
        if wanted(&row.id) {
            show(&measured, rmw_ns, bar)?;
            rows.push(measured);
        }
    }
    Ok((rmw_ns, rows))
}

/// Rows as the report has them.
fn scaled(rows: &[Measured], rmw_ns: f64) -> impl Iterator<Item = Operation> {
    rows.iter().filter_map(move |row| Operation::of(row, rmw_ns))
}

/// Rows whose targets are ratios: what a locked add takes does not matter.
fn others(rows: &[Measured]) -> impl Iterator<Item = Operation> {
    scaled(rows, f64::NAN)
}

/// What a family of rows does after each round.
fn step(bar: &ProgressBar) -> impl Fn(&str) {
    |id| {
        bar.set_message(id.to_owned());
        bar.inc(1);
    }
}

/// A family's rows, shown.
fn shown(found: Outcome, bar: &ProgressBar) -> io::Result<Vec<Measured>> {
    show_all(&found.rows, &found.notes, bar)?;
    Ok(found.rows)
}

fn show_all(rows: &[Measured], notes: &[String], bar: &ProgressBar) -> io::Result<()> {
    rows.iter().try_for_each(|row| show(row, f64::NAN, bar))?;
    notes.iter().try_for_each(|note| bar.suspend(|| say(note)))
}

fn show(measured: &Measured, rmw_ns: f64, bar: &ProgressBar) -> io::Result<()> {
    let operation = Operation::of(measured, rmw_ns);
    bar.suspend(|| say(table::operation(measured, operation.as_ref())))
}

/// A bar on a terminal, nothing elsewhere.
fn progress(length: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} {eta} {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length).with_style(style)
}

fn finish(report: &Report, json: &Path, page: Option<&Path>) -> io::Result<()> {
    if !report.ports.is_empty() {
        say(table::ports(&report.ports))?;
    }
    if !report.claims.is_empty() {
        say(table::claims(&report.claims))?;
    }
    let machine = &report.machine;
    say(format_args!(
        "{}, {} cores, {}, {}, commit {}; one locked add takes {:.2} ns",
        machine.cpu, machine.cores, machine.kernel, machine.rustc, machine.commit, machine.rmw_ns
    ))?;
    say(format_args!("written to {}", json.display()))?;
    page.map_or(Ok(()), |page| say(format_args!("to look at: {}", page.display())))?;
    let held = report.operations.iter().filter(|operation| !operation.target.is_empty());
    let missed: Vec<&str> =
        held.clone().filter(|operation| !operation.met).map(|row| row.id.as_str()).collect();
    if missed.is_empty() {
        say(format_args!("targets: all {} met", held.count()))
    } else {
        let names = missed.join(", ");
        say(format_args!("targets: {} of {} missed: {names}", missed.len(), held.count()))?;
        say(SCALE)
    }
}
