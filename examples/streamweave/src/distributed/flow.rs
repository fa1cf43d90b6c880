//! [`Flow`]: one worker's part of a graph, as timely executes it.

use super::{
    Cluster, moves, stages,
    watched::Losses,
    wire::{Entry, Items, Spread, pack},
};
use crate::{
    Error, Graph, Place, Role,
    executor::{Run, Wish},
    operator::Travel,
    segment::{Exit, Routed, Segment},
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        InputHandle, ProbeHandle, Scope, Stream,
        channels::pact::DistributorPact,
        operators::{Probe, generic::OutputBuilder, generic::builder_rc::OperatorBuilder},
    },
    worker::Worker,
};

/// Rounds of items that are under way at most. A round is as many items as make the graph's bound together.
const WINDOW: u64 = 4;
/// How long a worker sleeps at most before it looks around.
const NAP: Duration = Duration::from_millis(1);
/// How long a rate is measured before a segment may move.
const SETTLED: Duration = Duration::from_millis(50);

/// What a worker needs to know.
pub(super) struct Flow {
    pub(super) graph: Graph,
    pub(super) run: Run,
    pub(super) cluster: Cluster,
    /// Items per second above which what holds no state runs everywhere.
    pub(super) hybrid: Option<f64>,
    pub(super) losses: Arc<Losses>,
}

/// Which worker an edge's items go to.
#[derive(Clone, Copy, Debug)]
enum Route {
    Here,
    ByKey,
    To(usize),
    /// Here, or by key while the load is high.
    Moves,
}

/// Where a stage's items go: one list for each stage that they go to.
struct Outbox {
    lists: Vec<Items>,
    /// For each edge, its list and its route.
    edges: Vec<(usize, Route)>,
    names: Vec<String>,
    here: usize,
    peers: usize,
    /// Workers of each process.
    workers: usize,
    pack_from: usize,
    everywhere: Rc<Cell<bool>>,
}

impl Exit for Outbox {
    fn push(&mut self, mut routed: Routed) -> Result<(), Error> {
        let (list, route) = self.edges[routed.edge as usize];
        let by_key = |peers: usize| (routed.message.key_hash() % peers as u64) as usize;
        let worker = match route {
            Route::Here => self.here,
            Route::To(worker) => worker,
            Route::Moves if !self.everywhere.get() => self.here,
            Route::ByKey | Route::Moves => by_key(self.peers),
        };
        let mut packed = false;
        if worker / self.workers != self.here / self.workers {
            let name = || self.names[routed.edge as usize].clone();
            let payload = pack(&routed.message.payload, self.pack_from);
            let payload = payload.map_err(|failure| Error::Node { node: name(), failure })?;
            (routed.message.payload, packed) = payload;
        }
        self.lists[list].entries.push(Entry { worker, packed, routed });
        Ok(())
    }
}

type Lists = CapacityContainerBuilder<Items>;
type Input = InputHandle<u64, Lists>;

impl Flow {
    /// Runs this worker's part of the graph until all workers are done.
    pub(super) fn work(&self, worker: &mut Worker) -> Result<(), Error> {
        let stages = stages(&self.graph, self.hybrid.is_some());
        let pairs = pairs(&self.graph, &stages);
        let count = stages.iter().max().map_or(0, |last| last + 1);
        let everywhere = Rc::new(Cell::new(false));
        let segments = (0..count)
            .map(|stage| self.segment(worker, &stages, &pairs, stage, &everywhere))
            .collect::<Result<Vec<_>, _>>()?;
        let mut segments = segments.into_iter();
        let (probe, failed) = (ProbeHandle::new(), Rc::new(RefCell::new(None)));
        let first = segments.next().ok_or(Error::Aborted)?;
        let inputs = worker.dataflow(|scope| {
            let mut inputs: Vec<Input> = Vec::new();
            let mut streams: Vec<(usize, Stream<'_, u64, Items>)> = Vec::new();
            for &(_, to) in pairs.iter().filter(|(from, _)| *from == 0) {
                let mut input = Input::new_with_builder();
                streams.push((to, input.to_stream(scope)));
                inputs.push(input);
            }
            for (stage, segment) in (1..).zip(segments) {
                let (own, rest) = streams.into_iter().partition(|(to, _)| *to == stage);
                streams = rest;
                let outs = pairs.iter().filter(|(from, _)| *from == stage).map(|(_, to)| *to);
                let part = Part { segment, failed: failed.clone(), run: self.run.clone() };
                streams.extend(part.build(scope, own, outs.collect(), &probe));
            }
            inputs
        });
        Drive { flow: self, segment: first, inputs, probe, failed, everywhere, round: 0 }
            .run(worker)
    }

    fn segment(
        &self,
        worker: &Worker,
        stages: &[usize],
        pairs: &[(usize, usize)],
        stage: usize,
        everywhere: &Rc<Cell<bool>>,
    ) -> Result<Segment<Outbox>, Error> {
        let (graph, here, peers) = (&self.graph, worker.index(), worker.peers());
        let own: Vec<usize> =
            pairs.iter().filter(|(from, _)| *from == stage).map(|(_, to)| *to).collect();
        let route = |node: usize| match graph.nodes[node].place {
            Place::ByKey => Route::ByKey,
            Place::On(at) => Route::To(at % peers),
            Place::Anywhere if self.hybrid.is_some() && moves(graph, node) => Route::Moves,
            Place::Anywhere => Route::Here,
        };
        let edges = graph.edges.iter().map(|edge| {
            let list = own.iter().position(|to| *to == stages[edge.to.0]);
            (list.unwrap_or(0), route(edge.to.0))
        });
        let exit = Outbox {
            lists: vec![Items::default(); own.len()],
            edges: edges.collect(),
            names: graph.edges.iter().map(|e| graph.nodes[e.from.0].name.clone()).collect(),
            here,
            peers,
            workers: self.cluster.workers,
            pack_from: self.cluster.pack_from,
            everywhere: everywhere.clone(),
        };
        // Operators that run on one worker are made there alone: a sink's file is not made twice.
        let here_only = |node: usize| match graph.nodes[node].place {
            Place::On(at) => at % peers == here,
            Place::Anywhere | Place::ByKey => true,
        };
        let member = |node: usize| {
            let source = matches!(graph.nodes[node].role, Role::Source(_));
            stages[node] == stage && (source || here_only(node))
        };
        Segment::new(graph, member, here_only, Travel::Move, exit)
    }
}

/// Pairs of stages that edges lead from and to.
fn pairs(graph: &Graph, stages: &[usize]) -> Vec<(usize, usize)> {
    let mut pairs: Vec<_> =
        graph.edges.iter().map(|edge| (stages[edge.from.0], stages[edge.to.0])).collect();
    pairs.retain(|(from, to)| from != to);
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// A stage behind others: a timely operator.
struct Part {
    segment: Segment<Outbox>,
    failed: Rc<RefCell<Option<Error>>>,
    run: Run,
}

impl Part {
    /// The streams to the stages behind it.
    fn build<'s>(
        mut self,
        scope: Scope<'s, u64>,
        inputs: Vec<(usize, Stream<'s, u64, Items>)>,
        behind: Vec<usize>,
        probe: &ProbeHandle<u64>,
    ) -> Vec<(usize, Stream<'s, u64, Items>)> {
        let mut builder = OperatorBuilder::new("stage".to_owned(), scope.clone());
        let mut inputs: Vec<_> = inputs
            .into_iter()
            .map(|(_, stream)| {
                let spread = |peers: usize| Spread(vec![Items::default(); peers]);
                builder.new_input(stream, DistributorPact(spread))
            })
            .collect();
        let (mut outputs, mut streams) = (Vec::new(), Vec::new());
        for to in &behind {
            let (output, stream) = builder.new_output();
            outputs.push(OutputBuilder::<u64, Lists>::from(output));
            streams.push((*to, stream));
        }
        // What leads nowhere still says how far it is.
        let (_end, end) = builder.new_output::<Vec<()>>();
        end.probe_with(probe);
        builder.build(move |capabilities| {
            let mut held = Some(capabilities);
            move |frontiers| {
                for input in &mut inputs {
                    input.for_each(|time, items| {
                        self.take(items);
                        self.give(&mut outputs, &time);
                    });
                }
                let before = frontiers.iter().filter_map(|f| f.frontier().first().copied()).min();
                match (before, &mut held) {
                    (Some(time), Some(held)) => {
                        held.iter_mut().for_each(|own| own.downgrade(&time))
                    }
                    (None, Some(own)) => {
                        if self.failed.borrow().is_none() {
                            let ended = self.segment.end();
                            self.note(ended);
                            for (list, output) in outputs.iter_mut().enumerate() {
                                let items = &mut self.segment.exit().lists[list];
                                send(output, items, &own[list]);
                            }
                            self.segment.publish(&self.run.metrics);
                        }
                        held = None;
                    }
                    _ => {}
                }
            }
        });
        streams
    }

    fn take(&mut self, items: &mut Items) {
        if let Some(why) = items.damage.take() {
            self.note(Err(Error::Cluster(format!("what a peer sent is damaged: {why}"))));
        }
        for entry in items.entries.drain(..) {
            if self.failed.borrow().is_some() {
                break;
            }
            let done = self.segment.accept(entry.routed);
            self.note(done);
        }
        self.segment.publish(&self.run.metrics);
    }

    fn give(
        &mut self,
        outputs: &mut [OutputBuilder<u64, Lists>],
        time: &timely::dataflow::operators::InputCapability<u64>,
    ) {
        for (output, items) in outputs.iter_mut().zip(&mut self.segment.exit().lists) {
            send(output, items, time);
        }
    }

    fn note(&self, done: Result<(), Error>) {
        if let Err(error) = done {
            self.failed.borrow_mut().get_or_insert(error);
        }
    }
}

fn send(
    output: &mut OutputBuilder<u64, Lists>,
    items: &mut Items,
    time: &impl timely::dataflow::operators::CapabilityTrait<u64>,
) {
    if !items.entries.is_empty() {
        output.activate().session_with_builder(time).give_container(items);
        items.entries.clear();
    }
}

/// The first stage, which holds the sources, and the worker's own loop.
struct Drive<'f> {
    flow: &'f Flow,
    segment: Segment<Outbox>,
    inputs: Vec<Input>,
    probe: ProbeHandle<u64>,
    failed: Rc<RefCell<Option<Error>>>,
    everywhere: Rc<Cell<bool>>,
    round: u64,
}

impl Drive<'_> {
    fn run(mut self, worker: &mut Worker) -> Result<(), Error> {
        let ended = self.turns(worker);
        self.segment.publish(&self.flow.run.metrics);
        ended
    }

    fn turns(&mut self, worker: &mut Worker) -> Result<(), Error> {
        let each = (self.flow.graph.bound as u64 / WINDOW).max(1);
        let (mut since, mut items) = (Instant::now(), 0);
        while self.segment.sources() > 0 {
            match self.flow.run.control.wish() {
                Wish::Drain => break,
                Wish::Pause => {
                    self.catch_up();
                    self.step(worker, true)?;
                    continue;
                }
                Wish::Run | Wish::Abort => {}
            }
            if self.under_way(WINDOW - 1) {
                self.step(worker, true)?;
                continue;
            }
            let given = self.fill(each)?;
            items += given;
            self.send();
            if given == 0 {
                self.catch_up();
            }
            self.step(worker, given == 0)?;
            if since.elapsed() >= SETTLED {
                self.settle(worker, items as f64 / since.elapsed().as_secs_f64())?;
                (since, items) = (Instant::now(), 0);
            }
        }
        self.segment.end()?;
        self.send();
        self.inputs.clear();
        while worker.has_dataflows() {
            self.step(worker, true)?;
        }
        Ok(())
    }

    /// Whether a round is not through that is more than `rounds` behind.
    fn under_way(&self, rounds: u64) -> bool {
        self.probe.less_than(&self.round.saturating_sub(rounds))
    }

    /// Items of this round.
    fn fill(&mut self, most: u64) -> Result<u64, Error> {
        let (mut given, mut source, mut idle) = (0, 0, 0);
        while given < most && self.segment.sources() > 0 && idle < self.segment.sources() {
            source %= self.segment.sources();
            match self.segment.poll(source)? {
                Some(true) => (given, source, idle) = (given + 1, source + 1, 0),
                Some(false) => (source, idle) = (source + 1, idle + 1),
                None => idle = 0,
            }
        }
        Ok(given)
    }

    fn send(&mut self) {
        for (input, items) in self.inputs.iter_mut().zip(&mut self.segment.exit().lists) {
            if !items.entries.is_empty() {
                input.send_batch(items);
                items.entries.clear();
            }
        }
        self.advance(self.round + 1);
        self.segment.publish(&self.flow.run.metrics);
    }

    fn advance(&mut self, round: u64) {
        self.round = round;
        self.inputs.iter_mut().for_each(|input| input.advance_to(round));
    }

    /// A worker that has nothing holds no others up: it goes where they may be.
    fn catch_up(&mut self) {
        let first = self.probe.with_frontier(|frontier| frontier.first().copied());
        self.advance(self.round.max(first.unwrap_or(0) + WINDOW - 1));
    }

    fn step(&self, worker: &mut Worker, nap: bool) -> Result<(), Error> {
        if nap {
            worker.step_or_park(Some(NAP));
        } else {
            worker.step();
        }
        if let Some(error) = self.failed.borrow_mut().take() {
            return Err(error);
        }
        if let Some((peer, why)) = self.flow.losses.lost() {
            return Err(self.flow.cluster.peer(peer, why));
        }
        match self.flow.run.control.wish() {
            Wish::Abort => Err(Error::Aborted),
            _ => Ok(()),
        }
    }

    /// Moves what holds no state, if the load asks for it and once nothing is under way: so nothing is
    /// overtaken.
    fn settle(&mut self, worker: &mut Worker, rate: f64) -> Result<(), Error> {
        let Some(threshold) = self.flow.hybrid else { return Ok(()) };
        let everywhere = self.everywhere.get();
        let moves = if everywhere { rate < 0.9 * threshold } else { rate > 1.1 * threshold };
        if moves {
            while self.under_way(0) {
                self.step(worker, true)?;
            }
            self.everywhere.set(!everywhere);
            self.flow.run.metrics.moved();
        }
        Ok(())
    }
}
