//! A ring of any shape and its oracle, driven by steps on one thread: what is claimed, seen and refused,
//! and who is woken.

mod ends;

use crate::oracle::{Content, Nothing, Oracle};
use aqueduct_ring::{Beside, Builder, Consumer, Exclusive, Many, One, Producer, Shared, Sole};
use aqueduct_testkit::Step;
use ends::{Seat, claimed, ended, nothing, one};
use std::{pin::pin, sync::Arc};

/// What the slots hold: every one of them is counted.
struct Value {
    content: Content,
    _alive: Arc<()>,
}

enum Maker {
    Sole(Producer<Value, Sole>),
    Many(Producer<Value, Many>),
}

enum Taker {
    Alone(Consumer<Value, Exclusive>),
    Beside(Consumer<Value, Shared>),
}

pub(crate) struct World {
    oracle: Oracle,
    capacity: usize,
    alive: Arc<()>,
    producers: Vec<Seat<Maker, usize>>,
    consumers: Vec<Vec<Seat<Taker, ()>>>,
    next: u64,
}

fn alone(consumer: Consumer<Value>) -> Vec<Seat<Taker, ()>> {
    vec![Seat::new(Taker::Alone(consumer))]
}

fn beside<const N: usize>(consumers: [Consumer<Value, Shared>; N]) -> Vec<Seat<Taker, ()>> {
    consumers.map(|consumer| Seat::new(Taker::Beside(consumer))).into()
}

/// The producer and the consumers of a layout.
macro_rules! made {
    ($capacity:expr, $alive:expr, $several:expr, $layout:ty, |$consumers:pat_param| $stages:expr) => {{
        let alive = &$alive;
        let value = || Value { content: Content::default(), _alive: alive.clone() };
        let builder = Builder::new($capacity);
        if $several {
            let (producer, $consumers) = builder.build_many::<_, $layout>(value).unwrap();
            (Maker::Many(producer), $stages)
        } else {
            let (producer, $consumers) = builder.build::<_, $layout>(value).unwrap();
            (Maker::Sole(producer), $stages)
        }
    }};
}

impl World {
    pub(crate) fn new(kind: u8) -> Self {
        let (capacity, several) = (1 << (kind & 3), kind & 4 > 0);
        let alive = Arc::new(());
        let (producer, consumers) = match kind >> 3 & 3 {
            0 => made!(capacity, alive, several, One, |a| vec![alone(a)]),
            1 => made!(capacity, alive, several, (One, One), |(a, b)| vec![alone(a), alone(b)]),
            2 => made!(capacity, alive, several, (Beside<2>, One), |(a, b)| {
                vec![beside(a), alone(b)]
            }),
            _ => made!(capacity, alive, several, (One, Beside<3>, One), |(a, b, c)| {
                vec![alone(a), beside(b), alone(c)]
            }),
        };
        let widths: Vec<usize> = consumers.iter().map(Vec::len).collect();
        Self {
            oracle: Oracle::new(capacity, &widths, several),
            capacity,
            alive,
            producers: vec![Seat::new(producer)],
            consumers,
            next: 1,
        }
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step.op % 16 {
            0..=5 => self.claim(step),
            6..=12 => self.take(step),
            13 if step.other.is_multiple_of(4) => self.drop_consumer(step),
            14 if step.other.is_multiple_of(4) => self.drop_producer(step),
            15 => self.clone_producer(step),
            _ => self.wait(step),
        }
        self.wakes();
    }

    /// A producer that is there.
    fn producer(&self, step: Step) -> Option<usize> {
        let there = self.producers.iter().enumerate().filter(|(_, seat)| seat.handle.is_some());
        let there: Vec<usize> = there.map(|(i, _)| i).collect();
        (!there.is_empty()).then(|| there[usize::from(step.who) % there.len()])
    }

    /// A consumer that is there.
    fn consumer(&self, step: Step) -> Option<(usize, usize)> {
        let all = self.consumers.iter().enumerate();
        let all =
            all.flat_map(|(stage, seats)| seats.iter().enumerate().map(move |at| (stage, at)));
        let there = all.filter(|(_, (_, seat))| seat.handle.is_some());
        let there: Vec<_> = there.map(|(stage, (who, _))| (stage, who)).collect();
        (!there.is_empty()).then(|| there[usize::from(step.who) % there.len()])
    }

    fn claim(&mut self, step: Step) {
        let Some(who) = self.producer(step) else { return };
        let count = usize::from(step.x) % (self.capacity + 1);
        let expected = self.oracle.claim(who, count);
        let next = self.next;
        self.next += count as u64;
        let maker = self.producers[who].handle.as_mut().unwrap();
        let publish = usize::from(step.y) % (count + 1);
        let (got, filled, published) = match maker {
            Maker::Sole(producer) => claimed(producer.try_claim_many(count), next, publish, step),
            Maker::Many(producer) if count == 1 => one(producer.try_claim(), next, publish, step),
            Maker::Many(producer) => claimed(producer.try_claim_many(count), next, publish, step),
        };
        assert_eq!(got, expected);
        if got.is_ok() {
            self.oracle.filled(who, &filled, published);
        }
    }

    fn take(&mut self, step: Step) {
        let Some((stage, who)) = self.consumer(step) else { return };
        let most = usize::from(step.x) % (self.capacity + 2);
        let walk = usize::from(step.y) % (most + 2);
        let marks = 10_u64.pow(u32::try_from(stage).unwrap());
        let expected = self.oracle.see(stage, who);
        let taker = self.consumers[stage][who].handle.as_mut().unwrap();
        let alone = matches!(taker, Taker::Alone(_));
        let got = match taker {
            Taker::Alone(consumer) => consumer.try_take(most).map_err(nothing).map(|mut batch| {
                let len = batch.len();
                let mut seen = Vec::new();
                for value in batch.iter_mut().take(walk) {
                    seen.push(value.content);
                    value.content.marks += marks;
                }
                let left = batch.len();
                ended(batch, step);
                (len, left, seen)
            }),
            Taker::Beside(consumer) => consumer.try_take(most).map_err(nothing).map(|mut batch| {
                let len = batch.len();
                let seen: Vec<_> = batch.iter().take(walk).map(|value| value.content).collect();
                let left = batch.len();
                ended(batch, step);
                (len, left, seen)
            }),
        };
        let (got, there) = match (got, expected) {
            (Ok(got), Ok(there)) => (got, there),
            (got, expected) => return assert_eq!(got.err(), expected.err()),
        };
        // As far as the walk came: over what was given up, too, on its way to the next.
        let len = there.len().min(most);
        let (mut passed, mut seen) = (0, Vec::new());
        while seen.len() < walk && passed < len {
            if let Some(content) = there[passed] {
                seen.push(content);
                if alone {
                    self.oracle.mark(stage, who, passed, marks);
                }
            }
            passed += 1;
        }
        assert_eq!(got, (len, len - passed, seen));
        if step.other % 8 < 6 {
            self.oracle.done(stage, who, passed);
        }
    }

    /// Polls for what is not there, and gives up.
    fn wait(&mut self, step: Step) {
        if step.x.is_multiple_of(2) {
            let Some((stage, who)) = self.consumer(step) else { return };
            let seat = &mut self.consumers[stage][who];
            let got = seat.poll((), |taker, context| match taker {
                Taker::Alone(it) => {
                    pin!(it.take_async(1)).poll(context).map_ok(|batch| batch.len())
                }
                Taker::Beside(it) => {
                    pin!(it.take_async(1)).poll(context).map_ok(|batch| batch.len())
                }
            });
            match (got, self.oracle.see(stage, who)) {
                (None, Err(Nothing::Yet)) => {}
                (Some(Ok(1)), Ok(_)) => {}
                (Some(Err(closed)), Err(Nothing::Ever(panicked))) => {
                    assert_eq!(closed.panicked(), panicked);
                }
                (got, expected) => panic!("{got:?}, not {expected:?}"),
            }
        } else {
            let Some(who) = self.producer(step) else { return };
            let count = 1 + usize::from(step.y) % self.capacity;
            let expected = self.oracle.claim(who, count);
            let got = self.producers[who].poll(count, |maker, context| match maker {
                Maker::Sole(it) => pin!(it.claim_many_async(count)).poll(context).map_ok(drop),
                Maker::Many(it) => pin!(it.claim_many_async(count)).poll(context).map_ok(drop),
            });
            match (got, expected) {
                (None, Err(Nothing::Yet)) => {}
                (Some(Ok(())), Ok(contents)) => self.oracle.filled(who, &contents, Some(0)),
                (Some(Err(closed)), Err(Nothing::Ever(panicked))) => {
                    assert_eq!(closed.panicked(), panicked);
                }
                (got, expected) => panic!("{got:?}, not {expected:?}"),
            }
        }
    }

    /// Whoever waits for what is there by now was woken.
    fn wakes(&mut self) {
        for seat in &mut self.producers {
            let there = |count| self.oracle.answers(count);
            if seat.waits.is_some_and(there) {
                assert!(seat.was_woken(), "a producer sleeps on");
                seat.waits = None;
            }
        }
        for (stage, seats) in self.consumers.iter_mut().enumerate() {
            for (who, seat) in seats.iter_mut().enumerate() {
                let there = self.oracle.see(stage, who) != Err(Nothing::Yet);
                if seat.waits.is_some() && there {
                    assert!(seat.was_woken(), "a consumer sleeps on");
                    seat.waits = None;
                }
            }
        }
    }

    fn drop_consumer(&mut self, step: Step) {
        let Some((stage, who)) = self.consumer(step) else { return };
        let panicking = step.y.is_multiple_of(4);
        self.oracle.drop_consumer(stage, who, panicking);
        self.consumers[stage][who].drop_handle(panicking);
    }

    fn drop_producer(&mut self, step: Step) {
        let Some(who) = self.producer(step) else { return };
        let panicking = step.y.is_multiple_of(4);
        self.oracle.drop_producer(who, panicking);
        self.producers[who].drop_handle(panicking);
    }

    fn clone_producer(&mut self, step: Step) {
        let Some(who) = self.producer(step) else { return };
        if let Some(Maker::Many(producer)) = &self.producers[who].handle {
            self.producers.push(Seat::new(Maker::Many(producer.clone())));
            self.oracle.clone_producer();
        }
    }

    /// All values are there as long as anybody is at the ring, and no longer.
    pub(crate) fn end(self) {
        let producers = self.producers.iter().any(|seat| seat.handle.is_some());
        let consumers = self.consumers.iter().flatten().any(|seat| seat.handle.is_some());
        let values = if producers || consumers { self.capacity } else { 0 };
        assert_eq!(Arc::strong_count(&self.alive), 1 + values);
        let alive = self.alive.clone();
        drop(self);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
