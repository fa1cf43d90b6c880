//! [`Exchange`]: the stages, and the ways in which orders go through them.
//!
//! Risk, matching and settlement are the same in every mode. What differs is how an order comes to them:
//! [`zero_copy`] decodes it into a slot of a ring where all stages see it, [`copying`] makes structs of it
//! and hands them from queue to queue, as the document's path does.

mod copying;
mod recover;
mod zero_copy;

use crate::{
    Accounts, Error, Event, Listener, Market, Matcher, Order, Refusal, Settlement, risk::Risk,
};
use std::sync::Arc;

/// Orders on their way at most.
const RING: usize = 1024;
/// Orders at most that a log takes between two [rests](Log::rest).
pub const MOST_AT_ONCE: usize = RING + 1;
/// Orders that go through a stage together, on one thread.
const BATCH: u64 = 2;

/// How orders travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// From struct to struct and from queue to queue, as the document begins.
    Copying,
    /// In slots of a ring, as it proposes.
    ZeroCopy,
}

/// Where orders come from.
pub trait Source {
    /// Fills in the next order: all of it but [`seq`](Order::seq), [`at`](Order::at) and
    /// [`locked`](Order::locked), since it holds an earlier one. False at the end.
    ///
    /// # Errors
    ///
    /// What is wrong with the input. Nothing is taken from it any more.
    fn next(&mut self, order: &mut Order) -> Result<bool, Error>;

    /// Whether [`next`](Self::next) would not wait. Before it does, all stages that are on its thread come to
    /// rest.
    fn ready(&mut self) -> bool {
        true
    }

    /// It was not ready; all that came before is settled on its thread, and seen in the books. Says whether
    /// to call [`next`](Self::next) now, be it that it waits; else it is asked again whether it is ready.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    fn wait(&mut self, books: &Matcher) -> Result<bool, Error> {
        let _ = books;
        Ok(true)
    }
}

/// What keeps orders. It sees them side by side with matching, and settlement waits for it.
pub trait Log: Send {
    /// The next one, in order; those that risk refused too.
    fn record(&mut self, order: &Order);

    /// No other is at hand; and if `idle`, none is on its way. Says whether there is room: for
    /// [`MOST_AT_ONCE`] more orders before this is asked again, or else for as many that are on their way
    /// already. While there is none, orders are refused before they get a number, as [`Refusal::Log`].
    /// It is asked before the first order of a [run](Exchange::run), too.
    fn rest(&mut self, idle: bool) -> bool;
}

impl Log for () {
    fn record(&mut self, _: &Order) {}

    fn rest(&mut self, _: bool) -> bool {
        true
    }
}

impl<G: Log> Log for Option<G> {
    #[inline]
    fn record(&mut self, order: &Order) {
        if let Some(log) = self {
            log.record(order);
        }
    }

    #[inline]
    fn rest(&mut self, idle: bool) -> bool {
        self.as_mut().is_none_or(|log| log.rest(idle))
    }
}

/// What the log never sees: it had no room when the order came.
fn keep(log: &mut impl Log, order: &Order) {
    if order.refusal() != Some(Refusal::Log) {
        log.record(order);
    }
}

/// Has the stages `behind` come to rest whenever the source would wait.
fn rest(
    source: &mut impl Source,
    matcher: &mut Matcher,
    mut behind: impl FnMut(bool, &mut Matcher),
) -> Result<(), Error> {
    while !source.ready() {
        behind(true, matcher);
        if source.wait(matcher)? {
            break;
        }
    }
    Ok(())
}

/// Watches the clock.
pub trait Watch: Send {
    /// The time that an order gets when its slot is claimed.
    #[must_use]
    fn now() -> u64 {
        0
    }

    /// What came of an order is published.
    fn matched(&mut self, order: &Order) {
        let _ = order;
    }
}

impl Watch for () {}

/// An exchange that orders can be run through.
#[derive(Debug)]
pub struct Exchange<L = (), G = (), W = ()> {
    /// Orders so far.
    seq: u64,
    risk: Risk,
    log: G,
    matcher: Matcher,
    watch: W,
    settlement: Settlement<L>,
    /// What came of the orders that are not settled yet.
    events: Vec<Event>,
}

impl<L: Listener + Send, G: Log, W: Watch> Exchange<L, G, W> {
    /// An exchange of these markets, with room for so many resting orders in each before anything is
    /// allocated.
    #[must_use]
    pub fn new(
        accounts: Accounts,
        markets: &[Market],
        orders: usize,
        (listener, log, watch): (L, G, W),
    ) -> Self {
        let (accounts, markets) = (Arc::new(accounts), Arc::from(markets));
        Self {
            seq: 0,
            risk: Risk::new(Arc::clone(&accounts), Arc::clone(&markets)),
            log,
            matcher: Matcher::new(Arc::clone(&accounts), Arc::clone(&markets), orders),
            watch,
            settlement: Settlement::new(accounts, markets, listener),
            events: Vec::with_capacity(RING),
        }
    }

    /// Runs all orders of a source through the stages: on this thread, or with risk on this one and
    /// log, matching and settlement on one each. What comes of them is the same.
    ///
    /// # Errors
    ///
    /// The source's, after all orders before are settled; no memory for the ring.
    ///
    /// # Panics
    ///
    /// If a stage does.
    pub fn run(
        &mut self,
        source: &mut impl Source,
        mode: Mode,
        threads: bool,
    ) -> Result<(), Error> {
        match (mode, threads) {
            (Mode::ZeroCopy, false) => zero_copy::on_one_thread(self, source),
            (Mode::ZeroCopy, true) => zero_copy::on_four_threads(self, source),
            (Mode::Copying, false) => copying::on_one_thread(self, source),
            (Mode::Copying, true) => copying::on_four_threads(self, source),
        }
    }

    /// Orders that went through so far, whatever came of them.
    #[must_use]
    pub fn orders(&self) -> u64 {
        self.seq
    }

    /// The books.
    #[must_use]
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }

    /// The balances.
    #[must_use]
    pub fn settlement(&self) -> &Settlement<L> {
        &self.settlement
    }

    /// The parts that were given.
    pub fn parts(&mut self) -> (&mut L, &mut G, &mut W) {
        (self.settlement.listener(), &mut self.log, &mut self.watch)
    }
}
