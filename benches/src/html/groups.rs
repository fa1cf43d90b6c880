//! The rows, by family and unit: a plot for each, and its figures.

use std::io;

use maud::{Markup, html};

use super::axis::figure;
use super::figures;
use super::plot::{Line, Panel, Plot, Role};
use crate::measure::OURS;
use crate::report::Operation;

/// Rows that share an axis, with their places in the report.
struct Group<'a> {
    family: &'a str,
    unit: &'a str,
    better: &'a str,
    rows: Vec<(usize, &'a Operation)>,
}

/// All groups, in the order of the report.
pub(super) fn all(operations: &[Operation]) -> io::Result<Markup> {
    let groups = grouped(operations).iter().map(Group::section).collect::<io::Result<Vec<_>>>()?;
    Ok(html! { @for group in groups { (group) } })
}

fn grouped(operations: &[Operation]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (index, row) in operations.iter().enumerate() {
        let family = row.id.split('.').next().unwrap_or_default();
        let (unit, better) = (row.unit, row.better);
        let same = |group: &&mut Group<'_>| {
            (group.family, group.unit, group.better) == (family, unit, better)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.rows.push((index, row)),
            None => groups.push(Group { family, unit, better, rows: vec![(index, row)] }),
        }
    }
    groups
}

impl Group<'_> {
    fn section(&self) -> io::Result<Markup> {
        let name = format!("{} in {}", self.family, self.unit);
        let axis = format!("{}, {} is better", self.unit, self.better);
        let panels = self.rows.iter().map(|(_, row)| panel(row)).collect();
        let plot = Plot { axis, from_zero: false, panels };
        let picture = figures(&plot, &format!("{name}: minimum to median of every entrant"))?;
        Ok(html! {
            section {
                // A link to a row leads to the plot, where the figures are folded away.
                @for (index, _) in &self.rows { span id={ "row-" (index) } {} }
                h2 { (self.family) " " span.muted { (self.unit) } }
                (picture)
                details {
                    summary { "Figures" }
                    div.scroll tabindex="0" role="region" aria-label={ "Figures of " (name) } {
                        (self.table())
                    }
                }
            }
        })
    }

    fn table(&self) -> Markup {
        html! {
            table {
                thead {
                    tr {
                        th scope="col" { "entrant" }
                        th.number scope="col" { "minimum, " (self.unit) }
                        th.number scope="col" { "median, " (self.unit) }
                        th scope="col" { "note" }
                    }
                }
                @for (_, row) in &self.rows { (body(row)) }
            }
        }
    }
}

fn body(row: &Operation) -> Markup {
    html! {
        tbody {
            tr {
                th.row colspan="4" scope="rowgroup" {
                    (row.id)
                    @if !row.target.is_empty() {
                        span.target {
                            "target " (row.target) ": "
                            @if row.met { span.met { "met" } } @else { span.missed { "missed" } }
                        }
                    }
                }
            }
            @for line in lines(row) {
                tr.ours[line.role == Role::Ours] {
                    th scope="row" { (line.name) }
                    td.number { @if line.role != Role::Floor { (figure(line.from)) } }
                    td.number { (figure(line.to)) }
                    td.note { (note(row, &line)) }
                }
            }
        }
    }
}

/// The plot, where peers that do less, or otherwise, have a star.
fn panel(row: &Operation) -> Panel {
    let mut lines = lines(row);
    for line in &mut lines {
        if line.role == Role::Peer && !note(row, line).is_empty() {
            line.name.push_str(" *");
        }
    }
    Panel {
        title: row.id.clone(),
        target: (!row.target.is_empty()).then(|| (row.target.clone(), row.met)),
        limits: row.limits.clone(),
        lines,
    }
}

fn note(row: &Operation, line: &Line) -> &'static str {
    row.notes.get(line.name.as_str()).copied().unwrap_or_default()
}

/// All entrants, the best median first. Of the floor only the median is kept.
fn lines(row: &Operation) -> Vec<Line> {
    let line = |name: &str, role, from, to| Line { name: name.to_owned(), role, from, to };
    let mut lines = vec![line(OURS, Role::Ours, row.ours.min, row.ours.median)];
    let peers = row.peers.iter();
    lines.extend(peers.map(|(name, peer)| line(name, Role::Peer, peer.min, peer.median)));
    let floor = row.floor.iter();
    lines.extend(floor.map(|floor| line(floor.name, Role::Floor, floor.median, floor.median)));
    lines.sort_by(|a, b| a.to.total_cmp(&b.to));
    if row.better == "higher" {
        lines.reverse();
    }
    lines
}
