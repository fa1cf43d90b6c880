//! What the command line says at the end.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::Mode;
use crate::measure::Measurement;
use crate::packets::Counts;
use crate::workload::Workload;

/// One mode's figures.
pub(crate) struct Column {
    pub(crate) mode: Mode,
    pub(crate) measured: Measurement,
    pub(crate) allocated: f64,
}

pub(crate) struct Summary {
    workload: String,
    unit: &'static str,
    together: u64,
    seen: Option<Counts>,
    columns: Vec<Column>,
}

/// A row of the table: what it says, and how to say it of a column.
type Row = (&'static str, fn(&Column) -> String);

const ROWS: [Row; 7] = [
    ("operations", |c| c.measured.operations.to_string()),
    ("p50, ns", |c| significant(c.measured.p50_ns)),
    ("p99, ns", |c| significant(c.measured.p99_ns)),
    ("bytes copied / op", |c| significant(c.measured.bytes_copied_per_op)),
    ("copies / op", |c| significant(c.measured.copies_per_op)),
    ("inlined / op", |c| significant(c.measured.inlined_per_op)),
    ("allocations / op", |c| significant(c.allocated)),
];

impl Summary {
    pub(crate) fn new(workload: &Workload) -> Self {
        Summary {
            workload: workload.describe(),
            unit: workload.unit(),
            together: workload.timed_together(),
            seen: None,
            columns: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, column: Column) {
        self.columns.push(column);
    }

    /// What the input held, of one pass over it.
    pub(crate) fn seen(&mut self, counts: Option<Counts>) {
        self.seen = counts;
    }

    pub(crate) fn table(&self) -> String {
        let mut out = format!("{}\n", self.workload);
        if let Some(seen) = &self.seen {
            let Counts { packets, tcp, udp, other, cut, header_bytes, payload_bytes, .. } = seen;
            line(&mut out, format_args!("{packets} packets: {tcp} tcp, {udp} udp, {other} other"));
            line(
                &mut out,
                format_args!(
                    "{header_bytes} bytes of headers, {payload_bytes} of payload; \
                     {cut} packets cut by the snapshot length"
                ),
            );
        }
        out.push('\n');
        row(&mut out, "", &self.columns, |c| name(c.mode).to_owned());
        row(&mut out, self.unit, &self.columns, |c| significant(c.measured.throughput));
        for (what, say) in ROWS {
            row(&mut out, what, &self.columns, say);
        }
        if self.together > 1 {
            line(
                &mut out,
                format_args!(
                    "\ntimes are means of {} operations each: reading the clock takes longer than one",
                    self.together
                ),
            );
        }
        out
    }

    /// One object on one line: the shape of a port in the report, where both modes ran.
    pub(crate) fn json(&self) -> String {
        let mut object = json!({ "workload": self.workload, "unit": self.unit });
        for column in &self.columns {
            object[name(column.mode).replace('-', "_")] = figures(column);
        }
        if let Some(seen) = &self.seen {
            object["seen"] = json!({
                "packets": seen.packets, "tcp": seen.tcp, "udp": seen.udp, "other": seen.other,
                "cut": seen.cut, "header_bytes": seen.header_bytes,
                "payload_bytes": seen.payload_bytes,
            });
        }
        format!("{object}\n")
    }
}

fn figures(column: &Column) -> Value {
    let measured = &column.measured;
    json!({
        "operations": measured.operations,
        "throughput": measured.throughput,
        "p50_ns": measured.p50_ns,
        "p99_ns": measured.p99_ns,
        "bytes_copied_per_op": measured.bytes_copied_per_op,
        "copies_per_op": measured.copies_per_op,
        "inlined_per_op": measured.inlined_per_op,
        "allocations_per_op": column.allocated,
    })
}

fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Copying => "copying",
        Mode::ZeroCopy => "zero-copy",
    }
}

fn row(out: &mut String, what: &str, columns: &[Column], say: fn(&Column) -> String) {
    let cells: String = columns.iter().map(|column| format!("{:>16}", say(column))).collect();
    line(out, format_args!("{what:<20}{cells}"));
}

pub(crate) fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = writeln!(out, "{text}");
}

/// Three digits where fewer would hide something; a zero is a zero.
pub(crate) fn significant(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 0.001 {
        format!("{value:.3}")
    } else {
        format!("{value:.1e}")
    }
}
