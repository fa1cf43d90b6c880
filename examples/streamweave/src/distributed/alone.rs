//! Timely dataflow alone, with the graph's container, batches and window: what the graph is measured beside.

use super::{
    Cluster, execute,
    flow::{NAP, ROUND, WINDOW},
    stage::Lists,
    watched::Losses,
    wire::{Entry, Items, Spread},
};
use crate::{Error, Message, Next, Source, edges::Routed};
use std::sync::{Arc, Mutex, PoisonError};
use timely::{
    container::CapacityContainerBuilder,
    dataflow::{
        InputHandle, ProbeHandle,
        channels::pact::DistributorPact,
        operators::{Probe, generic::operator::Operator},
    },
    worker::Worker,
};

pub(super) type Nothing = CapacityContainerBuilder<Vec<()>>;

/// Sends what the source of the first process gives to the second one, which takes it, and at the end nothing.
pub(crate) fn alone(
    cluster: &Cluster,
    bound: u64,
    source: Box<dyn Source>,
    take: impl FnMut(Option<Message>) + Send + 'static,
) -> Result<(), Error> {
    let (ends, losses) = (Mutex::new(Some((source, take))), Arc::new(Losses::default()));
    let (own, known) = (cluster.clone(), losses.clone());
    let work = move |worker: &mut Worker| {
        let ends = ends.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lost = || known.lost().map_or(Ok(()), |(peer, why)| Err(own.peer(peer, why)));
        ends.map_or(Ok(()), |(source, take)| turns(worker, bound, source, take, lost))
    };
    execute(cluster, 0, &losses, &Arc::default(), work)
}

fn turns(
    worker: &mut Worker,
    bound: u64,
    mut source: Box<dyn Source>,
    mut take: impl FnMut(Option<Message>) + 'static,
    lost: impl Fn() -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut input, probe) = (InputHandle::<u64, Lists>::new_with_builder(), ProbeHandle::new());
    let (here, each) = (worker.index(), bound / WINDOW);
    worker.dataflow(|scope| {
        let stream = input.to_stream(scope);
        let end = stream.unary_frontier::<Nothing, _, _, _>(
            DistributorPact(Spread::over),
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
    let failed = |failure| Error::Node { node: "source".to_owned(), failure };
    let (mut items, mut round, mut more) = (Items::default(), 0, here == 0);
    while more {
        if probe.less_than(&u64::saturating_sub(round, WINDOW - 1)) {
            worker.step_or_park(Some(NAP));
            lost()?;
            continue;
        }
        let mut bytes = 0;
        while more && (items.entries.len() as u64) < each && bytes < ROUND {
            match source.next().map_err(failed)? {
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
        lost()?;
    }
    Ok(())
}
