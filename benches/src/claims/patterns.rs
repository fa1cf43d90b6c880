//! Document 001: the zero-copy patterns of .NET.

use std::hint::black_box;
use std::ops::RangeInclusive;

use aqueduct::{Slice, meter};
use patterns::workload::PIPELINE_BYTES;

use super::{medians, near, percent, port, ratio};
use crate::measure::{Effort, Measured as Rows, OURS, Subject, Work};
use crate::ports::{Measured, PACKETS, PIPELINE, RELAY};
use crate::relay::{COPYING, CPU_LARGE, LARGE};
use crate::report::{Claim, PortFigures};
use crate::stats::Summary;

/// The claims that need no port, by the ids that `--only` knows them by.
pub const COPY_1K: &str = "claims.copy_1k";
/// The document's three components over one buffer.
pub const BANDWIDTH: &str = "claims.bandwidth";

pub(super) fn all(
    wanted: impl Fn(&str) -> bool,
    effort: Effort,
    ports: &[Measured],
    rows: &[Rows],
) -> Vec<Claim> {
    let mut claims = Vec::new();
    if wanted(COPY_1K) {
        claims.push(copy_1k(effort));
    }
    if wanted(BANDWIDTH) {
        claims.push(bandwidth());
    }
    if let Some(pipeline) = port(ports, PIPELINE) {
        claims.extend([
            faster("pipeline: 20-40% faster processing", 20.0..=40.0, pipeline),
            pipeline_allocations(pipeline),
            pipeline_memory(pipeline),
        ]);
    }
    if let Some(packets) = port(ports, PACKETS) {
        claims.extend([
            faster(
                "packets: 20-50% faster, as operations that move a lot of data",
                20.0..=50.0,
                packets,
            ),
            packet_allocations(packets),
            packet_copies(packets),
        ]);
    }
    if let Some(relay) = port(ports, RELAY) {
        claims.extend([
            faster(
                "network data: 20-50% faster, as operations that move a lot of data",
                20.0..=50.0,
                relay,
            ),
            faster("network data: throughput 30-50% better", 30.0..=50.0, relay),
            relay_copies(relay),
            relay_bandwidth(relay),
        ]);
    }
    claims.extend(rows.iter().find(|row| row.id == CPU_LARGE).map(relay_cpu));
    claims
}

pub(super) fn claim(claim: &str, holds: bool, measured: String, how: &str) -> Claim {
    super::claim("001", claim, holds, measured, how)
}

/// A hot copy, from cache to cache, and a cold one, where every copy reads and writes memory that
/// was not touched for many megabytes.
fn copy_1k(effort: Effort) -> Claim {
    const KIB: usize = 1024;
    const COLD: usize = 64 << 20;
    let (from, mut to) = (vec![7_u8; KIB], vec![0_u8; KIB]);
    let hot = Work::each(move || {
        black_box(&mut to).copy_from_slice(black_box(&from));
    });
    let (from, mut to, mut at) = (vec![7_u8; COLD], vec![1_u8; COLD], 0_usize);
    let cold = Work::each(move || {
        // An odd multiple of the block, so that every block has its turn in an order that is not
        // the order in memory.
        at = (at + 40_503 * KIB) % COLD;
        black_box(&mut to[at..at + KIB]).copy_from_slice(black_box(&from[at..at + KIB]));
    });
    let subjects = vec![Subject::new("hot", hot), Subject::new("cold", cold)];
    let median = medians(COPY_1K, subjects, effort);
    let (hot, cold) = (median("hot"), median("cold"));
    let within = |ns: f64| (1_000.0..=10_000.0).contains(&ns);
    claim(
        "copying 1 KB takes 1-10 microseconds",
        within(hot) || within(cold),
        format!("{hot:.0} ns hot, {cold:.0} ns cold"),
        "1 KiB copied within the first-level cache, and between blocks of two 64 MiB arrays; \
         median of the rounds; holds if either lies in the range",
    )
}

/// The document's first example: three components that each want the same megabyte. Its count has
/// every copy read and written, but has nobody read what was copied, and counts one reading of the
/// shared buffer for all three; here every component reads what it was given.
fn bandwidth() -> Claim {
    const BYTES: usize = 1 << 20;
    const COMPONENTS: usize = 3;
    let block = Slice::from(vec![7_u8; BYTES]);
    let mut read = 0_u64;
    let mut component = |bytes: &[u8]| {
        read += bytes.len() as u64;
        black_box(bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>());
    };
    let before = meter::thread();
    for _ in 0..COMPONENTS {
        let mut own = vec![0; BYTES];
        aqueduct::copy(&mut own, &block);
        component(&own);
    }
    let copied = meter::thread();
    for _ in 0..COMPONENTS {
        component(&block.clone());
    }
    let shared = (meter::thread() - copied).bytes;
    let copied = (copied - before).bytes;
    let reading = read / 2;
    // A copied byte crosses twice: once read, once written.
    let (with, without) = (2 * copied + reading, 2 * shared + reading);
    let saved = percent(1.0 - ratio(without, with));
    claim(
        "zero-copy reduces memory bandwidth utilization by 83% (1MB vs 6MB)",
        saved >= 83.0,
        format!(
            "{saved:.0}% less: {} MiB against {} MiB, since every component also reads what it \
             was given; the copies alone are {} MiB against {}",
            without >> 20,
            with >> 20,
            (2 * copied) >> 20,
            (2 * shared) >> 20
        ),
        "three components sum the same 1 MiB, from copies of their own or from clones of one \
         slice; bytes copied by the meter, each read and written once, plus bytes read",
    )
}

/// A claim of being faster by so many percent. It is a range: who is off at its upper end is off.
pub(super) fn faster(text: &str, claimed: RangeInclusive<f64>, measured: &Measured) -> Claim {
    let port = &measured.port;
    let gain = percent(port.zero_copy.throughput / port.copying.throughput - 1.0);
    let holds = claimed.contains(&gain);
    let found = match gain {
        _ if holds => "as claimed",
        _ if gain > *claimed.end() => "faster than claimed",
        _ => "slower than claimed",
    };
    claim(
        text,
        holds,
        format!(
            "{gain:+.0}%: {:.0} against {:.0} {}",
            port.zero_copy.throughput, port.copying.throughput, port.unit
        ),
        &format!(
            "{} ({}), each mode in processes of its own that keep the memory they free, the \
             best of five; holds from +{:.0}% to +{:.0}%; it was {found}",
            port.id,
            port.workload,
            claimed.start(),
            claimed.end()
        ),
    )
}

fn pipeline_allocations(measured: &Measured) -> Claim {
    let port = &measured.port;
    let (with, without) = (port.copying.allocations_per_op, port.zero_copy.allocations_per_op);
    claim(
        "pipeline: 3 allocations with copies, 1 without",
        near(with, 3.0) && near(without, 1.0),
        format!("{with:.2} and {without:.2} allocations per run"),
        "a counting allocator in a pass of its own, in steady state",
    )
}

fn pipeline_memory(measured: &Measured) -> Claim {
    let input = PIPELINE_BYTES as u64;
    let with = ratio(measured.copying_grew, input);
    let without = ratio(measured.zero_copy_grew, input);
    claim(
        "pipeline: peak memory 4x the input with copies, 2x without",
        (with - 4.0).abs() <= 0.25 && (without - 2.0).abs() <= 0.25,
        format!("{with:.2}x and {without:.2}x the input"),
        "the most memory that the process held, less what it held before its input was made; \
         holds within a quarter of the input",
    )
}

fn packet_allocations(measured: &Measured) -> Claim {
    let port = &measured.port;
    let (with, without) = (port.copying.allocations_per_op, port.zero_copy.allocations_per_op);
    claim(
        "packets: header and payload without heap allocation",
        near(without, 0.0) && with > without,
        format!("{without:.4} allocations per packet, {with:.2} with copies"),
        "a counting allocator in a pass of its own, in steady state",
    )
}

fn packet_copies(measured: &Measured) -> Claim {
    let port = &measured.port;
    let (with, without) = (port.copying.bytes_copied_per_op, port.zero_copy.bytes_copied_per_op);
    claim(
        "packets: no data copying, references to the original buffer",
        without == 0.0 && with > 0.0,
        format!("{without:.1} payload bytes copied per packet, {with:.1} with copies"),
        "the meter; checked against what valgrind sees",
    )
}

fn relay_copies(measured: &Measured) -> Claim {
    let port = &measured.port;
    let per_byte = |figures: &PortFigures| figures.bytes_copied_per_op / LARGE as f64;
    let (with, without) = (per_byte(&port.copying), per_byte(&port.zero_copy));
    claim(
        "network data: copies reduced from 2-3 per chunk to 0",
        (2.0..=3.0).contains(&with) && without == 0.0,
        format!("{with:.2} and {without:.2} bytes copied per byte forwarded"),
        "the relay; the meter, checked against what valgrind sees; the kernel's own two copies, in and \
         out, are the same in both modes",
    )
}

/// Copies in user space are not all of it: the kernel copies each byte in and out, whoever asks.
fn relay_bandwidth(measured: &Measured) -> Claim {
    let port = &measured.port;
    // A copied byte crosses twice: once read, once written.
    let crossings =
        |figures: &PortFigures| 2.0 * (2.0 + figures.bytes_copied_per_op / LARGE as f64);
    let (with, without) = (crossings(&port.copying), crossings(&port.zero_copy));
    let saved = percent(1.0 - without / with);
    claim(
        "network data: 50% less memory bandwidth (83% in the document's first example)",
        (45.0..=55.0).contains(&saved),
        format!("{saved:.0}% less: {without:.1} bytes against {with:.1} for each one forwarded"),
        "the relay; copies in user space by the meter, each read and written once, plus the kernel's two, \
         which no pipe saves; holds from 45% to 55%",
    )
}

fn relay_cpu(row: &Rows) -> Claim {
    let median = |key| row.rounds(key).map_or(f64::NAN, |rounds| Summary::of(&rounds.ns).median);
    let (with, without) = (median(COPYING), median(OURS));
    let saved = percent(1.0 - without / with);
    let splice = median("splice");
    claim(
        "network data: 30-50% less CPU time",
        (30.0..=50.0).contains(&saved),
        format!(
            "{saved:.0}% less: {without:.0} against {with:.0} us per MiB; spliced, {splice:.0} us"
        ),
        "CPU time of the relay's thread, the kernel's work for it included, over messages of 64 KiB; \
         medians of the rounds; holds from 30% to 50%",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Rounds;
    use crate::report::Port;
    use crate::target::Target;

    fn measured(copying: PortFigures, zero_copy: PortFigures) -> Measured {
        let port = Port {
            id: PIPELINE.into(),
            workload: "an input".into(),
            unit: "runs/s".into(),
            copying,
            zero_copy,
        };
        let input = PIPELINE_BYTES as u64;
        Measured { port, copying_grew: 4 * input, zero_copy_grew: 2 * input, rows: vec![] }
    }

    #[test]
    fn a_range_holds_between_its_ends_only() {
        let at = |throughput| PortFigures { throughput, ..PortFigures::default() };
        for (throughput, verdict, found) in [
            (80.0, "does not hold", "it was slower than claimed"),
            (110.0, "does not hold", "it was slower than claimed"),
            (125.0, "holds", "it was as claimed"),
            (145.0, "does not hold", "it was faster than claimed"),
        ] {
            let claim = faster("x", 20.0..=40.0, &measured(at(100.0), at(throughput)));
            assert_eq!(claim.verdict, verdict, "{throughput}");
            assert!(claim.how.ends_with(found), "{throughput}: {}", claim.how);
            assert!(claim.how.contains("from +20% to +40%"), "{}", claim.how);
        }
    }

    #[test]
    fn verdicts_follow_the_figures() {
        let figures = |throughput, allocations_per_op| PortFigures {
            throughput,
            allocations_per_op,
            ..PortFigures::default()
        };
        let good = measured(figures(100.0, 3.0), figures(125.0, 1.0));
        let bad = measured(figures(100.0, 3.0), figures(110.0, 2.0));
        assert_eq!(pipeline_allocations(&good).verdict, "holds");
        assert_eq!(pipeline_allocations(&bad).verdict, "does not hold");
        assert_eq!(pipeline_memory(&good).verdict, "holds");
        assert_eq!(
            pipeline_memory(&Measured { zero_copy_grew: good.copying_grew, ..good }).verdict,
            "does not hold"
        );
    }

    #[test]
    fn the_relay_is_judged_by_bytes_and_by_the_clock() {
        let copied = |copies: f64| PortFigures {
            bytes_copied_per_op: copies * LARGE as f64,
            ..PortFigures::default()
        };
        let good = measured(copied(2.0), copied(0.0));
        assert_eq!(relay_copies(&good).verdict, "holds");
        let claim = relay_bandwidth(&good);
        assert_eq!(claim.verdict, "holds");
        assert!(claim.measured.contains("50% less: 4.0 bytes against 8.0"), "{}", claim.measured);
        let bad = measured(copied(1.0), copied(0.1));
        assert_eq!(relay_copies(&bad).verdict, "does not hold");
        assert_eq!(relay_bandwidth(&bad).verdict, "does not hold");
        let row = |us: [f64; 3]| Rows {
            id: CPU_LARGE.into(),
            target: Target(&[]),
            floor: "",
            unit: "us/MiB",
            subjects: [OURS, COPYING, "splice"]
                .into_iter()
                .zip(us)
                .map(|(key, us)| Rounds { key, note: "", ns: vec![us] })
                .collect(),
        };
        assert_eq!(relay_cpu(&row([60.0, 100.0, 30.0])).verdict, "holds");
        assert_eq!(relay_cpu(&row([80.0, 100.0, 30.0])).verdict, "does not hold");
        assert_eq!(relay_cpu(&row([10.0, 100.0, 30.0])).verdict, "does not hold");
    }

    #[test]
    fn the_bandwidth_example_counts_what_is_moved() {
        let claim = bandwidth();
        assert!(claim.measured.contains("3 MiB against 9 MiB"), "{}", claim.measured);
        assert!(claim.measured.contains("6 MiB against 0"), "{}", claim.measured);
    }
}
