//! [`State`]: what comes in, what goes out, and for whom.

use super::{
    Options, Served,
    client::Client,
    feed::Feed,
    message::Message,
    wire::{Form, Head, What},
};
use crate::{Accounts, Action, Matcher, Order, Refusal, Side, Trade};
use aqueduct::{Slice, SliceMut, Writer};
use rustc_hash::FxBuildHasher;
use std::{
    collections::{HashMap, VecDeque},
    io, mem,
    rc::Rc,
};
use tokio::sync::Notify;

/// Nobody's key.
const NOBODY: u64 = 0;

type Map<T> = HashMap<u64, T, FxBuildHasher>;

/// What sockets, decoding and settlement share.
pub(super) struct State {
    pub(super) options: Options,
    pub(super) served: Served,
    /// What was received last: sockets that wait have no block.
    pub(super) block: SliceMut,
    /// By numbers that are given once.
    clients: Map<Client>,
    /// Who may have requests, first come first served.
    inbox: VecDeque<u64>,
    /// Who is told something that was not sent.
    told: Vec<u64>,
    /// Whose next request is no order, or whose last.
    asked: Vec<u64>,
    subscribers: Vec<u64>,
    /// Who asked last for something as this user.
    users: Map<u64>,
    /// Whose the orders are that are on their way, and their tags for them.
    pending: VecDeque<(u64, u64)>,
    feed: Feed,
    /// The last order that is settled.
    pub(super) seq: u64,
    /// A book has changed since it was shown.
    changed: bool,
    /// Something came in, or all is over.
    pub(super) news: Rc<Notify>,
    /// How listening ended.
    pub(super) ended: Option<io::Result<()>>,
}

impl State {
    pub(super) fn new(accounts: &Accounts, options: Options) -> Self {
        Self {
            feed: Feed::new(&options.pool),
            options,
            served: Served::default(),
            block: SliceMut::new(),
            clients: Map::default(),
            inbox: VecDeque::new(),
            told: Vec::new(),
            asked: Vec::new(),
            subscribers: Vec::new(),
            users: accounts.users().map(|user| (user, NOBODY)).collect(),
            pending: VecDeque::new(),
            seq: 0,
            changed: false,
            news: Rc::default(),
            ended: None,
        }
    }

    /// Somebody connects.
    pub(super) fn join(&mut self, output: Writer) -> u64 {
        self.served.connections += 1;
        self.clients.insert(self.served.connections, Client::new(output));
        self.served.connections
    }

    pub(super) fn leave(&mut self, key: u64) {
        self.clients.remove(&key);
    }

    pub(super) fn client(&mut self, key: u64) -> Option<&mut Client> {
        self.clients.get_mut(&key)
    }

    /// Something came in, or came to its end: it is looked at.
    pub(super) fn heard(&mut self, key: u64, slice: Slice, is_over: bool) {
        let Some(client) = self.clients.get_mut(&key).filter(|client| !client.is_over) else {
            return;
        };
        client.requests.push(slice);
        client.is_over = is_over;
        self.enqueue(key);
    }

    /// Nothing is said by somebody who waits for nothing: that is noted, and is the end of it.
    pub(super) fn is_idle(&mut self, key: u64) -> bool {
        let client = self.clients.get(&key);
        let is_idle = client.is_none_or(|client| !client.waits());
        self.served.idle += u64::from(is_idle);
        is_idle
    }

    fn enqueue(&mut self, key: u64) {
        if let Some(client) = self.clients.get_mut(&key)
            && !mem::replace(&mut client.is_queued, true)
        {
            self.inbox.push_back(key);
            self.news.notify_one();
        }
    }

    /// The system has taken some of what a client was told. Whether it has all.
    pub(super) fn sent(&mut self, key: u64) -> bool {
        let pause = self.options.pause;
        let Some(client) = self.clients.get_mut(&key) else { return true };
        let backlog = client.backlog();
        if backlog == 0 {
            client.release();
        }
        if client.is_paused && backlog <= pause / 2 {
            client.is_paused = false;
            self.enqueue(key);
        }
        backlog == 0
    }

    pub(super) fn has_work(&self) -> bool {
        !self.inbox.is_empty() || self.ended.is_some()
    }

    /// Whether an order is at hand. Who asks for something else is noted on the way there.
    #[inline]
    pub(super) fn find(&mut self) -> bool {
        while let Some(&key) = self.inbox.front() {
            if self.look(key) {
                return true;
            }
            self.inbox.pop_front();
            if let Some(client) = self.clients.get_mut(&key) {
                client.is_queued = false;
                client.room.notify_one();
            }
        }
        false
    }

    /// Whether a client's next request is an order.
    #[inline]
    fn look(&mut self, key: u64) -> bool {
        let Some(client) = self.clients.get_mut(&key) else { return false };
        client.is_paused |= client.backlog() > self.options.pause;
        if client.asks || client.is_paused {
            return false;
        }
        match client.requests.peek() {
            Ok(Some(head)) if head.what.action().is_some() => return true,
            Ok(None) if !client.is_over => {}
            // What is to be answered behind the orders before it.
            _ => {
                client.asks = true;
                self.asked.push(key);
            }
        }
        false
    }

    /// Takes the order that is at hand.
    #[inline]
    pub(super) fn take(&mut self, order: &mut Order) -> bool {
        let Some(&key) = self.inbox.front() else { return false };
        let Some(client) = self.clients.get_mut(&key) else { return false };
        let tag = client.requests.take(order);
        if let Some(last) = self.users.get_mut(&order.user) {
            *last = key;
        }
        self.pending.push_back((key, tag));
        true
    }

    /// Answers what a client asks up to its next order. All before is settled.
    fn serve(&mut self, key: u64, books: &Matcher) {
        while let Some(client) = self.clients.get_mut(&key) {
            client.asks = false;
            match client.requests.peek() {
                Ok(Some(head))
                    if head.what.action().is_none() && client.backlog() <= self.options.pause =>
                {
                    self.answer(key, head, books);
                    continue;
                }
                Ok(Some(_)) => self.enqueue(key),
                // Who asks no more is told no more.
                Ok(None) => client.is_done = client.is_over,
                Err(fault) => {
                    client.requests.clear();
                    (client.is_over, client.is_done) = (true, true);
                    self.served.malformed += 1;
                    self.tell(key, &Message::error(fault), 0);
                }
            }
            return self.mark(key);
        }
    }

    fn answer(&mut self, key: u64, head: Head, books: &Matcher) {
        let Some(client) = self.clients.get_mut(&key) else { return };
        let (what, mut order) = (head.what, Order::default());
        let tag = client.requests.take(&mut order);
        let Order { user, symbol, .. } = order;
        let (levels, is_market) = (head.levels, books.book(symbol).is_some());
        let mut refusal = None;
        match what {
            What::Depth | What::SubscribeDepth if !is_market => refusal = Some(Refusal::Market),
            What::Depth => {
                let depth = self.feed.depth(books, (symbol, levels), (tag, self.seq));
                return client.tell(&depth, self.seq);
            }
            What::SubscribeDepth => {
                client.depth = Some((symbol, levels));
                // Which shows it to him, too.
                self.changed = true;
                self.subscribe(key);
            }
            What::SubscribeTrades => {
                client.trades = true;
                self.feed.want(client.form());
                self.subscribe(key);
            }
            What::SubscribeFills => match self.users.get_mut(&user) {
                Some(last) => *last = key,
                None => refusal = Some(Refusal::User),
            },
            _ => {}
        }
        self.tell(key, &Message::answer(what, tag, (0, 0), refusal), 0);
    }

    fn subscribe(&mut self, key: u64) {
        if !self.subscribers.contains(&key) {
            self.subscribers.push(key);
        }
    }

    #[inline]
    fn tell(&mut self, key: u64, message: &Message<'_>, after: u64) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.tell(message, after);
            self.mark(key);
        }
    }

    /// It is told something.
    #[inline]
    fn mark(&mut self, key: u64) {
        if let Some(client) = self.clients.get_mut(&key)
            && !mem::replace(&mut client.is_told, true)
        {
            self.told.push(key);
        }
    }

    /// Who is told what he did not ask for, and does not read it, is not waited for.
    fn is_slow(&mut self, key: u64) -> bool {
        let most = self.options.most;
        let Some(client) = self.clients.get_mut(&key).filter(|client| client.backlog() > most)
        else {
            return false;
        };
        if let Some(task) = &client.task {
            task.abort();
        }
        self.served.slow += 1;
        self.clients.remove(&key);
        true
    }

    /// What came of an order, which hangs on its being durable unless the log has not seen it.
    #[inline]
    pub(super) fn settled(&mut self, order: &Order, why: Option<Refusal>) {
        self.changed |= why.is_none();
        self.seq = order.seq;
        // Those of a log that is read again are nobody's.
        let Some((key, tag)) = self.pending.pop_front() else { return };
        let what = match order.action {
            Action::Place => What::Place,
            Action::Cancel => What::Cancel,
            Action::Reduce => What::Reduce,
            Action::Move => What::Move,
        };
        let seq = if why == Some(Refusal::Log) { 0 } else { order.seq };
        self.tell(key, &Message::answer(what, tag, (order.id, seq), why), seq);
    }

    pub(super) fn traded(&mut self, trade: &Trade) {
        let &Trade { number: trade, symbol, side: taker, orders, users, price, qty, .. } = trade;
        for (side, (id, user)) in
            [Side::Buy, Side::Sell].into_iter().zip(orders.into_iter().zip(users))
        {
            let maker = side != taker;
            let key = self.users.get(&user).copied().unwrap_or(NOBODY);
            if key != NOBODY && !(maker && self.is_slow(key)) {
                let fill = Message::Fill { user, id, trade, symbol, side, price, qty, maker };
                self.tell(key, &fill, self.seq);
            }
        }
        self.feed.tell(&Message::Trade { trade, symbol, side: taker, price, qty });
    }

    /// All that came is settled: shows the books to who wants them, and sends what may be sent. Whether
    /// something has to wait for the log.
    pub(super) fn release(&mut self, books: &Matcher, durable: u64) -> bool {
        let mut asked = mem::take(&mut self.asked);
        asked.drain(..).for_each(|key| self.serve(key, books));
        self.asked = asked;
        self.publish(books);
        let mut told = mem::take(&mut self.told);
        told.retain(|key| {
            let Some(client) = self.clients.get_mut(key) else { return false };
            client.is_told = !client.flush(durable);
            client.is_told
        });
        self.told = told;
        !self.told.is_empty()
    }

    fn publish(&mut self, books: &Matcher) {
        let changed = mem::take(&mut self.changed);
        let fresh = self.feed.take();
        let mut subscribers = mem::take(&mut self.subscribers);
        subscribers.retain(|key| {
            if self.is_slow(*key) {
                return false;
            }
            let Some(client) = self.clients.get_mut(key) else { return false };
            let trades = &fresh[usize::from(client.form() == Form::Lines)];
            if client.trades && !trades.is_empty() {
                client.show(trades.clone(), self.seq);
            }
            if let Some(wanted) = client.depth.filter(|_| changed) {
                client.tell(&self.feed.depth(books, wanted, (0, self.seq)), self.seq);
            }
            self.mark(*key);
            true
        });
        self.subscribers = subscribers;
    }
}
