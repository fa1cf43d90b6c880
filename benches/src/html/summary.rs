//! What a first-time reader wants to know: what a copy costs, and who is quickest.

use maud::{Markup, html};

use super::axis::figure;
use crate::measure::OURS;
use crate::report::Operation;

/// Rows whose identifier says little to a newcomer, in words.
const HEADLINES: [(&str, &str); 9] = [
    ("pool.get_freeze_drop.4096", "A block of 4 KiB: taken, shared, given back"),
    ("pool.cross_thread.4096", "The same, given back by another thread"),
    ("slice.clone_drop", "One more handle on some bytes, and one less"),
    ("slice.copy_drop.16", "16 bytes of one\u{2019}s own"),
    ("sequence.read_u32.straddle", "An integer that lies across two pieces"),
    ("sequence.find_newline.65536", "The end of a line, 64 KiB of pieces away"),
    ("pipe.ping_pong", "A few bytes there and back, by two pipes"),
    ("ring.event", "An event through a ring"),
    ("web.get", "A GET request, answered"),
];

/// Who is nearer than this to the quickest is as quick, by all that one run can say.
const LEVEL: f64 = 1.02;

/// Modes of our own that stand among the peers.
fn is_ours(peer: &str) -> bool {
    peer.starts_with(OURS) || peer == "copying"
}

/// Nothing where a run has none of the rows.
pub(super) fn all(operations: &[Operation]) -> Markup {
    html! { (copies(operations)) (quickest(operations)) }
}

fn copies(operations: &[Operation]) -> Markup {
    let rows: Vec<(&str, &Operation)> =
        operations.iter().filter_map(|row| Some((row.id.strip_prefix("share.")?, row))).collect();
    let Some((bytes, last)) = rows.last() else { return html! {} };
    let price = |row: &Operation, how| row.peers.get(how).map_or(f64::NAN, |peer| peer.median);
    let unit = last.unit;
    html! {
        section {
            h2 { "Share or copy " span.muted { (unit) ", lower is better" } }
            p {
                "To share " (bytes) " bytes costs " strong { (figure(last.ours.median)) " " (unit) }
                ", to copy them " strong { (figure(price(last, "copied"))) " " (unit) }
                ", or " (figure(price(last, "copied-cold"))) " where they come from memory and not from \
                 the cache."
            }
            div.scroll tabindex="0" role="region" aria-label="Prices of copies and of handles" {
                table {
                    thead {
                        tr {
                            th.number scope="col" { "bytes" }
                            th.number scope="col" { "share them" }
                            th.number scope="col" { "copy them" }
                            th.number scope="col" { "\u{2026} from memory" }
                        }
                    }
                    tbody {
                        @for (bytes, row) in rows {
                            tr {
                                th.number scope="row" { (bytes) }
                                td.number.best.ours { (figure(row.ours.median)) }
                                td.number { (figure(price(row, "copied"))) }
                                td.number { (figure(price(row, "copied-cold"))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn quickest(operations: &[Operation]) -> Markup {
    let found = |id| operations.iter().enumerate().find(|(_, row)| row.id == id);
    let rows: Vec<_> =
        HEADLINES.iter().filter_map(|(id, words)| Some((*words, found(*id)?))).collect();
    html! {
        @if !rows.is_empty() {
            section {
                h2 { "Who is quickest " span.muted { "CPU time, lower is better" } }
                div.scroll tabindex="0" role="region" aria-label="The quickest of each" {
                    table {
                        thead {
                            tr {
                                th scope="col" { "operation" }
                                th.number scope="col" { "Aqueduct" }
                                th.number scope="col" { "the quickest other" }
                                th.number scope="col" { code { "bytes" } }
                            }
                        }
                        tbody { @for (words, (index, row)) in rows { (headline(words, index, row)) } }
                    }
                }
                p.muted { "* does less, or otherwise: see its note among the figures below." }
            }
        }
    }
}

fn headline(words: &str, index: usize, row: &Operation) -> Markup {
    let others = row.peers.iter().filter(|(name, _)| !is_ours(name));
    let other = others.min_by(|a, b| a.1.median.total_cmp(&b.1.median));
    let first = other.is_none_or(|(_, other)| row.ours.median <= other.median * LEVEL);
    let second = other.is_some_and(|(_, other)| other.median <= row.ours.median * LEVEL);
    let star = |name: &str| if row.notes.contains_key(name) { " *" } else { "" };
    let price = |median| format!("{} {}", figure(median), row.unit);
    html! {
        tr {
            th.figure scope="row" { a href={ "#row-" (index) } { (words) } }
            td.number.ours.best[first] { (price(row.ours.median)) }
            td.number.best[second] {
                @if let Some((name, peer)) = other { (price(peer.median)) br; (name) (star(name)) }
            }
            td.number { @if let Some(peer) = row.peers.get("bytes") { (price(peer.median)) } }
        }
    }
}
