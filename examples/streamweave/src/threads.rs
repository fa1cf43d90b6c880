//! Within one process: fused segments, each on its thread, which meet at bounded queues.

use crate::{
    Error, Graph,
    edges::{Exit, Refused, Routed},
    executor::{Run, Wish},
    operator::Travel,
    segment::Segment,
};
use aqueduct::ring::{Builder, Consumer, Many, One, Producer};
use std::{thread, time::Duration};

/// Items between two times that a thread tells what it counted, and looks what is wished.
const TELL: u64 = 256;
/// How long a thread sleeps whose sources all have nothing.
const IDLE: Duration = Duration::from_micros(500);
/// Slots that a thread takes out of its queue at a time. They are its queue's until all are done.
const TAKE: usize = 64;

type Slot = Option<Routed>;

/// The queues that lead on, by edge.
struct Queues(Vec<Option<Producer<Slot, Many>>>);

impl Exit for Queues {
    fn push(&mut self, routed: Routed) -> Result<usize, (Routed, Refused)> {
        let queue = self.0[routed.edge as usize].as_mut();
        let Some(mut slot) = queue.and_then(|queue| queue.claim().ok()) else {
            // A queue that is closed has lost its consumer: somebody else says why.
            return Err((routed, Refused::Gone));
        };
        *slot = Some(routed);
        slot.publish();
        Ok(0)
    }
}

/// Each node with a thread of its own begins a segment.
pub(crate) fn stages(graph: &Graph) -> Vec<usize> {
    graph.stages(|node| graph.nodes[node].thread)
}

/// Starts all threads, and says how many they are.
pub(crate) fn start(graph: &Graph, run: &Run, travel: Travel) -> Result<usize, Error> {
    let stages = stages(graph);
    let count = stages.iter().max().map_or(0, |last| last + 1);
    let mut queues: Vec<Option<Producer<Slot, Many>>> = vec![None; graph.edges.len()];
    let mut consumers: Vec<Option<Consumer<Slot>>> = Vec::new();
    for stage in 0..count {
        let leads_in =
            |edge: &crate::graph::Edge| stages[edge.to.0] == stage && stages[edge.from.0] != stage;
        if !graph.edges.iter().any(leads_in) {
            consumers.push(None);
            continue;
        }
        // A ring has a power of two, and a queue never more than its bound.
        let bound = 1 << graph.bound.max(1).ilog2();
        let ring = Builder::new(bound).build_many::<Slot, One>(|| None);
        let (producer, consumer) = ring.map_err(|why| Error::Cluster(why.to_string()))?;
        for (queue, edge) in queues.iter_mut().zip(&graph.edges) {
            if leads_in(edge) {
                *queue = Some(producer.clone());
            }
        }
        consumers.push(Some(consumer));
    }
    let mut segments = Vec::new();
    for stage in 0..count {
        let own = |(edge, queue): (usize, &Option<Producer<Slot, Many>>)| {
            queue.clone().filter(|_| stages[graph.edges[edge].from.0] == stage)
        };
        let exit = Queues(queues.iter().enumerate().map(own).collect());
        segments.push(Segment::new(graph, |node| stages[node] == stage, |_| true, travel, exit)?);
    }
    for ((stage, segment), consumer) in segments.into_iter().enumerate().zip(consumers) {
        let inner = run.clone();
        run.spawn(format!("weave-{stage}"), move || match consumer {
            Some(consumer) => work(segment, consumer, &inner),
            None => feed(segment, &inner),
        })?;
    }
    Ok(count)
}

/// A thread that stands behind a queue.
fn work(mut segment: Segment<Queues>, mut queue: Consumer<Slot>, run: &Run) -> Result<(), Error> {
    let mut told = 0;
    let result = loop {
        let mut batch = match queue.take(TAKE) {
            Ok(batch) => batch,
            Err(closed) if closed.panicked() => break Err(Error::Aborted),
            Err(_) => break Ok(()),
        };
        if run.control.wish() == Wish::Abort {
            break Err(Error::Aborted);
        }
        told += batch.len() as u64;
        let mut slots = batch.iter_mut().filter_map(Option::take);
        if let Err(error) = slots.try_for_each(|routed| segment.accept(routed)) {
            break Err(error);
        }
        drop(batch);
        if told >= TELL {
            told = 0;
            segment.publish(&run.metrics);
        }
    };
    close(segment, run, result)
}

/// A thread with sources, each in its turn.
fn feed(mut segment: Segment<Queues>, run: &Run) -> Result<(), Error> {
    let result = turns(&mut segment, run);
    close(segment, run, result)
}

fn turns(segment: &mut Segment<Queues>, run: &Run) -> Result<(), Error> {
    let mut since = 0;
    while segment.sources() > 0 {
        if since % TELL == 0 {
            segment.publish(&run.metrics);
        }
        match run.control.gate() {
            Wish::Abort => return Err(Error::Aborted),
            Wish::Drain => return Ok(()),
            Wish::Run | Wish::Pause => {}
        }
        since += 1;
        let mut idle = true;
        let mut source = 0;
        while source < segment.sources() {
            if let Some(given) = segment.poll(source)? {
                source += 1;
                idle &= !given;
            } else {
                idle = false;
            }
        }
        if idle {
            segment.publish(&run.metrics);
            thread::sleep(IDLE);
        }
    }
    Ok(())
}

/// Before the queues behind are closed, so that those there know whether this was the end.
fn close(
    mut segment: Segment<Queues>,
    run: &Run,
    mut ended: Result<(), Error>,
) -> Result<(), Error> {
    if ended.is_ok() {
        ended = if run.control.wish() == Wish::Abort { Err(Error::Aborted) } else { segment.end() };
    }
    if ended.is_err() {
        run.control.ask(Wish::Abort);
    }
    segment.publish(&run.metrics);
    ended
}
