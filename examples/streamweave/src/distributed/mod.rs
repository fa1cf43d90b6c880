//! On several workers and processes: timely dataflow executes the graph, in stages of fused nodes.
//!
//! Fail-stop: when a process fails, all do. What goes between them is neither encrypted nor authenticated.

mod alone;
mod connect;
mod flow;
mod frames;
mod outbox;
mod stage;
mod stop;
mod watched;
mod wire;

pub(crate) use alone::alone;

use crate::{
    Error, Graph, Place, Role,
    executor::{Control, Run, Wish},
};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use timely::{
    WorkerConfig,
    communication::{
        Hooks,
        allocator::{
            AllocatorBuilder, ProcessBuilder,
            zero_copy::initialize::initialize_networking_from_sockets,
        },
    },
    worker::Worker,
};
use watched::{Losses, Watched};

/// What goes between processes, for the fuzz target: items with the edge that each is on.
#[doc(hidden)]
pub mod fuzzed {
    use super::wire::{Entry, Items, pack};
    use crate::{Message, edges::Routed};
    use timely::{bytes::arc::BytesMut, dataflow::channels::ContainerBytes};

    pub fn read(bytes: Vec<u8>) -> Result<Vec<(u32, Message)>, String> {
        let Items { entries, damage } = Items::from_bytes(BytesMut::from(bytes).freeze());
        let items = entries.into_iter().map(|Entry { routed, .. }| (routed.edge, routed.message));
        damage.map_or_else(|| Ok(items.collect()), Err)
    }

    #[must_use]
    pub fn write(items: &[(u32, Message)], pack_from: usize) -> Vec<u8> {
        let entry = |&(edge, ref message): &(u32, Message)| {
            let mut message = message.clone();
            let packed = pack(&mut message.payload, pack_from).unwrap_or(false);
            Entry { worker: 0, packed, routed: Routed { edge, message } }
        };
        let (entries, mut bytes) = (items.iter().map(entry).collect(), Vec::new());
        Items { entries, damage: None }.into_bytes(&mut bytes);
        bytes
    }
}

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

/// A node that holds nothing, directly behind a source, and before none that needs the order of all items
/// or gives them other keys: several workers keep the order of each key only, by which they spread items.
fn moves(graph: &Graph, node: usize) -> bool {
    graph.nodes[node].place == Place::Anywhere
        && graph.edges.iter().any(|edge| {
            edge.to.0 == node && matches!(graph.nodes[edge.from.0].role, Role::Source(_))
        })
        && !graph.leads_to(node, |behind| {
            (behind.in_order && behind.place != Place::ByKey) || behind.rekeys
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
    let (losses, control) = (Arc::new(Losses::default()), run.control.clone());
    let flow = flow::Flow { graph, run, cluster: cluster.clone(), hybrid, losses: losses.clone() };
    let work = move |worker: &mut Worker| flow.work(worker);
    execute(cluster, hash, &losses, &control, work)
}

/// Runs workers, among those of all processes, to their end. What a worker fails at breaks off all of it.
fn execute(
    cluster: &Cluster,
    hash: u64,
    losses: &Arc<Losses>,
    control: &Arc<Control>,
    work: impl Fn(&mut Worker) -> Result<(), Error> + Send + Sync + 'static,
) -> Result<(), Error> {
    let (builders, guard) = network(cluster, hash, losses, control)?;
    let (config, known, control) = (WorkerConfig::default(), losses.clone(), control.clone());
    let guards = timely::execute::execute_from(builders, Box::new(()), config, move |worker| {
        let done = catch_unwind(AssertUnwindSafe(|| work(worker)));
        let done = done.unwrap_or(Err(Error::Panicked));
        if done.is_err() {
            known.break_off();
            control.ask(Wish::Abort);
            for dataflow in worker.installed_dataflows() {
                worker.drop_dataflow(dataflow);
            }
        }
        done
    });
    let guards = guards.map_err(Error::Cluster)?;
    let mut ended = Ok(());
    for result in guards.join() {
        let result = result.unwrap_or(Err(Error::Panicked));
        // Whoever was stopped by another's failure says less than the other.
        match (&ended, result) {
            (_, Ok(())) | (Err(_), Err(Error::Aborted)) => {}
            (_, error) => ended = error,
        }
    }
    losses.over();
    // Threads whose peers are gone may have ended in any way; how the run ended is known.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(guard)));
    ended
}

type Network = (Vec<AllocatorBuilder>, Box<dyn Any>);

fn network(
    cluster: &Cluster,
    hash: u64,
    losses: &Arc<Losses>,
    control: &Control,
) -> Result<Network, Error> {
    let refill = wire::refill();
    let local = ProcessBuilder::new_typed_vector(cluster.workers, refill.clone(), None);
    if cluster.addresses.len() == 1 {
        let local = local.into_iter().map(AllocatorBuilder::Process).collect();
        return Ok((local, Box::new(())));
    }
    let sockets = connect::connect(cluster, hash, control);
    let sockets = sockets.map_err(|why| if control.ending() { Error::Aborted } else { why })?;
    let (index, workers) = (cluster.index, cluster.workers);
    let watched = sockets.into_iter().enumerate().map(|(peer, socket)| {
        socket.map(|socket| Watched::new(socket, [peer, index], workers, losses)).transpose()
    });
    let hooks = Hooks { refill, ..Hooks::default() };
    let made = watched.collect::<Result<_, _>>().and_then(|watched| {
        initialize_networking_from_sockets(local, watched, index, workers, hooks)
    });
    let (builders, guard) = made.map_err(|error| Error::Cluster(error.to_string()))?;
    Ok((builders.into_iter().map(AllocatorBuilder::Tcp).collect(), Box::new(guard)))
}
