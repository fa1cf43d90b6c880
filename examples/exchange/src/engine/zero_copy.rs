//! An order is decoded into a slot, and stays there until it is settled.

use super::{BATCH, Exchange, Log, RING, Source, Watch, keep, rest};
use crate::{Error, Event, Listener, Matcher, Order, Refusal, Settlement};
use aqueduct::ring::{
    Beside, Builder, Closed, Consumer, Exclusive, One, Producer, Shared, TakeError, Wait,
};
use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

/// The log and matching side by side, settlement behind them.
type Stages = (Beside<2>, One);
type Behind = ([Consumer<Order, Shared>; 2], Consumer<Order, Exclusive>);

fn ring() -> Result<(Producer<Order>, Behind), Error> {
    Builder::new(RING).wait(Wait::Yield).build::<Order, Stages>(Order::default).map_err(Error::Ring)
}

pub(super) fn on_one_thread<L: Listener, G: Log, W: Watch>(
    exchange: &mut Exchange<L, G, W>,
    source: &mut impl Source,
) -> Result<(), Error> {
    let Exchange { seq, risk, log, matcher, watch, settlement, events } = exchange;
    let (mut orders, ([mut logging, mut matching], mut settling)) = ring()?;
    let open = Cell::new(log.rest(true));
    let mut behind = |idle, matcher: &mut Matcher| {
        // Whatever is empty has nothing to do.
        for order in logging.try_take(RING).iter_mut().flat_map(|batch| batch.iter()) {
            keep(log, order);
        }
        open.set(log.rest(idle));
        for order in matching.try_take(RING).iter_mut().flat_map(|batch| batch.iter()) {
            matcher.execute(order, &mut |event| events.push(event));
            watch.matched(order);
        }
        let mut results = events.split(|event| *event == Event::End);
        for order in settling.try_take(RING).iter_mut().flat_map(|batch| batch.iter_mut()) {
            settlement.settle(order, results.next().unwrap_or_default());
        }
        events.clear();
    };
    let result = loop {
        if let Err(error) = rest(source, matcher, &mut behind) {
            break Err(error);
        }
        let Ok(mut order) = orders.try_claim() else { break Ok(()) };
        order.at = W::now();
        match source.next(&mut order) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
        let open = open.get();
        *seq += u64::from(open);
        order.seq = *seq;
        if open {
            risk.check(&mut order, || behind(false, matcher));
        } else {
            order.refuse(Refusal::Log);
        }
        order.publish();
        if !open || seq.is_multiple_of(BATCH) {
            behind(false, matcher);
        }
    };
    behind(true, matcher);
    result
}

pub(super) fn on_four_threads<L: Listener + Send, G: Log, W: Watch>(
    exchange: &mut Exchange<L, G, W>,
    source: &mut impl Source,
) -> Result<(), Error> {
    let Exchange { seq, risk, log, matcher, watch, settlement, events } = exchange;
    let (mut orders, ([logging, matching], settling)) = ring()?;
    let results = Builder::new(RING).wait(Wait::Yield).build::<Event, One>(Event::default);
    let (publish, published) = results.map_err(Error::Ring)?;
    let (settled, open) = (AtomicU64::new(*seq), AtomicBool::new(log.rest(true)));
    thread::scope(|scope| {
        scope.spawn(|| record(logging, log, &open));
        scope.spawn(|| trade(matching, matcher, watch, publish));
        let last = scope.spawn(|| settle(published, settling, settlement, events, &settled));
        // Who panicked has let go of the ring.
        while let Ok(mut order) = orders.claim() {
            order.at = W::now();
            if !source.next(&mut order)? {
                break;
            }
            let open = open.load(Ordering::Relaxed);
            *seq += u64::from(open);
            order.seq = *seq;
            if open {
                risk.check(&mut order, || {
                    // Acquire: and sees their credits.
                    while settled.load(Ordering::Acquire) + 1 < *seq && !last.is_finished() {
                        thread::yield_now();
                    }
                });
            } else {
                order.refuse(Refusal::Log);
            }
            order.publish();
        }
        drop(orders);
        Ok(())
    })
}

/// Rests also where nothing comes: what was recorded may have waited long enough.
fn record(mut orders: Consumer<Order, Shared>, log: &mut impl Log, open: &AtomicBool) {
    loop {
        let mut batch = orders.try_take(RING);
        match &mut batch {
            Ok(batch) => batch.iter().for_each(|order| keep(log, order)),
            Err(TakeError::Empty) => thread::yield_now(),
            Err(_) => break,
        }
        // Who does not see it yet finds no more slots than there are.
        open.store(log.rest(false), Ordering::Relaxed);
    }
    log.rest(true);
}

/// Trades, and hands over what came of each order through a ring of its own. One order at a time: settlement
/// waits for the slots of a batch until all of it is traded, and would not make room for what comes of it.
fn trade(
    mut orders: Consumer<Order, Shared>,
    matcher: &mut Matcher,
    watch: &mut impl Watch,
    mut results: Producer<Event>,
) {
    while let Ok(mut one) = orders.take(1) {
        for order in one.iter() {
            matcher.execute(order, &mut |event| {
                // Nobody to hear it: settlement panicked.
                let Ok(mut slot) = results.claim() else { return };
                *slot = event;
                slot.publish();
            });
            watch.matched(order);
        }
    }
}

/// Takes what came of an order before the order: one that trades more often than the ring has room would
/// wait for ever otherwise.
fn settle<L: Listener>(
    mut results: Consumer<Event, Exclusive>,
    mut orders: Consumer<Order, Exclusive>,
    settlement: &mut Settlement<L>,
    events: &mut Vec<Event>,
    settled: &AtomicU64,
) {
    let mut next = || -> Result<(), Closed> {
        for event in &mut results.take(RING)? {
            if *event != Event::End {
                events.push(*event);
                continue;
            }
            for order in &mut orders.take(1)? {
                settlement.settle(order, events);
                settled.store(order.seq, Ordering::Release);
            }
            events.clear();
        }
        Ok(())
    };
    while next().is_ok() {}
}
