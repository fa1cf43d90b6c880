//! The graph that is measured: a source, a map that changes nothing, a filter that all pass, and sinks.

use super::{
    gauge::{Gauge, now},
    job::{Job, Said, Way},
};
use crate::{
    ANY, BuildError, Builder, Failure, Graph, Item, Message, Meta, Next, Node, Operator, Outputs,
    Place, Source, function::cow,
};
use aqueduct::{Pool, Slice};
use hdrhistogram::Histogram;
use std::sync::{Arc, Mutex, PoisonError};

/// Keys that hybrid spreads items by.
const KEYS: u64 = 64;

/// Times from an emit to the next node's entry. Into sinks they are apart: those may be elsewhere.
#[derive(Clone)]
pub(super) struct Hops(Arc<[Mutex<Histogram<u64>>; 2]>);

impl Hops {
    pub(super) fn new() -> Self {
        // Of fixed size, so that they never allocate in the middle of a run.
        let bounds = || Histogram::new_with_bounds(1, 60_000_000_000, 3);
        Self(Arc::new([(); 2].map(|()| Mutex::new(bounds().expect("1 ns to 60 s are bounds")))))
    }

    /// The two, at half of the hops and at 99 in a hundred.
    pub(super) fn quantiles(&self) -> [[u64; 2]; 2] {
        [0, 1].map(|at| {
            let times = self.0[at].lock().unwrap_or_else(PoisonError::into_inner);
            [0.5, 0.99].map(|share| times.value_at_quantile(share))
        })
    }

    #[inline]
    fn entered<const WATCHED: bool>(&self, at: usize, message: &Message) {
        if WATCHED {
            let took = now().saturating_sub(message.timestamp);
            self.0[at].lock().unwrap_or_else(PoisonError::into_inner).saturating_record(took);
        }
    }
}

#[inline]
fn left<const WATCHED: bool>(message: &mut Message) {
    if WATCHED {
        message.timestamp = now();
    }
}

/// Gives items for some time, or so many.
pub(super) struct Feed<const WATCHED: bool> {
    payload: usize,
    most: u64,
    until: u64,
    metas: Vec<Meta>,
    /// The next one of them.
    turn: usize,
    next: u64,
    ended: bool,
    gauge: Gauge,
}

impl<const WATCHED: bool> Feed<WATCHED> {
    pub(super) fn new(job: &Job, gauge: Gauge) -> Self {
        let key = |key| Meta::default().with_key(format!("k{key}"));
        let metas = match job.way {
            Way::Hybrid => (0..KEYS).map(key).collect(),
            _ => vec![Meta::default()],
        };
        let until = job.milliseconds * 1_000_000;
        let (payload, most) = (job.payload, job.most.unwrap_or(u64::MAX));
        Self { payload, most, until, metas, turn: 0, next: 0, ended: false, gauge }
    }

    /// A short one stands in its handle; another is a block of the pool, all of it written.
    fn item(&self) -> Slice {
        if self.payload <= size_of::<u64>() {
            return Slice::copy_from_slice(&self.next.to_le_bytes()[..self.payload]);
        }
        let mut block = Pool::global().get(self.payload);
        // The pool gave so much.
        block.spare_mut()[..self.payload].fill(self.next.to_le_bytes()[0]);
        block.commit(self.payload);
        block.freeze()
    }
}

impl<const WATCHED: bool> Source for Feed<WATCHED> {
    fn next(&mut self) -> Result<Next, Failure> {
        let passed = if self.ended { None } else { self.gauge.count() };
        if self.next >= self.most || passed.is_some_and(|passed| passed >= self.until) {
            self.ended = true;
        }
        if self.ended {
            self.gauge.end();
            return Ok(Next::End);
        }
        let (payload, sequence) = (self.item().into(), self.next);
        self.next += 1;
        let meta = self.metas[self.turn].clone();
        self.turn = (self.turn + 1) % self.metas.len();
        let mut message = Message { payload, sequence, timestamp: 0, meta };
        left::<WATCHED>(&mut message);
        Ok(Next::Item(message))
    }
}

struct Map<const WATCHED: bool>(Hops);

impl<const WATCHED: bool> Operator for Map<WATCHED> {
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure> {
        self.0.entered::<WATCHED>(0, &message);
        let payload = cow(Slice::from_payload(message.payload)?, |bytes| bytes).into();
        let mut message = Message { payload, ..message };
        left::<WATCHED>(&mut message);
        out.emit(0, message)
    }
}

struct Filter<const WATCHED: bool>(Hops);

impl<const WATCHED: bool> Operator for Filter<WATCHED> {
    fn on_item(
        &mut self,
        _: usize,
        message: Message,
        out: &mut Outputs<'_>,
    ) -> Result<(), Failure> {
        self.0.entered::<WATCHED>(0, &message);
        let bytes = Slice::from_payload(message.payload)?;
        if bytes.is_empty() {
            return Ok(());
        }
        let mut message = Message { payload: bytes.into(), ..message };
        left::<WATCHED>(&mut message);
        out.emit(0, message)
    }
}

struct Sink<const WATCHED: bool> {
    hops: Hops,
    gauge: Option<Gauge>,
}

impl<const WATCHED: bool> Operator for Sink<WATCHED> {
    fn on_item(&mut self, _: usize, message: Message, _: &mut Outputs<'_>) -> Result<(), Failure> {
        self.hops.entered::<WATCHED>(1, &message);
        if let Some(gauge) = &mut self.gauge {
            gauge.count();
        }
        Ok(())
    }

    fn on_end(&mut self, _: &mut Outputs<'_>) -> Result<(), Failure> {
        if let Some(gauge) = &mut self.gauge {
            gauge.end();
        }
        Ok(())
    }
}

/// The graph of a job. What comes of it is said where the source is, and at the first sink.
pub(super) fn graph<const WATCHED: bool>(
    job: &Job,
    allocations: fn() -> u64,
    said: &Said,
) -> Result<Graph, BuildError> {
    let gauge = move |job: &Job, at: &super::gauge::Said| {
        Gauge::new(job.warm_ns(), allocations, at.clone())
    };
    let mut builder = Builder::default();
    let (own, at) = (job.clone(), said.source.clone());
    let feed = move || -> Result<Box<dyn Source>, Failure> {
        Ok(Box::new(Feed::<WATCHED>::new(&own, gauge(&own, &at))))
    };
    builder.add(Node::source("source", ANY, Arc::new(feed)))?;
    let hops = said.hops.clone();
    let map = move || -> Result<Box<dyn Operator>, Failure> {
        Ok(Box::new(Map::<WATCHED>(hops.clone())))
    };
    builder.add(Node::operator("map", ANY, ANY, Arc::new(map)))?;
    let hops = said.hops.clone();
    let filter = move || -> Result<Box<dyn Operator>, Failure> {
        Ok(Box::new(Filter::<WATCHED>(hops.clone())))
    };
    builder.add(Node::operator("filter", ANY, ANY, Arc::new(filter)))?;
    builder.connect("source", "map")?;
    builder.connect("map", "filter")?;
    for number in 0..job.fan_out {
        let (own, at, hops) = (job.clone(), said.sink.clone(), said.hops.clone());
        let sink = move || -> Result<Box<dyn Operator>, Failure> {
            let gauge = (number == 0).then(|| gauge(&own, &at));
            Ok(Box::new(Sink::<WATCHED> { hops: hops.clone(), gauge }))
        };
        let node = Node::sink(format!("sink{number}"), ANY, Arc::new(sink));
        // The last process: of one alone, the first.
        builder.add(Node { place: Place::On(1), ..node })?;
        builder.connect("filter", &format!("sink{number}"))?;
    }
    builder.build()
}
