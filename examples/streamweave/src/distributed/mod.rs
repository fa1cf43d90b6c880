//! On several workers and processes: timely dataflow executes the graph, in stages of fused nodes.
//!
//! Fail-stop: when a process fails, all do. What goes between them is neither encrypted nor authenticated.

mod alone;
mod connect;
mod flow;
mod outbox;
mod stage;
mod watched;
mod wire;

pub(crate) use alone::alone;

use crate::{
    Error, Graph, Place, Role,
    executor::{Run, Wish},
};
use std::{any::Any, mem, sync::Arc, time::Duration};
use timely::{
    WorkerConfig,
    communication::{
        Hooks,
        allocator::{
            AllocatorBuilder, ProcessBuilder,
            zero_copy::initialize::initialize_networking_from_sockets,
        },
    },
};
use watched::{Losses, Watched};

/// The processes of a run, and which of them this is.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// This process among them, from 0 on.
    pub index: usize,
    /// Where each listens.
    pub addresses: Vec<String>,
    /// Worker threads of each.
    pub workers: usize,
    /// How long they may take to find one another.
    pub deadline: Duration,
    /// Payloads of so many bytes and more go between processes as LZ4 where that makes them smaller.
    pub pack_from: usize,
}

impl Cluster {
    /// How long processes may take to find one another, unless told otherwise.
    pub const DEADLINE: Duration = Duration::from_secs(30);

    /// One of several processes, with one worker each.
    ///
    /// # Errors
    ///
    /// When there are not so many processes.
    pub fn new(index: usize, addresses: Vec<String>) -> Result<Self, Error> {
        if index >= addresses.len() {
            let why = format!("process {index} is not below their number, {}", addresses.len());
            return Err(Error::Cluster(why));
        }
        let (workers, deadline, pack_from) = (1, Self::DEADLINE, usize::MAX);
        Ok(Self { index, addresses, workers, deadline, pack_from })
    }

    /// One process alone, with so many workers.
    #[must_use]
    pub fn alone(workers: usize) -> Self {
        let (deadline, pack_from) = (Self::DEADLINE, usize::MAX);
        Self { index: 0, addresses: vec![String::new()], workers, deadline, pack_from }
    }

    fn peer(&self, index: usize, why: String) -> Error {
        Error::Peer { index, address: self.addresses[index].clone(), why }
    }
}

/// Each node that holds something begins a stage; in hybrid mode, so does what sources lead to.
pub(crate) fn stages(graph: &Graph, hybrid: bool) -> Vec<usize> {
    graph.stages(|node| match graph.nodes[node].role {
        Role::Source(_) => false,
        Role::Operator(_) => {
            graph.nodes[node].place != Place::Anywhere || (hybrid && moves(graph, node))
        }
    })
}

/// A node that holds nothing, directly behind a source, and before none that needs the order of all items:
/// several workers keep that of each key only.
fn moves(graph: &Graph, node: usize) -> bool {
    graph.nodes[node].place == Place::Anywhere
        && !graph.leads_to_order(node)
        && graph.edges.iter().any(|edge| {
            edge.to.0 == node && matches!(graph.nodes[edge.from.0].role, Role::Source(_))
        })
}

/// Starts the one thread that waits for all others.
pub(crate) fn start(
    graph: &Graph,
    run: &Run,
    cluster: &Cluster,
    hybrid: Option<f64>,
) -> Result<usize, Error> {
    let (graph, cluster, inner) = (graph.clone(), cluster.clone(), run.clone());
    run.spawn("weave".to_owned(), move || work(graph, &cluster, hybrid, inner))?;
    Ok(1)
}

fn work(graph: Graph, cluster: &Cluster, hybrid: Option<f64>, run: Run) -> Result<(), Error> {
    let hash = graph.hash() ^ u64::from(hybrid.is_some());
    let losses = Arc::new(Losses::default());
    let (builders, guard) = network(cluster, hash, &losses)?;
    let flow = flow::Flow { graph, run, cluster: cluster.clone(), hybrid, losses: losses.clone() };
    let config = WorkerConfig::default();
    let guards = timely::execute::execute_from(builders, Box::new(()), config, move |worker| {
        let done = flow.work(worker);
        if done.is_err() {
            flow.losses.break_off();
            flow.run.control.ask(Wish::Abort);
            for dataflow in worker.installed_dataflows() {
                worker.drop_dataflow(dataflow);
            }
        }
        done
    });
    let guards = guards.map_err(Error::Cluster)?;
    let mut ended = Ok(());
    for result in guards.join() {
        let result = result.unwrap_or_else(|_| match losses.ended() {
            Some(peer) => Err(cluster.peer(peer, "it is gone".to_owned())),
            None => Err(Error::Panicked),
        });
        // Whoever was stopped by another's failure says less than the other.
        match (&ended, result) {
            (_, Ok(())) | (Err(_), Err(Error::Aborted)) => {}
            (_, error) => ended = error,
        }
    }
    match ended {
        // All that was sent is received.
        Ok(()) => drop(guard),
        // Threads that wait for a peer that is gone would never be joined.
        Err(_) => mem::forget(guard),
    }
    ended
}

type Network = (Vec<AllocatorBuilder>, Box<dyn Any>);

fn network(cluster: &Cluster, hash: u64, losses: &Arc<Losses>) -> Result<Network, Error> {
    let refill = wire::refill();
    let local = ProcessBuilder::new_typed_vector(cluster.workers, refill.clone(), None);
    if cluster.addresses.len() == 1 {
        let local = local.into_iter().map(AllocatorBuilder::Process).collect();
        return Ok((local, Box::new(())));
    }
    let sockets = connect::connect(cluster, hash)?;
    let watched = sockets
        .into_iter()
        .enumerate()
        .map(|(peer, socket)| socket.map(|socket| Watched::new(socket, peer, losses.clone())));
    let hooks = Hooks { refill, ..Hooks::default() };
    let (index, workers) = (cluster.index, cluster.workers);
    let made = initialize_networking_from_sockets(local, watched.collect(), index, workers, hooks);
    let (builders, guard) = made.map_err(|error| Error::Cluster(error.to_string()))?;
    Ok((builders.into_iter().map(AllocatorBuilder::Tcp).collect(), Box::new(guard)))
}
