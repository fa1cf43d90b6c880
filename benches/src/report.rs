//! The report as data: what `--json` writes.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde::Serialize;

use crate::machine::Machine;
use crate::measure::{Measured, OURS};
use crate::stats::Summary;

/// The version of this shape.
pub const SCHEMA: u32 = 1;

/// Everything that one run found out.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Where it ran.
    pub machine: Machine,
    /// The rows.
    pub operations: Vec<Operation>,
    /// The example systems.
    pub ports: Vec<Port>,
    /// What the documents claim, and what was found.
    pub claims: Vec<Claim>,
}

/// A row.
#[derive(Debug, Serialize)]
pub struct Operation {
    /// Its name.
    pub id: String,
    /// What its figures count: nanoseconds nearly always.
    pub unit: &'static str,
    /// Whether less or more of the unit is better.
    pub better: &'static str,
    /// Our figures; the anchor's own in its row.
    pub ours: Summary,
    /// The peers' figures by their keys.
    pub peers: BTreeMap<&'static str, Summary>,
    /// What the operation cannot be quicker than.
    pub floor: Option<Floor>,
    /// What we are held to, as text; empty where the row only informs.
    pub target: String,
    /// Whether that holds, by this row's figures.
    pub met: bool,
    /// Where the target's conditions lie, by this row's figures; for the page.
    #[serde(skip)]
    pub limits: Vec<f64>,
    /// What entrants do less, or otherwise, by their keys; for the page.
    #[serde(skip)]
    pub notes: BTreeMap<&'static str, &'static str>,
}

/// The least that a row's operation can cost.
#[derive(Debug, Serialize)]
pub struct Floor {
    /// What it is.
    pub name: &'static str,
    /// Its median.
    pub median: f64,
}

/// An example system in both its modes.
#[derive(Clone, Debug, Serialize)]
pub struct Port {
    /// Its name.
    pub id: String,
    /// What it worked on.
    pub workload: String,
    /// What its throughput counts.
    pub unit: String,
    /// With the copies that the document describes.
    pub copying: PortFigures,
    /// Without them.
    pub zero_copy: PortFigures,
}

/// One mode of an example system.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PortFigures {
    /// Units per second.
    pub throughput: f64,
    /// Half of the operations took at most this.
    pub p50_ns: f64,
    /// All but one in a hundred took at most this.
    pub p99_ns: f64,
    /// Payload bytes copied, by the meter.
    pub bytes_copied_per_op: f64,
    /// Copies, by the meter.
    pub copies_per_op: f64,
    /// Short slices moved inline.
    pub inlined_per_op: f64,
    /// Allocations, counted in a run of their own.
    pub allocations_per_op: f64,
    /// The most memory that the process held.
    pub peak_rss_bytes: u64,
}

/// What a document claims, beside what was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Claim {
    /// The document's number.
    pub document: &'static str,
    /// What it says.
    pub claim: String,
    /// What was found.
    pub measured: String,
    /// `holds`, `does not hold` or `not comparable`.
    pub verdict: &'static str,
    /// How it was measured.
    pub how: String,
}

impl Operation {
    /// The row as the report has it; nothing for a row that has no entry of ours.
    #[must_use]
    pub fn of(measured: &Measured, rmw_ns: f64) -> Option<Self> {
        let ours = Summary::of(&measured.rounds(OURS)?.ns);
        let mut peers = BTreeMap::new();
        let mut floor = None;
        for rounds in &measured.subjects {
            let summary = Summary::of(&rounds.ns);
            if rounds.key == measured.floor {
                floor = Some(Floor { name: rounds.key, median: summary.median });
            } else if rounds.key != OURS {
                peers.insert(rounds.key, summary);
            }
        }
        Some(Self {
            id: measured.id.clone(),
            unit: measured.unit,
            better: "lower",
            ours,
            peers,
            floor,
            target: measured.target.to_string(),
            met: measured.target.met(measured, rmw_ns),
            limits: measured.target.limits(measured, rmw_ns),
            notes: measured.subjects.iter().map(|rounds| (rounds.key, rounds.note)).collect(),
        })
    }
}

impl Report {
    /// Whether nothing was measured.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty() && self.ports.is_empty() && self.claims.is_empty()
    }

    /// Writes the report, making the folder where it is missing.
    ///
    /// # Errors
    ///
    /// What the file system answers.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)?;
        }
        let mut file = BufWriter::new(File::create(path)?);
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.flush()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::measure::Rounds;
    use crate::target::{Bound, Target};

    fn measured() -> Measured {
        let rounds = |key, ns: [f64; 3]| Rounds { key, note: "", ns: ns.to_vec() };
        Measured {
            id: "pool.get_freeze_drop.4096".into(),
            target: Target(&[Bound::Median(3.0), Bound::Faster(7.5, "bytes")]),
            floor: "Vec alone",
            unit: "ns",
            subjects: vec![
                rounds(OURS, [2.0, 3.0, 2.5]),
                rounds("bytes", [20.0, 30.0, 25.0]),
                rounds("Vec alone", [1.0, 1.0, 2.0]),
            ],
        }
    }

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().expect("an object").keys().map(String::as_str).collect()
    }

    #[test]
    fn an_operation_has_the_shape_of_the_design() {
        let operation = Operation::of(&measured(), 4.8).expect("there is an entry of ours");
        assert_eq!(
            serde_json::to_value(operation).expect("plain data"),
            json!({
                "id": "pool.get_freeze_drop.4096", "unit": "ns", "better": "lower",
                "ours": {"min": 2.0, "median": 2.5},
                "peers": {"bytes": {"min": 20.0, "median": 25.0}},
                "floor": {"name": "Vec alone", "median": 1.0},
                "target": "<= 3 ns * rmw_ns / 4.8, >= 7.5x bytes", "met": true,
            })
        );
    }

    #[test]
    fn met_comes_from_the_row() {
        let mut slow = measured();
        slow.subjects[0].ns = vec![3.0, 3.5, 4.0];
        assert!(!Operation::of(&slow, 4.8).expect("ours").met);
        slow.subjects.remove(0);
        assert!(Operation::of(&slow, 4.8).is_none());
    }

    #[test]
    fn a_report_has_the_shape_of_the_design() {
        let figures = PortFigures::default();
        let report = Report {
            schema: SCHEMA,
            machine: Machine::here(4.8),
            operations: vec![],
            ports: vec![Port {
                id: "patterns.packets".into(),
                workload: "a capture".into(),
                unit: "packets/s".into(),
                copying: figures.clone(),
                zero_copy: figures,
            }],
            claims: vec![],
        };
        let value = serde_json::to_value(report).expect("plain data");
        assert_eq!(keys(&value), ["claims", "machine", "operations", "ports", "schema"]);
        assert_eq!(
            keys(&value["machine"]),
            ["commit", "cores", "cpu", "kernel", "rmw_ns", "rustc"]
        );
        let port = &value["ports"][0];
        assert_eq!(keys(port), ["copying", "id", "unit", "workload", "zero_copy"]);
        assert_eq!(
            keys(&port["zero_copy"]),
            [
                "allocations_per_op",
                "bytes_copied_per_op",
                "copies_per_op",
                "inlined_per_op",
                "p50_ns",
                "p99_ns",
                "peak_rss_bytes",
                "throughput",
            ]
        );
    }
}
