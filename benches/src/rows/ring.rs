//! Events of 64 bytes through rings and queues: one at a time, in batches, from one thread to another.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use aqueduct::ring::{Builder, One, Wait};
use crossbeam_queue::ArrayQueue;
use disruptor::{BusySpin, Producer, build_single_producer};
use rtrb::RingBuffer;
use thingbuf::ThingBuf;

use crate::clock::cpu_of;
use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::rows::row;
use crate::target::{Bound, Target};

/// What goes through: filled on the one side, looked at on the other.
type Event = [u64; 8];

/// Events that there is room for.
const ROOM: usize = 1024;

/// Events of a batch.
const BATCH: usize = 64;

/// Events that go over from one thread to another in one run.
const TOTAL: u64 = 200_000;

pub(super) fn rows() -> [Row; 3] {
    [
        row("ring.event", &[Bound::Median(3.0)], here::<1>),
        row("ring.batch64", &[Bound::Median(1.0)], here::<BATCH>),
        Row {
            id: "ring.two_threads".into(),
            target: Target(&[]),
            floor: "",
            unit: NS,
            build: Box::new(across),
        },
    ]
}

/// `N` events in, and out again.
///
/// Makers know their row's threads, so that each row has code of its own: what is called from one place
/// only is compiled into its loop, ours and the peers' alike.
fn here<const N: usize>() -> Vec<Subject> {
    let one_by_one = if N > 1 { "one after the other" } else { "" };
    vec![
        turn::<N>(OURS, ours::<N, 1>(Wait::Yield)).note("waits by yielding"),
        turn::<N>("aqueduct-park", ours::<N, 1>(Wait::Park))
            .note("a fence for those who may sleep"),
        turn::<N>("aqueduct-many", ours_of_many::<N, 1>()).note("one of several producers"),
        turn::<N>("disruptor", disruptor::<N, 1>()).note("its poller; the consumer cannot write"),
        turn::<N>("rtrb", rtrb::<N, 1>()).note("moves its events; nobody can wait"),
        turn::<N>("thingbuf", thingbuf::<N, 1>()).note(one_by_one),
        turn::<N>("array-queue", array_queue::<N, 1>()).note(one_by_one),
        turn::<N>("mpsc", channel::<N, 1>()).note(one_by_one),
    ]
}

/// An event at a time, taken as they come; who finds no room, or nothing, yields.
fn across() -> Vec<Subject> {
    vec![
        over(OURS, || ours::<1, 2>(Wait::Yield)),
        over("aqueduct-park", || ours::<1, 2>(Wait::Park)).note("a fence for those who may sleep"),
        over("aqueduct-many", ours_of_many::<1, 2>).note("one of several producers"),
        over("disruptor", disruptor::<1, 2>).note("its poller; the consumer cannot write"),
        over("rtrb", rtrb::<1, 2>).note("moves its events; nobody can wait"),
        over("thingbuf", thingbuf::<1, 2>),
        over("array-queue", array_queue::<1, 2>),
        over("mpsc", channel::<1, 2>),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "a small constant")]
fn turn<const N: usize>(
    key: &'static str,
    (mut put, mut take): (impl FnMut(u64) -> bool + 'static, impl FnMut() -> usize + 'static),
) -> Subject {
    let mut number = 0;
    let work = Work::each(move || {
        number += 1;
        assert!(put(number));
        assert_eq!(take(), N);
    });
    Subject::new(key, work).operations(N as f64)
}

/// What both sides spend.
#[expect(clippy::cast_precision_loss, reason = "a run is far below 2^53 ns")]
fn over<P, T>(key: &'static str, make: impl Fn() -> (P, T) + 'static) -> Subject
where
    P: FnMut(u64) -> bool + Send + 'static,
    T: FnMut() -> usize + Send + 'static,
{
    let work = move || {
        let (mut put, mut take) = make();
        let puts = move || {
            for number in 0..TOTAL {
                while !put(number) {
                    thread::yield_now();
                }
            }
        };
        let takes = move || {
            let mut left = TOTAL;
            while left > 0 {
                match take() {
                    0 => thread::yield_now(),
                    count => left -= count as u64,
                }
            }
        };
        let other = thread::spawn(move || cpu_of(takes));
        let own = cpu_of(puts);
        (own + other.join().expect("nothing panics")) as f64
    };
    Subject::new(key, Work::Once(Box::new(work))).operations(TOTAL as f64)
}

#[inline(always)]
fn fill(event: &mut Event, number: u64) {
    *event = [black_box(number); 8];
}

#[inline(always)]
fn see(event: &Event) {
    black_box(event);
}

macro_rules! ours {
    ($made:expr) => {{
        let (mut producer, mut consumer) = $made.expect("memory for a small ring");
        let put = move |number| {
            if N == 1 {
                let Ok(mut event) = producer.try_claim() else { return false };
                fill(&mut event, number);
                event.publish();
            } else {
                let Ok(mut events) = producer.try_claim_many(N) else { return false };
                events.iter_mut().for_each(|event| fill(event, number));
                events.publish(N);
            }
            true
        };
        let take = move || {
            let Ok(mut events) = consumer.try_take(ROOM) else { return 0 };
            let count = events.len();
            events.iter_mut().for_each(|event| see(event));
            count
        };
        (put, take)
    }};
}

fn ours<const N: usize, const THREADS: usize>(
    wait: Wait,
) -> (impl FnMut(u64) -> bool + Send, impl FnMut() -> usize + Send) {
    ours!(Builder::new(ROOM).wait(wait).build::<Event, One>(Event::default))
}

fn ours_of_many<const N: usize, const THREADS: usize>()
-> (impl FnMut(u64) -> bool + Send, impl FnMut() -> usize + Send) {
    ours!(Builder::new(ROOM).wait(Wait::Yield).build_many::<Event, One>(Event::default))
}

fn disruptor<const N: usize, const THREADS: usize>()
-> (impl FnMut(u64) -> bool + Send, impl FnMut() -> usize + Send) {
    let (mut poller, builder) =
        build_single_producer(ROOM, Event::default, BusySpin).new_event_poller();
    let mut producer = builder.build();
    let put = move |number| {
        if N == 1 {
            producer.try_publish(|event| fill(event, number)).is_ok()
        } else {
            producer
                .try_batch_publish(N, |events| events.for_each(|event| fill(event, number)))
                .is_ok()
        }
    };
    let take = move || {
        let Ok(mut events) = poller.poll() else { return 0 };
        (&mut events).map(see).count()
    };
    (put, take)
}

fn rtrb<const N: usize, const THREADS: usize>()
-> (impl FnMut(u64) -> bool + Send, impl FnMut() -> usize + Send) {
    let (mut producer, mut consumer) = RingBuffer::new(ROOM);
    let made = |number| {
        let mut event = Event::default();
        fill(&mut event, number);
        event
    };
    let put = move |number| {
        if N == 1 {
            producer.push(made(number)).is_ok()
        } else {
            let Ok(chunk) = producer.write_chunk_uninit(N) else { return false };
            chunk.fill_from_iter((0..N).map(|_| made(number))) == N
        }
    };
    let take = move || {
        if N == 1 {
            let Ok(event) = consumer.pop() else { return 0 };
            see(&event);
            return 1;
        }
        let Ok(chunk) = consumer.read_chunk(consumer.slots()) else { return 0 };
        let (front, back) = chunk.as_slices();
        front.iter().chain(back).for_each(see);
        let count = chunk.len();
        chunk.commit_all();
        count
    };
    (put, take)
}

fn thingbuf<const N: usize, const THREADS: usize>()
-> (impl FnMut(u64) -> bool + Send, impl FnMut() -> usize + Send) {
    let put = Arc::new(ThingBuf::<Event>::new(ROOM));
    let take = Arc::clone(&put);
    let put = move |number| {
        (0..N).all(|_| put.push_ref().map(|mut event| fill(&mut event, number)).is_ok())
    };
    let take = move || (0..N).map_while(|_| take.pop_ref().map(|event| see(&event))).count();
    (put, take)
}

fn array_queue<const N: usize, const THREADS: usize>()
-> (impl FnMut(u64) -> bool + Send, impl FnMut() -> usize + Send) {
    let put = Arc::new(ArrayQueue::<Event>::new(ROOM));
    let take = Arc::clone(&put);
    let put = move |number| (0..N).all(|_| put.push([black_box(number); 8]).is_ok());
    let take = move || (0..N).map_while(|_| take.pop().map(|event| see(&event))).count();
    (put, take)
}

fn channel<const N: usize, const THREADS: usize>()
-> (impl FnMut(u64) -> bool + Send, impl FnMut() -> usize + Send) {
    let (sender, receiver) = mpsc::sync_channel::<Event>(ROOM);
    let put = move |number| (0..N).all(|_| sender.try_send([black_box(number); 8]).is_ok());
    let take =
        move || (0..N).map_while(|_| receiver.try_recv().ok().map(|event| see(&event))).count();
    (put, take)
}
