//! Edges as a segment sees them: where they lead, what went over them, what leaves over them.

use crate::{Failure, Graph, Message};

/// A message on an edge that leads out of its segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routed {
    pub(crate) edge: u32,
    pub(crate) message: Message,
}

/// Where edges that lead out of a segment lead to.
pub(crate) trait Exit {
    /// Takes the item and says how many bytes are copied where it leaves, or gives it back.
    fn push(&mut self, routed: Routed) -> Result<usize, (Routed, Refused)>;
}

/// Why an item does not leave.
pub(crate) enum Refused {
    /// Nobody will take anything any more.
    Gone,
    /// This one cannot be sent.
    Item(Failure),
}

/// What went over an edge since it was last told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) items: u64,
    pub(crate) bytes: u64,
    pub(crate) copied: u64,
    /// Out of a queue, at its other end.
    pub(crate) taken: u64,
}

impl Count {
    /// This one did not go over it after all.
    pub(crate) fn less(&mut self, message: &Message) {
        self.items -= 1;
        self.bytes -= message.payload.len() as u64;
    }
}

/// An edge as its beginning sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wire {
    pub(crate) edge: u32,
    /// A node of the segment, or `OUT`.
    pub(crate) to: u32,
    /// Its port, or the edge's own number.
    pub(crate) port: u32,
}

/// A node that is not of the segment.
pub(crate) const OUT: u32 = u32::MAX;

/// A message that was emitted and is not yet delivered.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) to: u32,
    pub(crate) port: u32,
    pub(crate) message: Message,
}

/// Takes from the stack, and out of the counts, what a node emitted before it failed.
#[cold]
pub(crate) fn take_back(
    stack: &mut Vec<Pending>,
    mark: usize,
    entries: &[(u32, u32)],
    counts: &mut [Count],
) {
    for Pending { to, port, message } in stack.drain(mark..) {
        // One edge leads to each input.
        let within = || entries.iter().position(|entry| *entry == (to, port));
        let edge = if to == OUT { Some(port as usize) } else { within() };
        if let Some(edge) = edge {
            counts[edge].less(&message);
        }
    }
}

/// The edges that lead from an output, as its segment sees them.
pub(crate) fn wires(graph: &Graph, local: &[u32], from: (usize, usize)) -> Vec<Wire> {
    let leading = graph.edges.iter().enumerate().filter(|(_, edge)| edge.from == from);
    let wire = |(edge, to): (usize, (usize, usize))| match local[to.0] {
        OUT => Wire { edge: number(edge), to: OUT, port: number(edge) },
        node => Wire { edge: number(edge), to: node, port: number(to.1) },
    };
    leading.map(|(number, edge)| wire((number, edge.to))).collect()
}

/// Graphs are small: their parts were counted in memory.
#[expect(clippy::cast_possible_truncation, reason = "a graph has fewer than 2^32 parts")]
pub(crate) fn number(at: usize) -> u32 {
    at as u32
}
