//! The report as one page that asks nobody for anything: its style and its pictures are in it.
//!
//! What comes from the report is escaped by `maud` where it is text, by plotters where it is drawn.

mod axis;
mod groups;
mod plot;
mod ports;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::machine::Machine;
use crate::report::{Claim, Report};
use crate::target::SCALE;
use axis::figure;
use plot::{NARROW, Plot, WIDE};

/// Where the page of this file goes: beside it. Nowhere for what is no file, such as a terminal, or
/// where the page would take the file's place.
#[must_use]
pub fn beside(json: &Path) -> Option<PathBuf> {
    let page = json.with_extension("html");
    (json.is_file() && page != json).then_some(page)
}

/// Writes the page.
///
/// # Errors
///
/// What the file system answers.
pub fn write(report: &Report, path: &Path) -> io::Result<()> {
    fs::write(path, page(report)?.into_string())
}

fn page(report: &Report) -> io::Result<Markup> {
    // Nothing is loaded, and the browser is told so.
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    let groups = groups::all(&report.operations)?;
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "What a copy costs" }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                main {
                    (head(report))
                    (summary::all(&report.operations))
                    (verdict(report))
                    @if !report.operations.is_empty() { (legend()) (groups) }
                    (ports::all(&report.ports)?)
                    (claims(&report.claims))
                }
            }
        }
    })
}

fn head(report: &Report) -> Markup {
    html! {
        header {
            h1 { "What a copy costs" }
            p.lead {
                "Every operation of Aqueduct beside its peers, in turn within one process, as CPU \
                 time where one thread does it all; and the example systems with and without the \
                 copies that their documents count."
            }
            (machine(&report.machine))
        }
    }
}

fn verdict(report: &Report) -> Markup {
    html! { section { h2 { "All operations" } (targets(report)) } }
}

fn targets(report: &Report) -> Markup {
    let held = report.operations.iter().enumerate().filter(|(_, row)| !row.target.is_empty());
    let missed: Vec<_> = held.clone().filter(|(_, row)| !row.met).collect();
    let held = held.count();
    let kept = report.claims.iter().filter(|claim| claim.verdict == "holds").count();
    html! {
        p.verdict {
            @if held == 0 {
                "No row of this run has a target."
            } @else if missed.is_empty() {
                strong.met { "All " (held) " targets met." }
            } @else {
                strong { (held - missed.len()) " of " (held) " targets met." }
                " " span.missed { "Missed:" } " "
                @for (i, (index, row)) in missed.iter().enumerate() {
                    @if i > 0 { ", " }
                    a href={ "#row-" (index) } { (row.id) }
                }
                "."
            }
            @if !report.claims.is_empty() {
                " " (kept) " of the documents\u{2019} " (report.claims.len()) " claims hold."
            }
        }
    }
}

fn machine(machine: &Machine) -> Markup {
    html! {
        dl.machine {
            div { dt { "Processor" } dd { (machine.cpu) ", " (machine.cores) " cores" } }
            div { dt { "Kernel" } dd { (machine.kernel) } }
            div { dt { "Compiler" } dd { (machine.rustc) } }
            div { dt { "Commit" } dd { code { (machine.commit) } } }
            div { dt { "One locked add" } dd { (figure(machine.rmw_ns)) " ns" } }
        }
    }
}

fn legend() -> Markup {
    html! {
        section.legend aria-label="How to read the plots" {
            p {
                "A line goes from the minimum of an entrant to its median, which has the dot and the \
                 figure. Targets are drawn where they lie by this run\u{2019}s medians; whether one \
                 is met is decided by ratios taken within each round. "
                (SCALE)
            }
            ul {
                li { span.dot.ours {} "Aqueduct" }
                li { span.dot.peer {} "peers" }
                li { span.dot.floor {} "floor: what it cannot be quicker than" }
                li { span.dash {} "target: ours at its left" }
                li { "* does less, or otherwise: see its note among the figures" }
            }
        }
    }
}

/// Both sizes of a plot; the style shows the one that fits.
fn figures(plot: &Plot, name: &str) -> io::Result<Markup> {
    let mut pictures = Vec::new();
    for room in [&WIDE, &NARROW] {
        pictures.extend(plot.draw(room)?.map(|picture| (room.class, picture)));
    }
    Ok(html! {
        @if pictures.is_empty() { p.muted { "No figure of this run can be plotted." } }
        @for (class, picture) in pictures {
            div class={ "plot " (class) } role="img" aria-label=(name) { (PreEscaped(picture)) }
        }
    })
}

fn claims(claims: &[Claim]) -> Markup {
    let documents: BTreeSet<&str> = claims.iter().map(|claim| claim.document).collect();
    html! {
        @if !claims.is_empty() {
            section {
                h2 { "Claims" }
                p.muted {
                    "What the documents say that the examples rebuild, and what this run found."
                }
                @for document in documents {
                    h3 { "Document " (document) }
                    ul.claims {
                        @for claim in claims.iter().filter(|claim| claim.document == document) {
                            (one_claim(claim))
                        }
                    }
                }
            }
        }
    }
}

fn one_claim(claim: &Claim) -> Markup {
    let class = match claim.verdict {
        "holds" => "met",
        "does not hold" => "missed",
        _ => "muted",
    };
    html! {
        li {
            p.verdict { span class=(class) { (claim.verdict) } }
            div {
                p.claim { "\u{201c}" (claim.claim) "\u{201d}" }
                p { (claim.measured) }
                p.muted { (claim.how) "." }
            }
        }
    }
}
