//! Document 002: msgpack calls over ZeroMQ.

use super::{percent, port};
use crate::ports::{Measured, UVRPC, UVRPC_LARGE, UVRPC_MESSAGES};
use crate::report::{Claim, PortFigures};
use crate::uvrpc::{LARGE, SMALL};

pub(super) fn all(ports: &[Measured]) -> Vec<Claim> {
    let mut claims = Vec::new();
    if let Some(messages) = port(ports, UVRPC_MESSAGES) {
        claims.extend([
            fewer("serialisation: 2 allocations per request to 1, 50% fewer", 50.0, messages),
            faster("serialisation of small messages: 30-40% faster", 30.0, messages),
        ]);
    }
    if let Some(calls) = port(ports, UVRPC) {
        claims.extend([
            copies(calls),
            faster("async/await throughput: 20-30% better", 20.0, calls),
            rate("async throughput: from 100K to 130K calls/s", 130e3, 30.0, calls),
            rate("throughput with pooled buffers: from 100K to 150K calls/s", 150e3, 50.0, calls),
            fewer("malloc/free calls: from 100K/s to 20K/s, 80% fewer", 80.0, calls),
            fewer("a pool for each thread: 50-70% fewer malloc/free calls", 50.0, calls),
            bandwidth("memory bandwidth: 200 MB/s to 120 MB/s, 40% less", 40.0, SMALL, calls),
        ]);
    }
    if let Some(large) = port(ports, UVRPC_LARGE) {
        claims.extend([
            bandwidth("large responses: 40-50% less memory bandwidth", 40.0, LARGE, large),
            faster("response-heavy workloads: 20-30% more throughput", 20.0, large),
        ]);
    }
    claims
}

fn claim(claim: &str, holds: bool, measured: String, how: &str) -> Claim {
    super::claim("002", claim, holds, measured, how)
}

fn copies(measured: &Measured) -> Claim {
    let port = &measured.port;
    let figures = |mode: &PortFigures| format!("{:.2}", mode.copies_per_op);
    claim(
        "response payload copies: 100% eliminated, in callbacks and in async/await",
        port.zero_copy.bytes_copied_per_op == 0.0,
        format!(
            "{} copies per call with the document's, {} without",
            figures(&port.copying),
            figures(&port.zero_copy)
        ),
        "the meter, client and server together; holds if not one byte is copied",
    )
}

/// At least so many percent fewer allocations.
fn fewer(text: &str, least: f64, measured: &Measured) -> Claim {
    let port = &measured.port;
    let (with, without) = (port.copying.allocations_per_op, port.zero_copy.allocations_per_op);
    let saved = percent(1.0 - without / with);
    claim(
        text,
        saved >= least,
        format!("{saved:.0}% fewer: {without:.3} against {with:.2}"),
        &format!(
            "{} ({}), a counting allocator in a pass of its own; holds if {least:.0}% or more are saved",
            port.id, port.workload
        ),
    )
}

/// At least so many percent faster: the document gives ranges for what is to be gained.
fn faster(text: &str, least: f64, measured: &Measured) -> Claim {
    let port = &measured.port;
    let gain = percent(port.zero_copy.throughput / port.copying.throughput - 1.0);
    claim(
        text,
        gain >= least,
        format!(
            "{gain:+.0}%: {:.0} against {:.0} {}",
            port.zero_copy.throughput, port.copying.throughput, port.unit
        ),
        &format!(
            "{} ({}), each mode in processes of its own, the best of five; holds from +{least:.0}%",
            port.id, port.workload
        ),
    )
}

/// As many calls per second, and as much more than with the copies.
fn rate(text: &str, calls: f64, least: f64, measured: &Measured) -> Claim {
    let found = faster(text, least, measured);
    let reached = measured.port.zero_copy.throughput >= calls;
    Claim { verdict: if reached { found.verdict } else { "does not hold" }, ..found }
}

/// At least so many percent less.
fn bandwidth(text: &str, least: f64, payload: usize, measured: &Measured) -> Claim {
    // Each of four times that a byte goes into a socket's buffers or out of them it is read and written
    // once, and so it is by each copy.
    #[expect(clippy::cast_precision_loss, reason = "a payload is far below 2^53 bytes")]
    let crossings = |mode: &PortFigures| 2.0 * (4.0 + mode.bytes_copied_per_op / payload as f64);
    let port = &measured.port;
    let (with, without) = (crossings(&port.copying), crossings(&port.zero_copy));
    let saved = percent(1.0 - without / with);
    claim(
        text,
        saved >= least,
        format!(
            "{saved:.0}% less: {without:.1} bytes against {with:.1} for each one that is echoed"
        ),
        &format!(
            "{}: copies of client and server by the meter, each read and written once, plus the kernel's \
             four, which are the same in both modes; holds from {least:.0}%",
            port.id
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Port;

    fn port(copying: PortFigures, zero_copy: PortFigures) -> Measured {
        let (id, workload, unit) = (UVRPC.into(), "echo".into(), "calls/s".into());
        let port = Port { id, workload, unit, copying, zero_copy };
        Measured { port, copying_grew: 0, zero_copy_grew: 0, rows: vec![] }
    }

    fn figures(throughput: f64, bytes_copied_per_op: f64, allocations_per_op: f64) -> PortFigures {
        PortFigures {
            throughput,
            bytes_copied_per_op,
            allocations_per_op,
            ..PortFigures::default()
        }
    }

    #[test]
    fn verdicts_follow_the_figures() {
        let with = figures(100e3, 8192.0, 9.0);
        let good = port(with.clone(), figures(160e3, 0.0, 1.0));
        let bad = port(with, figures(119e3, 6000.0, 5.0));
        let of = |claim: fn(&Measured) -> Claim| [&good, &bad].map(|port| claim(port).verdict);
        for claim in [
            copies,
            |port| fewer("", 50.0, port),
            |port| faster("", 20.0, port),
            |port| rate("", 150e3, 50.0, port),
            |port| bandwidth("", 40.0, SMALL, port),
        ] as [fn(&Measured) -> Claim; 5]
        {
            assert_eq!(of(claim), ["holds", "does not hold"]);
        }
    }

    #[test]
    fn a_rate_is_reached_or_not_whatever_the_gain() {
        let slow = port(figures(50e3, 0.0, 0.0), figures(100e3, 0.0, 0.0));
        assert_eq!(rate("", 130e3, 30.0, &slow).verdict, "does not hold");
    }

    #[test]
    fn eight_copies_are_two_thirds_of_all_crossings() {
        let found =
            bandwidth("", 40.0, SMALL, &port(figures(1.0, 8192.0, 0.0), figures(1.0, 0.0, 0.0)));
        assert_eq!(found.measured, "67% less: 8.0 bytes against 24.0 for each one that is echoed");
    }
}
