//! Document 003: the dataflow graph.

use aqueduct::Slice;
use bytes::Bytes;

use super::{items, percent};
use crate::measure::{Effort, Measured as Rows, OURS};
use crate::report::Claim;
use crate::stats::{Summary, median_difference, median_ratio};
use crate::target::{Figures, REFERENCE_RMW_NS};
use crate::weave::{CLONING, COPYING, EVENT, FAN_OUT, HOP, REMOTE};

/// Edges between the four nodes.
const EDGES: f64 = 3.0;

pub(super) fn all(effort: Effort, rows: &[Rows], rmw_ns: f64) -> Vec<Claim> {
    let row = |id| rows.iter().find(|row| row.id == id);
    let [small, middle, large] = EVENT.map(|(id, _)| row(id));
    let mut claims = Vec::new();
    if let Some(large) = large {
        claims.extend([processor(large), throughput(large), now(large)]);
    }
    claims.extend(row(HOP).into_iter().flat_map(|row| [latency(row), below_a_microsecond(row)]));
    claims.extend(small.map(json));
    claims.extend(middle.map(|middle| rate(middle, rmw_ns)));
    if let (Some(middle), Some(remote)) = (middle, row(REMOTE[0].0)) {
        claims.push(beside_distributed(middle, remote));
    }
    if let [Some(one), Some(ten)] = FAN_OUT.map(|(id, ..)| row(id)) {
        claims.extend([memory(one), overhead(one), fan_out(ten)]);
    }
    if !claims.is_empty() {
        claims.extend([shared_count(rmw_ns), inline(), industry()]);
        claims.extend(items::all(effort));
        claims.extend(REFUSED.map(|(text, why)| not_comparable(text, "not built".into(), why)));
    }
    claims
}

pub(super) fn claim(claim: &str, holds: bool, measured: String, how: &str) -> Claim {
    super::claim("003", claim, holds, measured, how)
}

/// A claim that this run cannot judge.
fn not_comparable(text: &str, measured: String, why: &str) -> Claim {
    Claim { verdict: "not comparable", ..claim(text, false, measured, why) }
}

/// What the document asks for and the example does not have.
const REFUSED: [(&str, &str); 4] = [
    (
        "use_shared_memory, for maximum performance between threads",
        "threads of one process share their memory already: a queue hands over the handle, and nothing is \
         left that another kind of memory could save",
    ),
    (
        "a pool of Arcs avoids allocation in hot paths",
        "the count of a payload stands in its pooled block: sharing allocates nothing that a pool of counts \
         could save",
    ),
    (
        "zstd as a choice of compression",
        "LZ4 is the choice that is there: zstd would be a library in C for a ratio that a stream of small \
         items does not reach",
    ),
    (
        "unbounded channels where back-pressure is elsewhere",
        "a slow sink would take all memory: queues between threads have a bound",
    ),
];

fn saved(row: &Rows) -> f64 {
    percent(1.0 - median_ratio(row.ours(), row.other(COPYING).unwrap_or_default()))
}

fn median(row: &Rows, key: &str) -> f64 {
    Summary::of(row.other(key).unwrap_or_default()).median
}

fn processor(row: &Rows) -> Claim {
    let saved = saved(row);
    claim(
        "in process: 30-50% less CPU",
        saved >= 30.0,
        format!(
            "{saved:.1}% less: {:.0} ns for an event, {:.0} with JSON on each edge, {:.0} with a clone",
            median(row, OURS),
            median(row, COPYING),
            median(row, CLONING)
        ),
        "CPU time of the process, items of 4 KiB through source, map, filter and sink on one thread, medians; \
         holds if 30% are saved at least",
    )
}

fn throughput(row: &Rows) -> Claim {
    let times = |key| median_ratio(row.other(key).unwrap_or_default(), row.ours());
    claim(
        "in process: 2-5x throughput",
        times(COPYING) >= 2.0,
        format!("{:.0}x that of JSON, {:.1}x that of clones", times(COPYING), times(CLONING)),
        "the same; holds if it is twice as much at least",
    )
}

fn now(row: &Rows) -> Claim {
    not_comparable(
        "100K-500K events/s as it is, limited by serialization",
        format!("{:.0} events/s per core in the copying mode at 4 KiB", 1e9 / median(row, COPYING)),
        "the copying mode is JSON text around our operators, with bytes as base64, and says nothing of the \
         document's own system, which this report does not run; the original was seen to make 1.9 to 3.8 \
         million items/s of four bytes",
    )
}

fn latency(row: &Rows) -> Claim {
    let saved = saved(row);
    claim(
        "in process: 40-70% less latency",
        saved >= 40.0,
        format!(
            "{saved:.1}% less: half of the hops take {:.0} ns at most, {:.0} with JSON",
            median(row, OURS),
            median(row, COPYING)
        ),
        "from an emit to the next node's entry, a reading of the clock with it; items of 4 KiB on one thread; \
         holds if 40% are saved at least",
    )
}

fn below_a_microsecond(row: &Rows) -> Claim {
    let ours = median(row, OURS);
    claim(
        "sub-microsecond latency for zero-copy paths",
        ours < 1_000.0,
        format!("{ours:.0} ns for a hop"),
        "half of the hops on a fused edge, a reading of the clock with it; holds below 1,000 ns",
    )
}

fn json(row: &Rows) -> Claim {
    let other = |key| row.other(key).unwrap_or_default();
    let each = median_difference(other(COPYING), other(CLONING)) / EDGES;
    claim(
        "serialization to JSON takes 100-500 ns for an item",
        (100.0..=500.0).contains(&each),
        format!("{each:.0} ns for an item of 64 bytes and an edge, there and back"),
        "CPU of three edges with JSON less that of three with clones, a third of it; holds from 100 to 500",
    )
}

fn rate(row: &Rows, rmw_ns: f64) -> Claim {
    let (rate, scale) = (1e9 / median(row, OURS), rmw_ns / REFERENCE_RMW_NS);
    claim(
        "2M-10M events/s per core",
        rate * scale >= 2e6,
        format!(
            "{:.1} million per core, {:.1} where a locked add takes {REFERENCE_RMW_NS} ns",
            rate / 1e6,
            rate * scale / 1e6
        ),
        "items of 1 KiB, each written by its source, through four nodes in process; holds from 2 million on",
    )
}

fn beside_distributed(local: &Rows, remote: &Rows) -> Claim {
    let times = median_ratio(remote.ours(), local.ours());
    claim(
        "in process is 10-100x faster than distributed on the same machine",
        times >= 10.0,
        format!("{times:.1}x"),
        "time between items of 1 KiB at the sink, between two processes over loopback, over the time of an item \
         in one; holds from ten times on. The receiver has a core of its own, and items come in batches",
    )
}

fn memory(row: &Rows) -> Claim {
    let saved = saved(row);
    claim(
        "in process: 50-80% less memory",
        saved >= 50.0,
        format!(
            "{saved:.0}% less: {:.2} times an item, {:.2} with JSON",
            median(row, OURS),
            median(row, COPYING)
        ),
        "the most memory of the process beyond what it held before, while one item of 16 MiB goes through four \
         nodes: the copying mode has it, its text, and what is read of it, at once; holds if 50% are saved",
    )
}

fn overhead(row: &Rows) -> Claim {
    let (ours, copying) = (median(row, OURS), median(row, COPYING));
    claim(
        "<1.1x memory overhead, against 2-3x",
        ours <= 1.1 && copying >= 2.0,
        format!("{ours:.3}x against {copying:.2}x"),
        "the same; holds if it is 1.1 at most, and 2 at least with JSON",
    )
}

fn fan_out(row: &Rows) -> Claim {
    let (ours, copying) = (median(row, OURS), median(row, COPYING));
    claim(
        "fan-out of 10: from 10x memory to 1x, 60-90% less",
        copying >= 10.0 && ours <= 1.1,
        format!("{ours:.3}x against {copying:.2}x, {:.0}% less", percent(1.0 - ours / copying)),
        "the same with ten sinks behind the filter; holds if it is 1.1 at most, and 10 at least with JSON",
    )
}

fn shared_count(rmw_ns: f64) -> Claim {
    claim(
        "a clone of an Arc takes 1-2 ns",
        rmw_ns <= 2.0,
        format!("{rmw_ns:.1} ns for one locked add, and as much for the count down"),
        "the row anchor.rmw: a clone is one; holds to 2 ns",
    )
}

fn inline() -> Claim {
    const SHORT: [u8; 8] = *b"8 bytes.";
    let (bytes, slice) = (Bytes::copy_from_slice(&SHORT), Slice::copy_from_slice(&SHORT));
    let within = |handle: *const u8, size: usize, data: *const u8| {
        (handle.addr()..handle.addr() + size).contains(&data.addr())
    };
    let own = within((&raw const bytes).cast(), size_of::<Bytes>(), bytes.as_ptr());
    let ours = within((&raw const slice).cast(), size_of::<Slice>(), slice.as_ptr());
    let place = |inline| if inline { "in the handle" } else { "on the heap" };
    claim(
        "Bytes stores small buffers inline (<16 bytes)",
        own,
        format!("8 bytes of a Bytes are {}, of a Slice {}", place(own), place(ours)),
        "the address of the data beside that of the handle; a Slice has room for 23 bytes in it",
    )
}

fn industry() -> Claim {
    not_comparable(
        "Kafka 1M-2M, Flink 500K-2M, ZeroMQ 5M-10M events/s",
        "not run here".into(),
        "figures of other systems, on other machines and of other work, without a source in the document",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Rounds;
    use crate::target::Target;

    fn row(ours: f64, cloning: f64, copying: f64) -> Rows {
        let keys = [(OURS, ours), (CLONING, cloning), (COPYING, copying)];
        let subjects = keys.map(|(key, ns)| Rounds { key, note: "", ns: vec![ns; 3] });
        Rows {
            id: "row".into(),
            target: Target(&[]),
            floor: "",
            unit: "ns",
            subjects: subjects.into(),
        }
    }

    #[test]
    fn verdicts_follow_the_figures() {
        type Of = fn(&Rows) -> Claim;
        let cases: [(Of, [f64; 3], [f64; 3]); 8] = [
            (processor, [70.0, 0.0, 100.0], [71.0, 0.0, 100.0]),
            (throughput, [50.0, 60.0, 100.0], [51.0, 60.0, 100.0]),
            (latency, [60.0, 0.0, 100.0], [61.0, 0.0, 100.0]),
            (below_a_microsecond, [999.0, 0.0, 0.0], [1_000.0, 0.0, 0.0]),
            (json, [0.0, 100.0, 400.0], [0.0, 100.0, 1_900.0]),
            (memory, [1.0, 0.0, 2.0], [1.0, 0.0, 1.9]),
            (overhead, [1.1, 0.0, 2.0], [1.2, 0.0, 3.0]),
            (fan_out, [1.1, 0.0, 10.0], [1.1, 0.0, 9.0]),
        ];
        for (of, holds, does_not) in cases {
            let verdict = |[ours, cloning, copying]: [f64; 3]| {
                let found = of(&row(ours, cloning, copying));
                (found.verdict, found.claim)
            };
            assert_eq!(verdict(holds).0, "holds", "{}", verdict(holds).1);
            assert_eq!(verdict(does_not).0, "does not hold", "{}", verdict(does_not).1);
        }
    }

    #[test]
    fn a_rate_is_judged_on_the_machine_of_reference() {
        assert_eq!(rate(&row(500.0, 0.0, 0.0), 4.8).verdict, "holds");
        assert_eq!(rate(&row(500.0, 0.0, 0.0), 4.7).verdict, "does not hold");
        let found = beside_distributed(&row(50.0, 0.0, 0.0), &row(500.0, 0.0, 0.0));
        assert_eq!((found.verdict, &*found.measured), ("holds", "10.0x"));
    }

    #[test]
    fn short_buffers_are_where_they_are() {
        let found = inline();
        assert_eq!(found.verdict, "does not hold");
        assert_eq!(found.measured, "8 bytes of a Bytes are on the heap, of a Slice in the handle");
    }

    #[test]
    fn without_rows_nothing_is_claimed() {
        assert!(all(Effort::QUICK, &[], 4.8).is_empty());
    }
}
