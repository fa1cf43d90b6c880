//! The example systems: copying against zero-copy.

use std::io;

use maud::{Markup, html};

use super::axis::figure;
use super::figures;
use super::plot::{Line, Panel, Plot, Role};
use crate::report::{Port, PortFigures};

/// One figure of a mode: its name, what it counts where that is not the port's own unit, whether more
/// of it is better, and how to get it.
struct Figure {
    name: &'static str,
    unit: &'static str,
    more: bool,
    of: fn(&PortFigures) -> f64,
}

const FIGURES: [Figure; 8] = [
    Figure { name: "throughput", unit: "", more: true, of: |mode| mode.throughput },
    less("p50", "us", |mode| mode.p50_ns / 1e3),
    less("p99", "us", |mode| mode.p99_ns / 1e3),
    less("bytes copied", "B per operation", |mode| mode.bytes_copied_per_op),
    less("copies", "per operation", |mode| mode.copies_per_op),
    less("moved inline", "per operation", |mode| mode.inlined_per_op),
    less("allocations", "per operation", |mode| mode.allocations_per_op),
    less("peak RSS", "MiB", mebibytes),
];

const fn less(name: &'static str, unit: &'static str, of: fn(&PortFigures) -> f64) -> Figure {
    Figure { name, unit, more: false, of }
}

#[expect(clippy::cast_precision_loss, reason = "no process holds 2^53 bytes")]
fn mebibytes(mode: &PortFigures) -> f64 {
    mode.peak_rss_bytes as f64 / f64::from(1 << 20)
}

/// All ports; nothing where there are none.
pub(super) fn all(ports: &[Port]) -> io::Result<Markup> {
    let each = ports.iter().map(one).collect::<io::Result<Vec<_>>>()?;
    Ok(html! {
        @if !each.is_empty() {
            section {
                h2 { "Ports" }
                p.muted {
                    "The example systems in both modes, each in a process of its own; allocations \
                     are counted in another. The plots show the zero-copy mode relative to the \
                     copying one: \u{2191} more is better, \u{2193} less is better."
                }
                @for port in each { (port) }
            }
        }
    })
}

fn one(port: &Port) -> io::Result<Markup> {
    let plot = Plot {
        axis: "zero-copy / copying, \u{d7}".into(),
        from_zero: true,
        panels: vec![Panel {
            title: String::new(),
            target: None,
            limits: vec![],
            lines: FIGURES.iter().map(|figure| line(figure, port)).collect(),
        }],
    };
    let name = format!("{}: zero-copy relative to copying", port.id);
    Ok(html! {
        h3 { (port.id) }
        p { (port.workload) }
        (figures(&plot, &name)?)
        div.scroll tabindex="0" role="region" aria-label={ "Figures of " (port.id) } {
            (table(port))
        }
    })
}

/// From one to the ratio of the modes; without a dot where the copying mode has none of it.
fn line(figure: &Figure, port: &Port) -> Line {
    let arrow = if figure.more { '\u{2191}' } else { '\u{2193}' };
    let ratio = (figure.of)(&port.zero_copy) / (figure.of)(&port.copying);
    Line { name: format!("{} {arrow}", figure.name), role: Role::Ours, from: 1.0, to: ratio }
}

fn table(port: &Port) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "figure" }
                    th.number scope="col" { "copying" }
                    th.number scope="col" { "zero-copy" }
                }
            }
            tbody {
                @for each in &FIGURES {
                    tr {
                        th.figure scope="row" {
                            (each.name) " "
                            span.muted { (if each.unit.is_empty() { &port.unit } else { each.unit }) }
                        }
                        td.number { (figure((each.of)(&port.copying))) }
                        td.number { (figure((each.of)(&port.zero_copy))) }
                    }
                }
            }
        }
    }
}
