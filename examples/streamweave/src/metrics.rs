//! [`Metrics`]: what went through a graph, node by node and edge by edge.

use crate::{Graph, edges::Count};
use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// What went through a graph, so far. Threads tell what they counted now and then, and at their end.
#[derive(Debug)]
pub struct Metrics {
    nodes: Vec<(String, [AtomicU64; 2])>,
    edges: Vec<Edge>,
    moves: AtomicU64,
    /// Both ends of all queues are in this process.
    whole: bool,
}

#[derive(Debug)]
struct Edge {
    from: String,
    to: String,
    /// Leads from one thread or process to another.
    queue: bool,
    counts: [AtomicU64; 4],
}

impl Metrics {
    pub(crate) fn new(graph: &Graph, stages: &[usize], whole: bool) -> Self {
        let end = |node: usize, port: &str| format!("{}:{port}", graph.nodes[node].name);
        Self {
            nodes: graph.names().map(|name| (name.to_owned(), Default::default())).collect(),
            edges: Vec::from_iter(graph.edges.iter().map(|edge| Edge {
                from: end(edge.from.0, &graph.nodes[edge.from.0].outputs[edge.from.1].name),
                to: end(edge.to.0, &graph.nodes[edge.to.0].inputs[edge.to.1].name),
                queue: stages[edge.from.0] != stages[edge.to.0],
                counts: Default::default(),
            })),
            moves: AtomicU64::new(0),
            whole,
        }
    }

    pub(crate) fn edge(&self, edge: usize, count: Count) {
        let news = [count.items, count.bytes, count.copied, count.taken];
        add(&self.edges[edge].counts, news);
    }

    pub(crate) fn node(&self, node: usize, items: u64, failures: u64) {
        add(&self.nodes[node].1, [items, failures]);
    }

    pub(crate) fn moved(&self) {
        self.moves.fetch_add(1, Relaxed);
    }

    /// How often workers of this process moved what holds no state.
    #[must_use]
    pub fn moves(&self) -> u64 {
        self.moves.load(Relaxed)
    }

    /// Items that a node gave, if it is a source, or took.
    #[must_use]
    pub fn items(&self, node: &str) -> Option<u64> {
        let (_, [items, _]) = self.nodes.iter().find(|(name, _)| name == node)?;
        Some(items.load(Relaxed))
    }

    /// Items that a node refused, each try counted.
    #[must_use]
    pub fn failures(&self, node: &str) -> Option<u64> {
        let (_, [_, failures]) = self.nodes.iter().find(|(name, _)| name == node)?;
        Some(failures.load(Relaxed))
    }

    /// Items that nodes took or gave, all together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.nodes.iter().map(|(_, [items, _])| items.load(Relaxed)).sum()
    }

    /// All of it in Prometheus' text format.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let mut text = String::new();
        let mut family = |name: &str, kind: &str, help: &str, rows: Vec<(String, u64)>| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "# HELP streamweave_{name} {help}");
            let _ = writeln!(text, "# TYPE streamweave_{name} {kind}");
            for (labels, value) in rows {
                let _ = writeln!(text, "streamweave_{name}{{{labels}}} {value}");
            }
        };
        let nodes = |at: usize| {
            let row = |(name, counts): &(String, [AtomicU64; 2])| {
                (format!("node=\"{}\"", escaped(name)), counts[at].load(Relaxed))
            };
            self.nodes.iter().map(row).collect()
        };
        family("node_items_total", "counter", "Items that a node gave or took.", nodes(0));
        family("node_failures_total", "counter", "Items that a node refused.", nodes(1));
        let edges = |at: usize| self.edges.iter().map(|e| (e.labels(), e.load(at))).collect();
        family("edge_items_total", "counter", "Items on an edge.", edges(0));
        family("edge_bytes_total", "counter", "Bytes of payload on an edge.", edges(1));
        family("edge_copied_bytes_total", "counter", "Bytes copied for an edge.", edges(2));
        let moves = vec![(String::new(), self.moves())];
        family("moves_total", "counter", "Changes between here and everywhere.", moves);
        let queues = || self.edges.iter().filter(|edge| edge.queue);
        let taken = queues().map(|e| (e.labels(), e.load(3))).collect();
        family("queue_taken_total", "counter", "Items out of an edge's queue.", taken);
        // Between processes, the depth is the difference of the sums of all.
        if self.whole {
            let depth = |e: &Edge| (e.labels(), e.load(0).saturating_sub(e.load(3)));
            let depths = queues().map(depth).collect();
            family("queue_depth", "gauge", "Items in an edge's queue, nearly.", depths);
        }
        text
    }
}

impl Edge {
    fn labels(&self) -> String {
        format!("from=\"{}\",to=\"{}\"", escaped(&self.from), escaped(&self.to))
    }

    fn load(&self, at: usize) -> u64 {
        self.counts[at].load(Relaxed)
    }
}

fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn add<const N: usize>(to: &[AtomicU64; N], news: [u64; N]) {
    for (count, news) in to.iter().zip(news).filter(|(_, news)| *news > 0) {
        count.fetch_add(news, Relaxed);
    }
}
