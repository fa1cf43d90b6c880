//! [`Graph`]: nodes and edges, checked by name while they are put together.

use crate::{BuildError, Failure, Operator, Policy, Source};
use std::{collections::VecDeque, fmt, sync::Arc};
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
    /// What it does hangs on the order of all its items, so that this order must be defined.
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

/// A graph in the making: nodes by name, ports by name or number.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl Builder {
    /// Adds a node.
    ///
    /// # Errors
    ///
    /// When another has its name.
    pub fn add(&mut self, node: Node) -> Result<(), BuildError> {
        if self.nodes.iter().any(|known| known.name == node.name) {
            return Err(BuildError::DuplicateNode(node.name));
        }
        self.nodes.push(node);
        Ok(())
    }

    /// The node of this name, to be changed.
    ///
    /// # Errors
    ///
    /// When none has it.
    pub fn node(&mut self, name: &str) -> Result<&mut Node, BuildError> {
        let at = self.find(name)?;
        Ok(&mut self.nodes[at])
    }

    /// Leads one port to another: each is `node`, `node:port` or `node:number`, and the first port if none
    /// is said.
    ///
    /// # Errors
    ///
    /// Unknown nodes and ports, types that differ, and an input that something leads to already.
    pub fn connect(&mut self, from: &str, to: &str) -> Result<(), BuildError> {
        let from = self.port(from, |node| &node.outputs)?;
        let to = self.port(to, |node| &node.inputs)?;
        let (gives, takes) = (&self.nodes[from.0], &self.nodes[to.0]);
        let (out, input) = (&gives.outputs[from.1], &takes.inputs[to.1]);
        if out.kind != input.kind && out.kind != ANY && input.kind != ANY {
            let [gives, given, takes, taken] = [&*gives.name, out.kind, &*takes.name, input.kind];
            let [gives, given, takes, taken] = [gives, given, takes, taken].map(str::to_owned);
            return Err(BuildError::Mismatch(gives, given, takes, taken));
        }
        if self.edges.iter().any(|edge| edge.to == to) {
            return Err(BuildError::InputTwice(takes.name.clone(), input.name.clone()));
        }
        self.edges.push(Edge { from, to });
        Ok(())
    }

    fn find(&self, name: &str) -> Result<usize, BuildError> {
        let found = self.nodes.iter().position(|node| node.name == name);
        found.ok_or_else(|| BuildError::UnknownNode(name.to_owned()))
    }

    fn port(
        &self,
        text: &str,
        ports: impl Fn(&Node) -> &Vec<Port>,
    ) -> Result<(usize, usize), BuildError> {
        let (name, port) = text.split_once(':').unwrap_or((text, "0"));
        let node = self.find(name)?;
        let ports = ports(&self.nodes[node]);
        let number = port.parse().ok().filter(|&number: &usize| number < ports.len());
        let found = number.or_else(|| ports.iter().position(|known| known.name == port));
        found
            .map(|port| (node, port))
            .ok_or_else(|| BuildError::UnknownPort(name.to_owned(), port.to_owned()))
    }

    /// The graph.
    ///
    /// # Errors
    ///
    /// An input that nothing leads to, a circle, no source at all.
    pub fn build(self) -> Result<Graph, BuildError> {
        for (at, node) in self.nodes.iter().enumerate() {
            for (port, input) in node.inputs.iter().enumerate() {
                if !self.edges.iter().any(|edge| edge.to == (at, port)) {
                    return Err(BuildError::InputUnused(node.name.clone(), input.name.clone()));
                }
            }
        }
        if !self.nodes.iter().any(|node| matches!(node.role, Role::Source(_))) {
            return Err(BuildError::NoSource);
        }
        let order = self.order()?;
        self.check_order(&order)?;
        let mut place = vec![0; order.len()];
        for (new, &old) in order.iter().enumerate() {
            place[old] = new;
        }
        let moved = |(node, port): (usize, usize)| (place[node], port);
        let edges =
            self.edges.iter().map(|edge| Edge { from: moved(edge.from), to: moved(edge.to) });
        Ok(Graph {
            edges: edges.collect(),
            nodes: order.iter().map(|&node| self.nodes[node].clone()).collect(),
            bound: Graph::BOUND,
        })
    }

    /// Behind a merge, and behind what several workers do by key, items come in any order.
    fn check_order(&self, order: &[usize]) -> Result<(), BuildError> {
        let mut defined = vec![true; self.nodes.len()];
        for &at in order {
            let node = &self.nodes[at];
            let mut before = self.edges.iter().filter(|edge| edge.to.0 == at);
            defined[at] = node.inputs.len() < 2 && before.all(|edge| defined[edge.from.0]);
            if node.in_order && !defined[at] {
                return Err(BuildError::NoOrder(node.name.clone()));
            }
            defined[at] &= node.place != Place::ByKey;
        }
        Ok(())
    }

    /// Nodes behind all that lead to them (Kahn, 1962).
    fn order(&self) -> Result<Vec<usize>, BuildError> {
        let mut open: Vec<usize> = self.nodes.iter().map(|node| node.inputs.len()).collect();
        let mut ready: VecDeque<usize> = (0..open.len()).filter(|&node| open[node] == 0).collect();
        let mut order = Vec::new();
        while let Some(node) = ready.pop_front() {
            order.push(node);
            for edge in self.edges.iter().filter(|edge| edge.from.0 == node) {
                open[edge.to.0] -= 1;
                if open[edge.to.0] == 0 {
                    ready.push_back(edge.to.0);
                }
            }
        }
        match open.iter().position(|&inputs| inputs > 0) {
            Some(node) => Err(BuildError::Cycle(self.nodes[node].name.clone())),
            None => Ok(order),
        }
    }
}
