//! [`Flow`]: one worker's part of a graph, as timely executes it.

use super::{
    Cluster, moves,
    outbox::{Outbox, Route},
    stage::{Lists, Part},
    stages,
    stop::Stop,
    watched::Losses,
    wire::Items,
};
use crate::{
    Error, Graph, Place, Role,
    executor::{Run, Wish},
    operator::Travel,
    segment::Segment,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use timely::{
    dataflow::{InputHandle, ProbeHandle, Stream},
    worker::Worker,
};

/// Rounds of items that are under way at most. A round is as many items as make the graph's bound together;
/// of a bound below this, each is a round.
pub(super) const WINDOW: u64 = 4;
/// Bytes of payload that end a round: it fits into a slab, and all that are under way into a cache.
pub(super) const ROUND: usize = 256 << 10;
/// How long a worker sleeps at most before it looks around.
pub(super) const NAP: Duration = Duration::from_millis(1);
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
        let (inputs, stop) = worker.dataflow(|scope| {
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
            (inputs, Some(Stop::new(scope, self.run.control.clone())))
        });
        let window = WINDOW.min(self.graph.bound as u64).max(1);
        let (segment, round) = (first, 0);
        Drive { flow: self, segment, inputs, stop, probe, failed, everywhere, window, round }
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
        let workers = self.cluster.workers;
        let exit = Outbox {
            lists: vec![Items::default(); own.len()],
            edges: edges.collect(),
            here,
            peers,
            own: here - here % workers..here - here % workers + workers,
            pack_from: self.cluster.pack_from,
            everywhere: everywhere.clone(),
            bytes: 0,
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

/// The first stage, which holds the sources, and the worker's own loop.
struct Drive<'f> {
    flow: &'f Flow,
    segment: Segment<Outbox>,
    inputs: Vec<Input>,
    stop: Option<Stop>,
    probe: ProbeHandle<u64>,
    failed: Rc<RefCell<Option<Error>>>,
    everywhere: Rc<Cell<bool>>,
    window: u64,
    round: u64,
}

impl Drive<'_> {
    fn run(mut self, worker: &mut Worker) -> Result<(), Error> {
        let ended = self.turns(worker);
        self.segment.publish(&self.flow.run.metrics);
        ended
    }

    fn turns(&mut self, worker: &mut Worker) -> Result<(), Error> {
        let each = (self.flow.graph.bound as u64 / self.window).max(1);
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
            if self.under_way(self.window - 1) {
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
        // Those of others are asked to end from here, too.
        if let Some(mut stop) = self.stop.take() {
            while !stop.ended(self.flow.run.control.ending(), worker.peers()) {
                self.step(worker, true)?;
            }
        }
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
        while given < most
            && self.segment.exit().bytes < ROUND
            && self.segment.sources() > 0
            && idle < self.segment.sources()
        {
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
        self.segment.exit().bytes = 0;
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
        self.advance(self.round.max(first.unwrap_or(0) + (self.window - 1).max(1)));
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
        // Who has said its last had no more to do; this worker is not long behind.
        let early =
            self.flow.losses.ended().filter(|(_, at)| at.elapsed() > self.flow.cluster.deadline);
        if let Some((peer, _)) = early {
            return Err(self.flow.cluster.peer(peer, "it ended before its time".to_owned()));
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
