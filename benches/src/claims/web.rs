//! Document 000: a web framework like FastAPI, with a Rust core.

use std::io;

use super::{percent, port, ratio};
use crate::measure::{self, Effort, OURS};
use crate::ports::{Measured, Mode, WEB};
use crate::report::Claim;
use crate::stats::median_ratio;
use crate::target::Figures;
use crate::web::{FASTAPI, Outcome, ROUTES, by_volume, copies, ours};

/// How many times the speed of FastAPI the document has.
const TIMES: f64 = 3.2;

pub(super) fn all(effort: Effort, ports: &[Measured], web: &Outcome) -> io::Result<Vec<Claim>> {
    let mut claims: Vec<Claim> = faster(&web.rows).into_iter().collect();
    if let Some(port) = port(ports, WEB) {
        let volumes = [1, 10, 100].map(|times| times * effort.requests);
        let costs = by_volume(&ours(Mode::ZeroCopy)?, &volumes)?;
        let modes = [::web::Mode::Copying, ::web::Mode::ZeroCopy];
        let [with, without] = modes.map(copies::copies);
        claims.extend([
            copies(with?, without?),
            allocations(port),
            memory(port, web.fastapi_peak_rss),
            latency(port),
            linear(&volumes, &costs),
        ]);
    }
    Ok(claims)
}

fn claim(claim: &str, holds: bool, measured: String, how: &str) -> Claim {
    super::claim("000", claim, holds, measured, how)
}

/// What FastAPI costs over what we cost, for each route; nothing where we were not measured.
fn faster(rows: &[measure::Measured]) -> Option<Claim> {
    const TEXT: &str = "3.2x FastAPI performance";
    let rows = rows.iter().filter(|row| ROUTES.iter().any(|route| route.id == row.id));
    let rows: Vec<_> = rows.filter(|row| row.rounds(OURS).is_some()).collect();
    if rows.is_empty() {
        return None;
    }
    let ratio = |row: &&measure::Measured| {
        row.other(FASTAPI).map(|fastapi| (row.id.clone(), median_ratio(fastapi, row.ours())))
    };
    let ratios: Vec<_> = rows.iter().filter_map(ratio).collect();
    let each = ratios.iter().map(|(id, times)| format!("{times:.1}x for {id}"));
    let mut found = claim(
        TEXT,
        ratios.iter().all(|(_, times)| *times >= TIMES),
        each.collect::<Vec<_>>().join(", "),
        "CPU per request of the server, uvicorn with one worker beside ours on one thread, under the \
         same load of 32 connections; holds if every route is at least so many times as cheap",
    );
    if ratios.is_empty() {
        found.verdict = "not comparable";
        found.measured = "FastAPI was not measured".into();
    }
    Some(found)
}

/// How often a text is copied in JSON, and handed over, with the document's copies and without.
fn copies(with: [f64; 2], without: [f64; 2]) -> Claim {
    claim(
        "5+ memory copies per request, none of them needed",
        with[0] >= 5.0 && without[0] == 0.0,
        format!(
            "{:.1} copies of a text from the path into JSON, {:.1} without those of the document; into \
             an answer that is handed over {:.1} and {:.1}",
            with[0], without[0], with[1], without[1]
        ),
        "the meter, bytes copied over the text's: the copying mode makes the copies that the document \
         lists (request, path, field, answer, output); holds if JSON needs none",
    )
}

fn allocations(measured: &Measured) -> Claim {
    let port = &measured.port;
    let (with, without) = (port.copying.allocations_per_op, port.zero_copy.allocations_per_op);
    let saved = percent(1.0 - without / with);
    claim(
        "80% memory allocation reduction",
        saved >= 80.0,
        format!("{saved:.0}% fewer: {without:.3} against {with:.2} allocations per request"),
        "a counting allocator in a pass of its own, in steady state",
    )
}

fn memory(measured: &Measured, fastapi: Option<u64>) -> Claim {
    let port = &measured.port;
    let (with, without) = (port.copying.peak_rss_bytes, port.zero_copy.peak_rss_bytes);
    let beside = fastapi
        .map_or_else(String::new, |peak| format!("; FastAPI under uvicorn {} MiB", peak >> 20));
    claim(
        "memory: 45MB before, 12MB after",
        ratio(without, with) <= 12.0 / 45.0,
        format!("{} MiB with copies, {} MiB without{beside}", with >> 20, without >> 20),
        "the most memory that a process of server and load held in either mode, 32 connections; \
         holds if the mode without copies needs at most 12/45 of the other",
    )
}

fn latency(measured: &Measured) -> Claim {
    let figures = &measured.port.zero_copy;
    claim(
        "consistent sub-millisecond latency",
        figures.p99_ns < 1e6,
        format!("p50 {:.0} us, p99 {:.0} us", figures.p50_ns / 1e3, figures.p99_ns / 1e3),
        "seen by the load over loopback, 32 requests on their way at any time; holds if 99 in 100 \
         take less than a millisecond",
    )
}

fn linear(volumes: &[u64], costs: &[f64]) -> Claim {
    let first = costs.first().copied().unwrap_or(f64::NAN);
    let each = volumes.iter().zip(costs);
    let each = each.map(|(requests, us)| format!("{us:.2} us for {requests}"));
    claim(
        "linear scalability with request volume",
        costs.iter().all(|us| (us / first - 1.0).abs() <= 0.1),
        format!("CPU per request: {}", each.collect::<Vec<_>>().join(", ")),
        "one, ten and a hundred times as many requests to one server of one thread; holds if a \
         request costs within a tenth of what it costs among the fewest",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Rounds;
    use crate::report::{Port, PortFigures};
    use crate::target::Target;

    fn port(copying: PortFigures, zero_copy: PortFigures) -> Measured {
        let port = Port {
            id: WEB.into(),
            workload: "requests".into(),
            unit: "requests/s".into(),
            copying,
            zero_copy,
        };
        Measured { port, copying_grew: 0, zero_copy_grew: 0, rows: vec![] }
    }

    fn figures(each: f64) -> PortFigures {
        PortFigures {
            copies_per_op: each,
            allocations_per_op: each,
            p99_ns: each * 1e6,
            peak_rss_bytes: 1 << 20,
            ..PortFigures::default()
        }
    }

    fn row(id: &str, ours: f64, fastapi: Option<f64>) -> measure::Measured {
        let rounds = |key, us| Rounds { key, note: "", ns: vec![us; 3] };
        let mut subjects = vec![rounds(OURS, ours)];
        subjects.extend(fastapi.map(|us| rounds(FASTAPI, us)));
        measure::Measured { id: id.into(), target: Target(&[]), floor: "", unit: "us", subjects }
    }

    #[test]
    fn verdicts_follow_the_figures() {
        let good = port(figures(5.0), figures(0.0));
        let bad = port(figures(4.9), figures(1.0));
        for (claim, verdicts) in [
            (allocations as fn(&Measured) -> Claim, ["holds", "does not hold"]),
            (latency, ["holds", "does not hold"]),
        ] {
            assert_eq!([&good, &bad].map(|port| claim(port).verdict), verdicts);
        }
    }

    #[test]
    fn five_copies_are_five_of_a_text_and_none_is_none() {
        for (with, without, verdict) in [
            ([5.0, 4.0], [0.0, 1.0], "holds"),
            ([5.0, 5.0], [1.0, 0.0], "does not hold"),
            ([4.9, 5.0], [0.0, 0.0], "does not hold"),
        ] {
            assert_eq!(copies(with, without).verdict, verdict);
        }
    }

    #[test]
    fn nothing_saved_of_nothing_is_no_saving() {
        assert_eq!(allocations(&port(figures(0.0), figures(0.0))).verdict, "does not hold");
    }

    #[test]
    fn memory_is_held_to_the_documents_ratio() {
        let with = |mebibytes: u64| PortFigures {
            peak_rss_bytes: mebibytes << 20,
            ..PortFigures::default()
        };
        assert_eq!(memory(&port(with(45), with(12)), None).verdict, "holds");
        let claim = memory(&port(with(45), with(13)), Some(50 << 20));
        assert_eq!(claim.verdict, "does not hold");
        assert_eq!(
            claim.measured,
            "45 MiB with copies, 13 MiB without; FastAPI under uvicorn 50 MiB"
        );
    }

    #[test]
    fn linear_is_the_same_cost_at_every_volume() {
        assert_eq!(linear(&[1, 10, 100], &[5.0, 5.4, 4.6]).verdict, "holds");
        assert_eq!(linear(&[1, 10, 100], &[5.0, 5.4, 5.6]).verdict, "does not hold");
    }

    #[test]
    fn every_route_has_to_be_so_much_cheaper() {
        let rows = [row("web.get", 10.0, Some(33.0)), row("web.get.p50", 10.0, Some(1.0))];
        let claim = faster(&rows).expect("a row of ours");
        assert_eq!((claim.verdict, &*claim.measured), ("holds", "3.3x for web.get"));
        let rows = [row("web.get", 10.0, Some(33.0)), row("web.post", 10.0, Some(31.0))];
        assert_eq!(faster(&rows).expect("rows of ours").verdict, "does not hold");
    }

    #[test]
    fn without_fastapi_nothing_is_compared() {
        let claim = faster(&[row("web.get", 10.0, None)]).expect("a row of ours");
        assert_eq!(claim.verdict, "not comparable");
        assert!(faster(&[]).is_none());
    }
}
