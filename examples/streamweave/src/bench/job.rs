//! [`Job`]: one measurement of one way, in a process of its own.

use super::{
    gauge::{self, Gauge, Spent},
    nodes::{self, Feed, Hops},
};
use crate::{Cluster, Error, Executor, Graph, Mode, distributed};
use clap::ValueEnum;
use example_common::usage;
use serde::{Deserialize, Serialize};
use std::{
    process,
    sync::{Arc, PoisonError},
};

/// How items travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Way {
    /// Nodes call one another
    InProcess,
    /// The same, with a clone of each payload on each edge
    Cloning,
    /// The same, with each item as JSON text on each edge
    Copying,
    /// Two processes on timely dataflow: the source, map and filter in one, the sinks in the other
    Distributed,
    /// The same, with map and filter in both
    Hybrid,
    /// Timely dataflow alone with the same container: a source in one process, a sink in the other
    Timely,
}

impl Way {
    /// Processes that it takes.
    #[must_use]
    pub fn processes(self) -> usize {
        match self {
            Self::InProcess | Self::Cloning | Self::Copying => 1,
            Self::Distributed | Self::Hybrid | Self::Timely => 2,
        }
    }
}

/// Items per second above which hybrid runs everywhere: any load that is one.
const THRESHOLD: f64 = 1_000.0;

/// What a process is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    pub(super) way: Way,
    /// Bytes of each item.
    pub(super) payload: usize,
    /// Sinks that each item goes to.
    pub(super) fan_out: usize,
    /// How long items come, of which the first quarter warms up.
    pub(super) milliseconds: u64,
    /// And how many at most.
    pub(super) most: Option<u64>,
    /// Whether a clock is read at each hop.
    pub(super) watched: bool,
    /// This process among those of the way.
    pub(super) index: usize,
    pub(super) addresses: Vec<String>,
}

/// Where the nodes of a process say what they found.
pub(super) struct Said {
    pub(super) source: gauge::Said,
    pub(super) sink: gauge::Said,
    pub(super) hops: Hops,
}

/// What a process found.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(super) struct Answer {
    /// At the source, if it is there, or else at the first sink.
    pub(super) spent: Spent,
    /// At half of the hops and at 99 in a hundred: between nodes, and into sinks.
    pub(super) hops_ns: [[u64; 2]; 2],
    /// The most memory that the process held, and what it held before.
    pub(super) peak_bytes: u64,
    pub(super) before_bytes: u64,
}

impl Job {
    pub(super) fn run(&self, allocations: fn() -> u64) -> Result<Answer, Error> {
        let said = Said { source: Arc::default(), sink: Arc::default(), hops: Hops::new() };
        let before_bytes = usage::memory(process::id(), "VmRSS");
        if self.way == Way::Timely {
            self.timely(allocations, &said)?;
        } else {
            let graph = if self.watched { nodes::graph::<true> } else { nodes::graph::<false> };
            self.weave(graph(self, allocations, &said)?)?;
        }
        let spent = if self.index == 0 { &said.source } else { &said.sink };
        let spent = *spent.lock().unwrap_or_else(PoisonError::into_inner);
        let hops_ns = said.hops.quantiles();
        Ok(Answer {
            spent,
            hops_ns,
            peak_bytes: usage::memory(process::id(), "VmHWM"),
            before_bytes,
        })
    }

    /// When a gauge may begin; never where items are counted beforehand.
    pub(super) fn warm_ns(&self) -> u64 {
        if self.most.is_some() { u64::MAX } else { self.milliseconds * 1_000_000 / 4 }
    }

    fn weave(&self, graph: Graph) -> Result<(), Error> {
        let mode = match self.way {
            Way::InProcess => Mode::InProcess,
            Way::Cloning => Mode::Cloning,
            Way::Copying => Mode::Copying,
            Way::Distributed => Mode::Distributed(self.cluster()?),
            Way::Hybrid | Way::Timely => Mode::Hybrid(self.cluster()?, THRESHOLD),
        };
        Executor::new(graph, mode).run()
    }

    fn cluster(&self) -> Result<Cluster, Error> {
        Cluster::new(self.index, self.addresses.clone())
    }

    fn timely(&self, allocations: fn() -> u64, said: &Said) -> Result<(), Error> {
        let gauge = |at: &gauge::Said| Gauge::new(self.warm_ns(), allocations, at.clone());
        let (source, sink) = (gauge(&said.source), gauge(&said.sink));
        let mut sink = Some(sink);
        let take = move |item| match (item, &mut sink) {
            (Some(_), Some(gauge)) => drop(gauge.count()),
            (None, Some(gauge)) => gauge.end(),
            _ => {}
        };
        let feed = Feed::<false>::new(self, source);
        distributed::alone(&self.cluster()?, Graph::BOUND as u64, Box::new(feed), take)
    }
}
