//! An order is decoded into a struct with text of its own, made another struct, cloned for each stage, and
//! moved into queues and out of them.
//!
//! Its copies are counted where they are made. The queues are crossbeam's, and no slower than what the
//! document's system has.

use super::{BATCH, Exchange, Log, RING, Source, Watch, keep, rest};
use crate::{Action, Error, Event, Kind, Listener, Matcher, Order, Refusal, Side, TimeInForce};
use aqueduct::meter::count_copy;
use crossbeam_queue::ArrayQueue;
use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

/// What a client asked for.
struct OrderRequest {
    client_id: String,
    symbol: String,
    user: u64,
    id: u64,
    price: u64,
    qty: u64,
    action: Action,
    side: Side,
    kind: Kind,
    tif: TimeInForce,
}

impl OrderRequest {
    /// Decoded anew from what the source has next.
    fn decode(source: &mut impl Source) -> Result<Option<Self>, Error> {
        let mut order = Order::default();
        if !source.next(&mut order)? {
            return Ok(None);
        }
        let Order { id, user, price, qty, symbol, action, side, kind, tif, .. } = order;
        let (client_id, symbol) = (id.to_string(), symbol.to_string());
        count_copy(size_of::<Order>() + client_id.len() + symbol.len());
        Ok(Some(Self { client_id, symbol, user, id, price, qty, action, side, kind, tif }))
    }
}

/// What the exchange makes of it.
#[derive(Clone)]
struct InternalOrder {
    order: Order,
    client_id: String,
}

impl InternalOrder {
    fn new(request: OrderRequest, seq: u64, at: u64) -> Self {
        let OrderRequest { client_id, symbol, user, id, price, qty, action, side, kind, tif } =
            request;
        let symbol = symbol.parse().unwrap_or(u32::MAX);
        count_copy(size_of::<Self>());
        let order =
            Order { seq, at, locked: 0, id, user, price, qty, symbol, action, side, kind, tif };
        Self { order, client_id }
    }

    fn copied(&self) -> Self {
        count_copy(size_of::<Self>() + self.client_id.len());
        self.clone()
    }
}

/// A queue of values between two stages.
struct Queue {
    values: ArrayQueue<InternalOrder>,
    closed: AtomicBool,
}

/// One end of a queue: when it is gone, the other does not wait for it.
struct End<'q>(&'q Queue);

impl Drop for End<'_> {
    fn drop(&mut self) {
        // Release: who sees it sees all that was pushed before.
        self.0.closed.store(true, Ordering::Release);
    }
}

impl Queue {
    fn new() -> Self {
        Self { values: ArrayQueue::new(RING), closed: AtomicBool::new(false) }
    }
}

impl End<'_> {
    fn push(&self, mut order: InternalOrder) {
        count_copy(size_of::<InternalOrder>());
        while let Err(refused) = self.0.values.push(order) {
            if self.0.closed.load(Ordering::Acquire) {
                return;
            }
            order = refused;
            thread::yield_now();
        }
    }

    fn try_pop(&self) -> Option<InternalOrder> {
        let order = self.0.values.pop();
        if order.is_some() {
            count_copy(size_of::<InternalOrder>());
        }
        order
    }

    /// Waits, until there is one or the other end is gone.
    fn pop(&self, mut waits: impl FnMut()) -> Option<InternalOrder> {
        loop {
            let closed = self.0.closed.load(Ordering::Acquire);
            match self.try_pop() {
                None if !closed => waits(),
                order => return order,
            }
        }
    }
}

pub(super) fn on_one_thread<L: Listener, G: Log, W: Watch>(
    exchange: &mut Exchange<L, G, W>,
    source: &mut impl Source,
) -> Result<(), Error> {
    let Exchange { seq, risk, log, matcher, watch, settlement, events } = exchange;
    let queues = [(); 3].map(|()| Queue::new());
    let [to_log, to_match, to_settle] = queues.each_ref().map(End);
    let open = Cell::new(log.rest(true));
    let mut behind = |idle, matcher: &mut Matcher| {
        while let Some(InternalOrder { order, .. }) = to_log.try_pop() {
            keep(log, &order);
        }
        open.set(log.rest(idle));
        while let Some(order) = to_match.try_pop() {
            matcher.execute(&order.order, &mut |event| events.push(event));
            watch.matched(&order.order);
            to_settle.push(order);
        }
        for result in events.split(|event| *event == Event::End) {
            let Some(order) = to_settle.try_pop() else { break };
            settlement.settle(&order.order, result);
        }
        events.clear();
    };
    let result = loop {
        if let Err(error) = rest(source, matcher, &mut behind) {
            break Err(error);
        }
        let at = W::now();
        let request = match OrderRequest::decode(source) {
            Ok(Some(request)) => request,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        let open = open.get();
        *seq += u64::from(open);
        let mut order = InternalOrder::new(request, *seq, at);
        if open {
            risk.check(&mut order.order, || behind(false, matcher));
        } else {
            order.order.refuse(Refusal::Log);
        }
        to_log.push(order.copied());
        to_match.push(order);
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
    let queues = [(); 3].map(|()| Queue::new());
    let results = ArrayQueue::new(RING);
    let [logged, settled] = &[(); 2].map(|()| AtomicU64::new(*seq));
    let open = &AtomicBool::new(log.rest(true));
    let (results, [logging, matching, settling]) = (&results, queues.each_ref());
    thread::scope(|scope| {
        let keeper = scope.spawn(|| record(&End(logging), log, open, logged));
        scope.spawn(|| {
            let (orders, next) = (End(matching), End(settling));
            while let Some(order) = orders.pop(thread::yield_now) {
                matcher.execute(&order.order, &mut |event| {
                    let closed = || settling.closed.load(Ordering::Acquire);
                    while results.push(event).is_err() && !closed() {
                        thread::yield_now();
                    }
                });
                watch.matched(&order.order);
                next.push(order);
            }
        });
        let last = scope.spawn(move || {
            let orders = End(settling);
            while let Some(order) = next_result(results, &orders, events) {
                let kept = || logged.load(Ordering::Acquire) >= order.seq;
                while !kept() && !keeper.is_finished() {
                    thread::yield_now();
                }
                // A log that panicked has not kept it.
                if !kept() {
                    break;
                }
                settlement.settle(&order, events);
                events.clear();
                settled.store(order.seq, Ordering::Release);
            }
        });
        let (to_log, to_match) = (End(logging), End(matching));
        loop {
            let at = W::now();
            let Some(request) = OrderRequest::decode(source)? else { return Ok(()) };
            let open = open.load(Ordering::Relaxed);
            *seq += u64::from(open);
            let mut order = InternalOrder::new(request, *seq, at);
            if open {
                risk.check(&mut order.order, || {
                    while settled.load(Ordering::Acquire) + 1 < *seq && !last.is_finished() {
                        thread::yield_now();
                    }
                });
            } else {
                order.order.refuse(Refusal::Log);
            }
            to_log.push(order.copied());
            to_match.push(order);
        }
    })
}

/// Rests also where nothing comes: what was recorded may have waited long enough.
fn record(orders: &End<'_>, log: &mut impl Log, open: &AtomicBool, logged: &AtomicU64) {
    loop {
        let next = orders.pop(|| {
            open.store(log.rest(false), Ordering::Relaxed);
            thread::yield_now();
        });
        let Some(InternalOrder { order, .. }) = next else { break };
        keep(log, &order);
        open.store(log.rest(false), Ordering::Relaxed);
        logged.store(order.seq, Ordering::Release);
    }
    log.rest(true);
}

/// The next order that is matched, and in `events` what came of it.
fn next_result(
    results: &ArrayQueue<Event>,
    orders: &End<'_>,
    events: &mut Vec<Event>,
) -> Option<Order> {
    loop {
        let closed = orders.0.closed.load(Ordering::Acquire);
        match results.pop() {
            Some(Event::End) => return orders.pop(thread::yield_now).map(|matched| matched.order),
            Some(event) => events.push(event),
            None if closed => return None,
            None => thread::yield_now(),
        }
    }
}
