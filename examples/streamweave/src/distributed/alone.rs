//! Timely dataflow alone, with the graph's container, batches and window: what the graph is measured beside.

use super::{
    Cluster, Network, connect,
    flow::{NAP, ROUND, WINDOW},
    stage::Lists,
    wire::{self, Entry, Items, Spread},
};
use crate::{Error, Failure, Message, Next, Source, edges::Routed};
use std::sync::{Mutex, PoisonError};
use timely::{
    WorkerConfig,
    communication::{
        Hooks,
        allocator::{
            AllocatorBuilder, ProcessBuilder,
            zero_copy::initialize::initialize_networking_from_sockets,
        },
    },
    container::CapacityContainerBuilder,
    dataflow::{
        InputHandle, ProbeHandle,
        channels::pact::DistributorPact,
        operators::{Probe, generic::operator::Operator},
    },
    worker::Worker,
};

type Nothing = CapacityContainerBuilder<Vec<()>>;

/// Sends what the source of the first process gives to the second one, which takes it, and at the end nothing.
pub(crate) fn alone(
    cluster: &Cluster,
    bound: u64,
    source: Box<dyn Source>,
    take: impl FnMut(Option<Message>) + Send + 'static,
) -> Result<(), Error> {
    let (builders, guard) = network(cluster)?;
    let ends = Mutex::new(Some((source, take)));
    let config = WorkerConfig::default();
    let work = move |worker: &mut Worker| {
        let ends = ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        ends.map_or(Ok(()), |(source, take)| turns(worker, bound, source, take))
    };
    let guards = timely::execute::execute_from(builders, Box::new(()), config, work);
    let ended = guards.map_err(Error::Cluster)?.join().into_iter().try_for_each(|result| {
        let result = result.map_err(|_| Error::Panicked)?;
        result.map_err(|failure| Error::Node { node: "source".to_owned(), failure })
    });
    drop(guard);
    ended
}

fn network(cluster: &Cluster) -> Result<Network, Error> {
    let refill = wire::refill();
    let local = ProcessBuilder::new_typed_vector(1, refill.clone(), None);
    let sockets = connect::connect(cluster, 0)?;
    let hooks = Hooks { refill, ..Hooks::default() };
    let made = initialize_networking_from_sockets(local, sockets, cluster.index, 1, hooks);
    let (builders, guard) = made.map_err(|error| Error::Cluster(error.to_string()))?;
    Ok((builders.into_iter().map(AllocatorBuilder::Tcp).collect(), Box::new(guard)))
}

fn turns(
    worker: &mut Worker,
    bound: u64,
    mut source: Box<dyn Source>,
    mut take: impl FnMut(Option<Message>) + 'static,
) -> Result<(), Failure> {
    let (mut input, probe) = (InputHandle::<u64, Lists>::new_with_builder(), ProbeHandle::new());
    let (here, each) = (worker.index(), bound / WINDOW);
    worker.dataflow(|scope| {
        let spread = |peers: usize| Spread(vec![Items::default(); peers]);
        let stream = input.to_stream(scope);
        let end = stream.unary_frontier::<Nothing, _, _, _>(
            DistributorPact(spread),
            "sink",
            move |_, _| {
                move |(input, frontier), _| {
                    input.for_each(|_, items| {
                        items.entries.drain(..).for_each(|entry| take(Some(entry.routed.message)));
                    });
                    if frontier.is_empty() {
                        take(None);
                    }
                }
            },
        );
        end.probe_with(&probe);
    });
    let (mut items, mut round, mut more) = (Items::default(), 0, here == 0);
    while more {
        if probe.less_than(&u64::saturating_sub(round, WINDOW - 1)) {
            worker.step_or_park(Some(NAP));
            continue;
        }
        let mut bytes = 0;
        while more && (items.entries.len() as u64) < each && bytes < ROUND {
            match source.next()? {
                Next::Item(message) => {
                    bytes += message.payload.len();
                    let routed = Routed { edge: 0, message };
                    items.entries.push(Entry { worker: 1, packed: false, routed });
                }
                Next::Idle => {}
                Next::End => more = false,
            }
        }
        input.send_batch(&mut items);
        items.entries.clear();
        round += 1;
        input.advance_to(round);
        worker.step();
    }
    drop(input);
    while worker.has_dataflows() {
        worker.step_or_park(Some(NAP));
    }
    Ok(())
}
