//! [`Graph`]: nodes and edges.

use crate::{Failure, Operator, Policy, Source};
use std::{fmt, sync::Arc};
use xxhash_rust::xxh3::xxh3_64;

/// The type of a port that takes or gives anything.
pub const ANY: &str = "anything";

/// Makes a source, for each run anew.
pub type MakeSource = Arc<dyn Fn() -> Result<Box<dyn Source>, Failure> + Send + Sync>;
/// Makes an operator, for each run and each worker anew.
pub type MakeOperator = Arc<dyn Fn() -> Result<Box<dyn Operator>, Failure> + Send + Sync>;

/// What a node does.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "functions have nothing to show")]
pub enum Role {
    /// Gives messages.
    Source(MakeSource),
    /// Takes messages.
    Operator(MakeOperator),
}

/// Where a node runs when there are several workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where its messages are: it holds no state.
    Anywhere,
    /// Messages of one key meet at one worker.
    ByKey,
    /// On this worker, modulo their number: it needs all messages, in an order.
    On(usize),
}

/// An input or an output of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The name of the type that it takes or gives.
    pub kind: &'static str,
}

impl Port {
    /// A port.
    pub fn new(name: impl Into<String>, kind: &'static str) -> Self {
        Self { name: name.into(), kind }
    }
}

/// A node: what it is called and what it does.
#[derive(Clone)]
pub struct Node {
    /// Its name, unique in its graph.
    pub name: String,
    /// Operator and parameters in words: for pictures, and so that processes agree on what they run.
    pub label: String,
    /// What it does.
    pub role: Role,
    /// What leads to it.
    pub inputs: Vec<Port>,
    /// What leads from it.
    pub outputs: Vec<Port>,
    /// What happens when it fails.
    pub policy: Policy,
    /// Whether it begins a thread of its own, behind a bounded queue.
    pub thread: bool,
    /// Where it runs when there are several workers.
    pub place: Place,
    /// What it does hangs on the order of all its items, or of those of a key where it runs by key, so that this
    /// order must be defined.
    pub in_order: bool,
    /// It gives items other keys, so that the order by these hangs on that of all its items.
    pub rekeys: bool,
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}, {:?}, {:?})", self.name, self.label, self.policy, self.place)
    }
}

impl Node {
    /// A source with one output, `out`, on the first worker.
    pub fn source(name: impl Into<String>, gives: &'static str, make: MakeSource) -> Self {
        Self::new(name.into(), Role::Source(make), Vec::new(), vec![Port::new("out", gives)])
    }

    /// An operator with one input, `in`, and one output, `out`, that keeps nothing.
    pub fn operator(
        name: impl Into<String>,
        takes: &'static str,
        gives: &'static str,
        make: MakeOperator,
    ) -> Self {
        let outputs = vec![Port::new("out", gives)];
        let node =
            Self::new(name.into(), Role::Operator(make), vec![Port::new("in", takes)], outputs);
        Self { place: Place::Anywhere, ..node }
    }

    /// An operator with one input, `in`, and no output, on the first worker.
    pub fn sink(name: impl Into<String>, takes: &'static str, make: MakeOperator) -> Self {
        Self::new(name.into(), Role::Operator(make), vec![Port::new("in", takes)], Vec::new())
    }

    fn new(name: String, role: Role, inputs: Vec<Port>, outputs: Vec<Port>) -> Self {
        let (label, policy) = (name.clone(), Policy::Stop);
        let (thread, place) = (false, Place::On(0));
        let (in_order, rekeys) = (false, false);
        Self { name, label, role, inputs, outputs, policy, thread, place, in_order, rekeys }
    }
}

/// An edge: nodes and ports, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: (usize, usize),
    pub(crate) to: (usize, usize),
}

/// Nodes and edges without a circle, which each mode runs as they are.
#[derive(Clone, Debug)]
pub struct Graph {
    /// In an order in which edges lead onwards only.
    pub(crate) nodes: Vec<Node>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) bound: usize,
}

impl Graph {
    /// Items that a queue between two threads holds, unless told otherwise.
    pub const BOUND: usize = 1024;

    /// Another number of items that a queue between two threads holds.
    #[must_use]
    pub fn with_bound(self, bound: usize) -> Self {
        Self { bound, ..self }
    }

    /// The nodes' names, in an order in which edges lead onwards only.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.name.as_str())
    }

    /// A number that two graphs share if they are described alike.
    #[must_use]
    pub fn hash(&self) -> u64 {
        xxh3_64(format!("{:?} {:?}", self.nodes, self.edges).as_bytes())
    }

    /// The stage that each node belongs to: a node begins one if it `cuts`, or if what leads to it comes
    /// from different ones. Edges lead to stages of the same or of larger numbers.
    pub(crate) fn stages(&self, cuts: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut stages = vec![0; self.nodes.len()];
        let mut last = 0;
        for node in 0..self.nodes.len() {
            let mut before =
                self.edges.iter().filter(|edge| edge.to.0 == node).map(|edge| stages[edge.from.0]);
            let first = before.next();
            let differ = before.any(|stage| Some(stage) != first);
            stages[node] = if differ || cuts(node) {
                last += 1;
                last
            } else {
                first.unwrap_or(0)
            };
        }
        stages
    }

    /// Whether this node, or one behind it, is such a one.
    pub(crate) fn leads_to(&self, node: usize, such: impl Fn(&Node) -> bool) -> bool {
        let mut behind = vec![false; self.nodes.len()];
        behind[node] = true;
        for at in node + 1..self.nodes.len() {
            behind[at] = self.edges.iter().any(|edge| edge.to.0 == at && behind[edge.from.0]);
        }
        (0..behind.len()).any(|at| behind[at] && such(&self.nodes[at]))
    }

    /// The graph in the language of graphviz.
    #[must_use]
    pub fn dot(&self) -> String {
        let mut text = "digraph streamweave {\n    rankdir=LR;\n    node [shape=box];\n".to_owned();
        for (at, Node { name, label, thread, .. }) in self.nodes.iter().enumerate() {
            let style = if *thread { ", style=bold" } else { "" };
            let label = if label == name { name.clone() } else { format!("{name}\n{label}") };
            text += &format!("    n{at} [label={}{style}];\n", quoted(&label));
        }
        for Edge { from, to } in &self.edges {
            let (out, of) = (&self.nodes[from.0].outputs, &self.nodes[to.0].inputs);
            let mut ends = String::new();
            if out.len() > 1 {
                ends += &format!(" taillabel={}", quoted(&out[from.1].name));
            }
            if of.len() > 1 {
                ends += &format!(" headlabel={}", quoted(&of[to.1].name));
            }
            text += &format!("    n{} -> n{} [{}];\n", from.0, to.0, ends.trim_start());
        }
        text + "}\n"
    }
}

/// A text as graphviz reads it, which knows no escapes but these and takes what follows a `&` for a sign.
fn quoted(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace('\n', "\\n"))
}
