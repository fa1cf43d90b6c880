//! [`Builder`]: a graph put together and checked by name.

use crate::{ANY, BuildError, Graph, Node, Place, Port, Role, graph::Edge};
use std::collections::VecDeque;

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
