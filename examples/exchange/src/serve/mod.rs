//! `serve`: orders over TCP, decoded where they were received straight into slots.
//!
//! One thread does all. The front is the exchange's source: while there is a request it gives it to the
//! stages; when there is none they come to rest, the log makes durable what came together, clients are
//! told what came of it, and the sockets are waited for. What sockets, decoding and settlement share is the
//! [`Desk`].

mod client;
mod fault;
mod feed;
mod listen;
mod message;
mod program;
mod state;
mod wire;

pub use fault::Fault;
pub use program::Arguments;
pub use wire::{FRAME, Form, Head, LEVELS, LINE, MAGIC, Requests, VERSION, What};

use crate::{
    Accounts, Error, Exchange, Listener, Log, Matcher, Mode, Order, Refusal, Source, Trade, Watch,
};
use aqueduct::Pool;
use send_wrapper::SendWrapper;
use state::State;
use std::{
    cell::{RefCell, RefMut},
    fmt,
    future::{Future, poll_fn},
    mem,
    net::TcpListener,
    rc::Rc,
    task::Poll,
    time::Duration,
};
use tokio::{runtime::Runtime, task::LocalSet, time::timeout};

/// How long a client may say nothing, in seconds.
const IDLE: u64 = 75;
/// When a log that did not take all is asked again.
const AGAIN: Duration = Duration::from_millis(100);

/// The settings of a front. The default makes sense.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections at a time: 10,000. Others wait until one of these ends.
    pub connections: usize,
    /// Bytes of answers that a client has not read when its requests are left where they are: 256 KiB.
    pub pause: usize,
    /// Bytes of what it was told without having asked when a client is given up: 4 MiB.
    pub most: usize,
    /// How long a client may say nothing that waits for no answer, be it in the middle of a request: 75 seconds,
    /// then its connection is closed. Who only listens sends a ping.
    pub idle: Duration,
    /// How long a client may take nothing of what it is told: 30 seconds, then it is given up.
    pub write: Duration,
    /// Whether io_uring receives, where there is one: yes.
    pub uring: bool,
    /// Where blocks come from: the pool that all share.
    pub pool: Pool,
}

impl Default for Options {
    fn default() -> Self {
        let ([idle, write], pool) = ([IDLE, 30].map(Duration::from_secs), Pool::global().clone());
        let (connections, pause, most) = (10_000, 256 << 10, 4 << 20);
        Self { connections, pause, most, idle, write, uring: true, pool }
    }
}

/// How many of what there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Connections.
    pub connections: u64,
    /// Those that were closed for a [`Fault`].
    pub malformed: u64,
    /// Those that were closed because they did not read what they were told.
    pub slow: u64,
    /// Those that were closed because nothing was said on them.
    pub idle: u64,
}

impl fmt::Display for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, malformed, slow, idle } = self;
        write!(f, "connections={connections} malformed={malformed} slow={slow} idle={idle}")
    }
}

/// What sockets, decoding and settlement share: the [`Listener`] of an exchange that is served. It stays on
/// the thread that made it, and panics on others.
#[derive(Clone)]
pub struct Desk(SendWrapper<Rc<RefCell<State>>>);

impl Desk {
    /// For the users of these accounts.
    #[must_use]
    pub fn new(accounts: &Accounts, options: Options) -> Self {
        Self(SendWrapper::new(Rc::new(RefCell::new(State::new(accounts, options)))))
    }

    fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Listener for Desk {
    #[inline]
    fn taken(&mut self, order: &Order) {
        self.state().settled(order, None);
    }

    fn traded(&mut self, trade: &Trade) {
        self.state().traded(trade);
    }

    fn refused(&mut self, order: &Order, why: Refusal) {
        self.state().settled(order, Some(why));
    }
}

/// Serves whoever connects until `stop` is done, on this thread: then nobody is accepted, what was received
/// is answered, and who is still connected after five seconds is cut off. `durable` says which order is the
/// last that the log will not lose.
///
/// # Errors
///
/// The system's; no memory for the ring.
pub fn serve<G: Log, W: Watch>(
    (runtime, listener): (&Runtime, TcpListener),
    exchange: &mut Exchange<Desk, G, W>,
    durable: impl Fn() -> u64,
    stop: impl Future<Output = ()> + 'static,
) -> Result<Served, Error> {
    let (orders, desk) = (exchange.orders(), exchange.parts().0.clone());
    desk.state().seq = orders;
    let local = LocalSet::new();
    local.spawn_local(listen::listen(listener, desk.clone(), stop));
    let mut front = Front { runtime, local, desk, durable };
    exchange.run(&mut front, Mode::ZeroCopy, false)?;
    let served = front.desk.state().served;
    Ok(served)
}

/// Where the exchange's orders come from.
struct Front<'r, D> {
    runtime: &'r Runtime,
    local: LocalSet,
    desk: Desk,
    durable: D,
}

impl<D: Fn() -> u64> Source for Front<'_, D> {
    #[inline]
    fn next(&mut self, order: &mut Order) -> Result<bool, Error> {
        let mut state = self.desk.state();
        if state.take(order) {
            return Ok(true);
        }
        let ended = state.ended.take().unwrap_or(Ok(()));
        ended.map(|()| false).map_err(|error| Error::io("sockets", error))
    }

    #[inline]
    fn ready(&mut self) -> bool {
        let mut state = self.desk.state();
        state.find() || state.ended.is_some()
    }

    fn wait(&mut self, books: &Matcher) -> Result<bool, Error> {
        let is_held = self.desk.state().release(books, (self.durable)());
        let desk = &self.desk;
        let news = async {
            // Sockets have their turn. (tokio's own way to yield allocates, each time.)
            let mut is_late = false;
            let turn = poll_fn(|context| {
                context.waker().wake_by_ref();
                if mem::replace(&mut is_late, true) { Poll::Ready(()) } else { Poll::Pending }
            });
            turn.await;
            while !desk.state().has_work() {
                let news = Rc::clone(&desk.state().news);
                news.notified().await;
            }
        };
        self.local.block_on(self.runtime, async {
            if is_held {
                let _ = timeout(AGAIN, news).await;
            } else {
                news.await;
            }
        });
        Ok(false)
    }
}
