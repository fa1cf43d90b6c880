//! Aligned tables for people.

use std::fmt::Write;

use crate::measure::{Measured, OURS};
use crate::report::{Claim, Operation, Port, PortFigures};
use crate::stats::{Summary, median_ratio};
use crate::target::Figures;

/// Lines of cells, each column as wide as its widest cell; the first is flush left, notes last.
#[derive(Debug, Default)]
pub struct Table {
    lines: Vec<Vec<String>>,
}

impl Table {
    /// A table with a first line of headings.
    #[must_use]
    pub fn new(headings: &[&str]) -> Self {
        Self { lines: vec![headings.iter().map(ToString::to_string).collect()] }
    }

    /// One more line.
    pub fn line(&mut self, cells: Vec<String>) {
        self.lines.push(cells);
    }

    /// The text, with the columns after the first flush right, but for those in `left`.
    #[must_use]
    pub fn render(&self, left: &[usize]) -> String {
        let columns = self.lines.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for line in &self.lines {
            let mut row = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                if column == 0 || left.contains(&column) {
                    row += &format!("{cell:<width$}  ");
                } else {
                    row += &format!("{cell:>width$}  ");
                }
            }
            text += "  ";
            text += row.trim_end();
            text.push('\n');
        }
        text
    }
}

/// A row with all its entrants, the quickest first.
#[must_use]
pub fn operation(measured: &Measured, operation: Option<&Operation>) -> String {
    let ours = measured.other(OURS);
    let mut subjects: Vec<_> = measured.subjects.iter().collect();
    subjects.sort_by(|a, b| Summary::of(&a.ns).median.total_cmp(&Summary::of(&b.ns).median));
    let mut table = Table::new(&[&measured.id, "minimum", "median", "x ours", ""]);
    for rounds in subjects {
        let Summary { min, median } = Summary::of(&rounds.ns);
        // Nothing is not so many times nothing.
        let ratio = ours.map(|ours| median_ratio(&rounds.ns, ours)).filter(|r| r.is_finite());
        let role = if rounds.key == measured.floor { "(floor) " } else { "" };
        table.line(vec![
            rounds.key.to_owned(),
            ns(min),
            ns(median),
            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
            format!("{role}{}", rounds.note),
        ]);
    }
    let mut text = table.render(&[4]);
    if let Some(operation) = operation.filter(|operation| !operation.target.is_empty()) {
        let verdict = if operation.met { "met" } else { "MISSED" };
        let _ = writeln!(text, "  target {}: {verdict}", operation.target);
    }
    text
}

/// The example systems, one line per mode.
#[must_use]
pub fn ports(ports: &[Port]) -> String {
    let mut table = Table::new(&[
        "port",
        "throughput",
        "unit",
        "p50 us",
        "p99 us",
        "bytes copied/op",
        "copies/op",
        "inlined/op",
        "allocations/op",
        "peak RSS MiB",
    ]);
    for port in ports {
        for (mode, figures) in [("copying", &port.copying), ("zero-copy", &port.zero_copy)] {
            table.line(port_line(&format!("{} {mode}", port.id), &port.unit, figures));
        }
    }
    table.render(&[2])
}

fn port_line(name: &str, unit: &str, figures: &PortFigures) -> Vec<String> {
    let mebibytes = figures.peak_rss_bytes >> 20;
    vec![
        name.to_owned(),
        format!("{:.0}", figures.throughput),
        unit.to_owned(),
        format!("{:.3}", figures.p50_ns / 1e3),
        format!("{:.3}", figures.p99_ns / 1e3),
        format!("{:.1}", figures.bytes_copied_per_op),
        format!("{:.2}", figures.copies_per_op),
        format!("{:.2}", figures.inlined_per_op),
        format!("{:.3}", figures.allocations_per_op),
        mebibytes.to_string(),
    ]
}

/// The documents' claims.
#[must_use]
pub fn claims(claims: &[Claim]) -> String {
    let mut text = String::new();
    for claim in claims {
        let _ = writeln!(text, "  {} \"{}\": {}", claim.document, claim.claim, claim.verdict);
        let _ = writeln!(text, "      measured: {}", claim.measured);
        let _ = writeln!(text, "      how: {}", claim.how);
    }
    text
}

fn ns(ns: f64) -> String {
    if ns < 100.0 { format!("{ns:.2}") } else { format!("{ns:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Rounds;
    use crate::target::Target;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::new(&["name", "ns", ""]);
        table.line(vec!["a-long-name".into(), "1.50".into(), "a note".into()]);
        table.line(vec!["b".into(), "100".into(), String::new()]);
        assert_eq!(
            table.render(&[2]),
            "  name           ns\n  a-long-name  1.50  a note\n  b             100\n"
        );
    }

    #[test]
    fn nothing_is_not_so_many_times_nothing() {
        let rounds = Rounds { key: OURS, note: "", ns: vec![0.0; 3] };
        let (id, target) = ("received".into(), Target(&[]));
        let row = Measured { id, target, floor: "", unit: "bytes", subjects: vec![rounds] };
        let table = operation(&row, None);
        assert!(table.ends_with(" -\n") && !table.contains("NaN"), "{table}");
    }
}
