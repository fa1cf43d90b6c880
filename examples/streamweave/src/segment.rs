//! [`Segment`]: nodes that call one another directly, on one thread.

use crate::{
    Action, Error, Failure, Graph, Message, Next, Operator, Outputs, Policy, Role, Source,
    edges::{Count, Exit, OUT, Pending, Refused, Routed, Wire, number, take_back, wires},
    metrics::Metrics,
    operator::Travel,
};
use std::{
    io::{self, Write},
    mem,
};

/// What a node did since it was last told.
struct Done {
    /// The node, in the graph.
    at: usize,
    items: u64,
    failures: u64,
}

struct Running<R: ?Sized> {
    done: Done,
    policy: Policy,
    ports: Vec<Vec<Wire>>,
    role: Box<R>,
}

/// Nodes that call one another directly. What a node emits is put on a stack, behind what it will be
/// popped before, so that an item and all that comes of it is through before the next, in order.
pub(crate) struct Segment<E> {
    sources: Vec<Running<dyn Source>>,
    /// Of sources that are gone, and about items that did not leave.
    ended: Vec<Done>,
    nodes: Vec<Running<dyn Operator>>,
    /// Node and port within the segment, for each edge of the graph that leads into it.
    entries: Vec<(u32, u32)>,
    exit: E,
    stack: Vec<Pending>,
    counts: Vec<Count>,
    travel: Travel,
    graph: Graph,
}

impl<E: Exit> Segment<E> {
    /// The nodes of the graph that belong to it. Sources are only made where they are wanted.
    pub(crate) fn new(
        graph: &Graph,
        member: impl Fn(usize) -> bool,
        source_here: impl Fn(usize) -> bool,
        travel: Travel,
        exit: E,
    ) -> Result<Self, Error> {
        let mut segment = Self {
            sources: Vec::new(),
            ended: Vec::new(),
            nodes: Vec::new(),
            entries: vec![(OUT, 0); graph.edges.len()],
            exit,
            stack: Vec::new(),
            counts: vec![Count::default(); graph.edges.len()],
            travel,
            graph: graph.clone(),
        };
        let mut local = vec![OUT; graph.nodes.len()];
        let operators = (0..graph.nodes.len())
            .filter(|&at| member(at) && matches!(graph.nodes[at].role, Role::Operator(_)));
        for (number, at) in (0..).zip(operators) {
            local[at] = number;
        }
        for (at, node) in graph.nodes.iter().enumerate().filter(|&(at, _)| member(at)) {
            let ports = (0..node.outputs.len()).map(|port| wires(graph, &local, (at, port)));
            let (ports, policy) = (ports.collect(), node.policy.clone());
            let failed = |failure| Error::Node { node: node.name.clone(), failure };
            match &node.role {
                Role::Source(make) if source_here(at) => {
                    let role = make().map_err(failed)?;
                    let done = Done { at, items: 0, failures: 0 };
                    segment.sources.push(Running { done, policy, ports, role });
                }
                Role::Source(_) => {}
                Role::Operator(make) => {
                    let role = make().map_err(failed)?;
                    let done = Done { at, items: 0, failures: 0 };
                    segment.nodes.push(Running { done, policy, ports, role });
                }
            }
        }
        for (entry, edge) in segment.entries.iter_mut().zip(&graph.edges) {
            *entry = (local[edge.to.0], number(edge.to.1));
        }
        Ok(segment)
    }

    pub(crate) fn exit(&mut self) -> &mut E {
        &mut self.exit
    }

    /// Sources that have not ended.
    pub(crate) fn sources(&self) -> usize {
        self.sources.len()
    }

    /// Takes one item from a source, and does all that comes of it. `None` when that source has ended and
    /// is gone; else whether there was one.
    pub(crate) fn poll(&mut self, source: usize) -> Result<Option<bool>, Error> {
        let Self { sources, ended, stack, counts, entries, travel, graph, .. } = self;
        let running = &mut sources[source];
        let (keeps, mut kept) = (running.policy.keeps(), None);
        let given = attempt(running, graph, |source, ports| {
            let message: Message = match kept.take() {
                Some(message) => message,
                None => match source.next()? {
                    Next::Item(message) => message,
                    Next::Idle => return Ok(Some(false)),
                    Next::End => return Ok(None),
                },
            };
            kept = keeps.then(|| message.clone());
            let done = Outputs { stack, ports, counts, travel: *travel }.emit(0, message);
            done.map_err(|failure| {
                take_back(stack, 0, entries, counts);
                failure.of(kept.clone())
            })?;
            Ok(Some(true))
        })?;
        match given {
            // Skipped: that was all of this one.
            None => return Ok(Some(true)),
            Some(None) => {
                ended.push(sources.remove(source).done);
                return Ok(None);
            }
            Some(Some(false)) => return Ok(Some(false)),
            Some(Some(true)) => running.done.items += 1,
        }
        stack.reverse();
        self.drain()?;
        Ok(Some(true))
    }

    /// Takes an item that came over an edge from elsewhere, and does all that comes of it.
    pub(crate) fn accept(&mut self, routed: Routed) -> Result<(), Error> {
        let edge = routed.edge as usize;
        let entry = self.entries.get(edge).filter(|(to, _)| *to != OUT);
        let Some(&(to, port)) = entry else {
            return Err(Error::Cluster(format!(
                "an item came over edge {edge}, which is not here"
            )));
        };
        self.counts[edge].taken += 1;
        self.enter(to, port, routed.message)?;
        self.drain()
    }

    /// Tells nodes that nothing will come any more, those first that others wait for.
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        for node in 0..self.nodes.len() {
            self.call(node, |operator, out| operator.on_end(out))?;
            self.drain()?;
        }
        Ok(())
    }

    #[inline]
    fn drain(&mut self) -> Result<(), Error> {
        while let Some(Pending { to, port, message }) = self.stack.pop() {
            if to == OUT {
                let copied = match self.exit.push(Routed { edge: port, message }) {
                    Ok(copied) => copied,
                    Err(refused) => self.refused(refused)?,
                };
                self.counts[port as usize].copied += copied as u64;
            } else {
                self.enter(to, port, message)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn enter(&mut self, node: u32, port: u32, message: Message) -> Result<(), Error> {
        let (node, port) = (node as usize, port as usize);
        self.nodes[node].done.items += 1;
        if self.nodes[node].policy.keeps() {
            return self.call(node, |operator, out| {
                let kept = message.clone();
                let done = operator.on_item(port, kept, out);
                done.map_err(|failure| failure.of(Some(message.clone())))
            });
        }
        let Self { nodes, stack, counts, entries, travel, graph, .. } = self;
        let (mark, running) = (stack.len(), &mut nodes[node]);
        let mut out = Outputs { stack, ports: &running.ports, counts, travel: *travel };
        let done = running.role.on_item(port, message, &mut out);
        if let Err(failure) = done {
            take_back(stack, mark, entries, counts);
            // It is not there any more: a policy that does not keep it does not try again.
            return running.failed(graph, failure, 0).map(drop);
        }
        in_order(stack, mark);
        Ok(())
    }

    /// What cannot leave is up to the policy of the node that gave it.
    #[cold]
    fn refused(&mut self, refused: (Routed, Refused)) -> Result<usize, Error> {
        let Self { exit, ended, counts, graph, .. } = self;
        let (mut routed, mut refused) = refused;
        let at = graph.edges[routed.edge as usize].from.0;
        let mut tried = 0;
        loop {
            let Refused::Item(failure) = refused else { return Err(Error::Aborted) };
            ended.push(Done { at, items: 0, failures: 1 });
            let failure = failure.of(Some(routed.message.clone()));
            match graph.nodes[at].policy.decide(&failure, tried) {
                Action::Skip => {
                    counts[routed.edge as usize].less(&routed.message);
                    return Ok(0);
                }
                Action::Retry => tried += 1,
                Action::Stop => return Err(stop(graph, at, failure)),
            }
            match exit.push(routed) {
                Ok(copied) => return Ok(copied),
                Err(again) => (routed, refused) = again,
            }
        }
    }

    /// Calls a node: what it emitted stays only if it is content.
    #[inline]
    fn call(
        &mut self,
        node: usize,
        mut work: impl FnMut(&mut dyn Operator, &mut Outputs<'_>) -> Result<(), Failure>,
    ) -> Result<(), Error> {
        let Self { nodes, stack, counts, entries, travel, graph, .. } = self;
        let mark = stack.len();
        attempt(&mut nodes[node], graph, |operator, ports| {
            let done = work(operator, &mut Outputs { stack, ports, counts, travel: *travel });
            if done.is_err() {
                take_back(stack, mark, entries, counts);
            }
            done
        })?;
        in_order(stack, mark);
        Ok(())
    }

    /// Adds what was counted since the last time.
    pub(crate) fn publish(&mut self, metrics: &Metrics) {
        for (edge, count) in self.counts.iter_mut().enumerate() {
            metrics.edge(edge, mem::take(count));
        }
        let tell = |done: &mut Done| {
            metrics.node(done.at, mem::take(&mut done.items), mem::take(&mut done.failures));
        };
        self.ended.drain(..).for_each(|mut done| tell(&mut done));
        self.sources.iter_mut().for_each(|running| tell(&mut running.done));
        self.nodes.iter_mut().for_each(|running| tell(&mut running.done));
    }
}

/// Has a node do something until it is content: `None` when it is not, and the next thing is to be done.
#[inline]
fn attempt<R: ?Sized, T>(
    running: &mut Running<R>,
    graph: &Graph,
    mut work: impl FnMut(&mut R, &[Vec<Wire>]) -> Result<T, Failure>,
) -> Result<Option<T>, Error> {
    let mut tried = 0;
    loop {
        let failure = match work(&mut running.role, &running.ports) {
            Ok(done) => return Ok(Some(done)),
            Err(failure) => failure,
        };
        if !running.failed(graph, failure, tried)? {
            return Ok(None);
        }
        tried += 1;
    }
}

impl<R: ?Sized> Running<R> {
    /// Counts a failure, and says whether to try again what was tried so often before.
    #[cold]
    fn failed(&mut self, graph: &Graph, failure: Failure, tried: u32) -> Result<bool, Error> {
        self.done.failures += 1;
        match self.policy.decide(&failure, tried) {
            // What no item shows is said. Nobody is left to tell if this fails.
            Action::Skip if failure.is_lost() => {
                let lost = stop(graph, self.done.at, failure);
                let _ = writeln!(io::stderr(), "streamweave: {lost}");
                Ok(false)
            }
            Action::Skip => Ok(false),
            Action::Retry => Ok(true),
            Action::Stop => Err(stop(graph, self.done.at, failure)),
        }
    }
}

/// What a node emitted is popped in the order in which it did.
#[inline]
fn in_order(stack: &mut [Pending], mark: usize) {
    if stack.len() - mark > 1 {
        stack[mark..].reverse();
    }
}

#[cold]
fn stop(graph: &Graph, at: usize, failure: Failure) -> Error {
    Error::Node { node: graph.nodes[at].name.clone(), failure }
}
