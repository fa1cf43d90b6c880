//! Random scripts over a ring of every shape, on one thread, against the [oracle](crate::oracle): what is
//! claimed, seen and refused, and who is woken.

use crate::oracle::{Content, Nothing, Oracle};
use aqueduct_ring::{
    Batch, Beside, Builder, Claim, ClaimError, Claims, Closed, Consumer, Exclusive, Many, Number,
    One, Producer, Shared, Sole, TakeError,
};
use aqueduct_testkit::{Step, scale};
use proptest::prelude::*;
use std::{
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

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

/// A handle, and what it waits for, if it does.
struct Seat<H, W> {
    handle: Option<H>,
    waits: Option<W>,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

impl<H, W> Seat<H, W> {
    fn new(handle: H) -> Self {
        Self { handle: Some(handle), waits: None, bell: Arc::default() }
    }

    /// Polls once and gives up.
    fn poll<R>(
        &mut self,
        waits: W,
        poll: impl FnOnce(&mut H, &mut Context<'_>) -> Poll<R>,
    ) -> Option<R> {
        self.bell.0.store(false, Relaxed);
        let waker = Waker::from(self.bell.clone());
        let handle = self.handle.as_mut().unwrap();
        let polled = poll(handle, &mut Context::from_waker(&waker));
        self.waits = polled.is_pending().then_some(waits);
        match polled {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    fn drop_handle(&mut self, panicking: bool) {
        let handle = self.handle.take();
        self.waits = None;
        if panicking {
            in_a_panic(handle);
        }
    }
}

/// Drops it while the thread unwinds.
fn in_a_panic<T>(held: T) {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let _held = held;
        resume_unwind(Box::new(()));
    }));
    assert!(caught.is_err());
}

struct World {
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
    fn new(kind: u8) -> Self {
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

    fn step(&mut self, step: Step) {
        match step.op % 16 {
            0..=5 => self.claim(step),
            6..=12 => self.take(step),
            13 if step.other % 4 == 0 => self.drop_consumer(step),
            14 if step.other % 4 == 0 => self.drop_producer(step),
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
        if step.x % 2 == 0 {
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
                assert!(seat.bell.0.load(Relaxed), "a producer sleeps on");
                seat.waits = None;
            }
        }
        for (stage, seats) in self.consumers.iter_mut().enumerate() {
            for (who, seat) in seats.iter_mut().enumerate() {
                let there = self.oracle.see(stage, who) != Err(Nothing::Yet);
                if seat.waits.is_some() && there {
                    assert!(seat.bell.0.load(Relaxed), "a consumer sleeps on");
                    seat.waits = None;
                }
            }
        }
    }

    fn drop_consumer(&mut self, step: Step) {
        let Some((stage, who)) = self.consumer(step) else { return };
        let panicking = step.y % 4 == 0;
        self.oracle.drop_consumer(stage, who, panicking);
        self.consumers[stage][who].drop_handle(panicking);
    }

    fn drop_producer(&mut self, step: Step) {
        let Some(who) = self.producer(step) else { return };
        let panicking = step.y % 4 == 0;
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
}

fn nothing(error: TakeError) -> Nothing {
    match error {
        TakeError::Empty => Nothing::Yet,
        TakeError::Closed(closed) => Nothing::Ever(closed.panicked()),
        other => panic!("{other}"),
    }
}

fn no_room(error: ClaimError) -> Nothing {
    match error {
        ClaimError::Full => Nothing::Yet,
        ClaimError::Closed(closed) => Nothing::Ever(Closed::panicked(&closed)),
        other => panic!("{other}"),
    }
}

/// What a claim found in its slots, what it left there, and how many it published, if it did not forget.
type Claimed = (Result<Vec<Content>, Nothing>, Vec<Content>, Option<usize>);

fn claimed<N: Number>(
    claims: Result<Claims<'_, Value, N>, ClaimError>,
    next: u64,
    publish: usize,
    step: Step,
) -> Claimed {
    let mut claims = match claims {
        Ok(claims) => claims,
        Err(error) => return (Err(no_room(error)), Vec::new(), None),
    };
    let found: Vec<_> = claims.iter_mut().map(|value| value.content).collect();
    assert_eq!((claims.len(), claims.is_empty()), (found.len(), found.is_empty()));
    // Some are not written to.
    for (value, number) in claims.iter_mut().take(usize::from(step.other >> 4)).zip(next..) {
        value.content = Content { value: number, marks: 0 };
    }
    let left = claims.iter_mut().map(|value| value.content).collect();
    let published = match step.other % 8 {
        0..5 => {
            claims.publish(publish);
            Some(publish)
        }
        5 => {
            drop(claims);
            Some(0)
        }
        6 => {
            mem::forget(claims);
            None
        }
        _ => {
            in_a_panic(claims);
            Some(0)
        }
    };
    (Ok(found), left, published)
}

/// The same of a single slot.
fn one<N: Number>(
    claim: Result<Claim<'_, Value, N>, ClaimError>,
    next: u64,
    publish: usize,
    step: Step,
) -> Claimed {
    let mut claim = match claim {
        Ok(claim) => claim,
        Err(error) => return (Err(no_room(error)), Vec::new(), None),
    };
    let found = claim.content;
    claim.content = Content { value: next, marks: 0 };
    let left = claim.content;
    let published = match (publish, step.other % 8) {
        (_, 6) => {
            mem::forget(claim);
            None
        }
        (_, 7) => {
            in_a_panic(claim);
            Some(0)
        }
        (1, _) => {
            claim.publish();
            Some(1)
        }
        _ => {
            claim.abort();
            Some(0)
        }
    };
    (Ok(vec![found]), vec![left], published)
}

fn ended<A: aqueduct_ring::Access>(batch: Batch<'_, Value, A>, step: Step) {
    match step.other % 8 {
        0..6 => drop(batch),
        6 => mem::forget(batch),
        _ => in_a_panic(batch),
    }
}

/// Forty steps in the mean, and down to one when a failure shrinks.
fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = any::<[u8; Step::BYTES]>().prop_map(Step::decode);
    prop::collection::vec(step, 1..80)
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: u32::try_from(scale(4_000)).unwrap_or(u32::MAX), ..Default::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn rings_show_what_their_oracle_shows(kind: u8, script in script()) {
        let mut world = World::new(kind);
        for step in script {
            world.step(step);
        }
        let ring_is_there = world.producers.iter().any(|seat| seat.handle.is_some())
            || world.consumers.iter().flatten().any(|seat| seat.handle.is_some());
        let values = if ring_is_there { world.capacity } else { 0 };
        prop_assert_eq!(Arc::strong_count(&world.alive), 1 + values);
        let alive = world.alive.clone();
        drop(world);
        prop_assert_eq!(Arc::strong_count(&alive), 1);
    }
}
