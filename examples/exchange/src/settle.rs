//! [`Settlement`]: the last stage. It moves the money, and says what happened.

use crate::{
    Accounts, Action, Event, Market, Order, Refusal, Side, accounts::Opening, market::fee,
};
use rkyv::{Archive, Deserialize, Serialize};
use std::sync::Arc;

/// A balance, when all orders so far are settled.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// What its user may use.
    pub avail: u64,
    /// What is locked.
    pub frozen: u64,
    /// How often it changed.
    pub version: u64,
}

/// Both sides of a trade, when it is settled.
#[derive(Clone, Copy, Debug)]
pub struct Trade {
    /// Its number, from 1 on.
    pub number: u64,
    /// The market.
    pub symbol: u32,
    /// The side that was not resting.
    pub side: Side,
    /// The order that bought, and the one that sold.
    pub orders: [u64; 2],
    /// The price.
    pub price: u64,
    /// How much changed hands.
    pub qty: u64,
    /// The number of the market's base asset, and of its quote asset.
    pub assets: [usize; 2],
    /// The user that bought, and the one that sold.
    pub users: [u64; 2],
    /// What the buyer paid, got; the seller gave, got.
    pub deltas: [u64; 4],
    /// Available and frozen in all of the balances that changed, in the same order.
    pub balances: [u64; 4],
}

/// Hears what happened, in order.
pub trait Listener {
    /// What was asked for is done: of each order either this is heard first, or that it is
    /// [refused](Self::refused).
    fn taken(&mut self, order: &Order) {
        let _ = order;
    }

    /// An order is placed: the `number`-th, from 1 on.
    fn accepted(&mut self, order: &Order, number: u64) {
        let _ = (order, number);
    }

    /// Two orders traded.
    fn traded(&mut self, trade: &Trade) {
        let _ = trade;
    }

    /// The order that came in was filled, so much of it and at this average price, rounded down.
    fn filled(&mut self, order: &Order, qty: u64, price: u64) {
        let _ = (order, qty, price);
    }

    /// What was asked for is not done.
    fn refused(&mut self, order: &Order, why: Refusal) {
        let _ = (order, why);
    }
}

impl Listener for () {}

/// How many of what there were.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Trades.
    pub trades: u64,
    /// Orders placed.
    pub accepted: u64,
    /// Orders that were not.
    pub rejected: u64,
}

/// What settlement knows.
#[derive(Archive, Serialize, Deserialize, Clone, Debug)]
pub(crate) struct Ledger {
    balances: Vec<Balance>,
    /// Who placed an order.
    active: Vec<bool>,
    /// Of each asset, kept by the house.
    fees: Vec<u64>,
    tally: Tally,
}

/// All balances as of the last order that was settled.
#[derive(Debug)]
pub struct Settlement<L> {
    accounts: Arc<Accounts>,
    markets: Arc<[Market]>,
    ledger: Ledger,
    listener: L,
}

impl<L: Listener> Settlement<L> {
    pub(crate) fn new(accounts: Arc<Accounts>, markets: Arc<[Market]>, listener: L) -> Self {
        let balance =
            |&Opening { avail, frozen, .. }: &Opening| Balance { avail, frozen, version: 0 };
        let balances: Vec<Balance> = accounts.openings().iter().map(balance).collect();
        let assets = accounts.assets();
        let active = vec![false; balances.len().checked_div(assets).unwrap_or(0)];
        let ledger = Ledger { balances, active, fees: vec![0; assets], tally: Tally::default() };
        Self { accounts, markets, ledger, listener }
    }

    pub(crate) fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Goes on as one that knew this, with nothing debited by risk. None if it is of other accounts.
    pub(crate) fn restore(&mut self, ledger: Ledger) -> Option<()> {
        let sizes = |of: &Ledger| [of.balances.len(), of.active.len(), of.fees.len()];
        if sizes(&ledger) != sizes(&self.ledger) {
            return None;
        }
        for (place, balance) in ledger.balances.iter().enumerate() {
            self.accounts.restore(place, balance.avail);
        }
        self.ledger = ledger;
        Some(())
    }

    /// How many of what there were so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.ledger.tally
    }

    /// Fees of each asset that were kept so far.
    #[must_use]
    pub fn fees(&self) -> &[u64] {
        &self.ledger.fees
    }

    /// The balances in the order of the opening ones, with user, number of the asset, and whether the user
    /// placed an order.
    pub fn balances(&self) -> impl Iterator<Item = (u64, usize, Balance, bool)> {
        let openings = self.accounts.openings().iter().enumerate();
        openings.map(|(place, &Opening { user, asset, .. })| {
            (
                user,
                asset,
                self.ledger.balances[place],
                self.ledger.active[place / self.ledger.fees.len()],
            )
        })
    }

    /// Who hears what happened.
    pub fn listener(&mut self) -> &mut L {
        &mut self.listener
    }

    /// Settles an order with what matching said of it.
    #[inline]
    pub(crate) fn settle(&mut self, order: &Order, events: &[Event]) {
        let market = self.markets.get(order.symbol as usize).copied();
        let account = self.accounts.find(order.user);
        let (Some(market), Some(account)) = (market, account) else {
            let why = order.refusal().unwrap_or(Refusal::Market);
            return self.refuse(order, why);
        };
        let refusal = order.refusal();
        let placed = order.action == Action::Place && refusal != Some(Refusal::Log);
        self.ledger.active[account as usize] |= placed;
        if let Some(why) = refusal {
            return self.refuse(order, why);
        }
        if let [Event::Refused(why)] = *events {
            // What was locked for it is free again at once.
            self.accounts.credit(self.accounts.place(account, market.locks(order)), order.locked);
            return self.refuse(order, why);
        }
        if order.locked > 0 {
            self.lock(self.accounts.place(account, market.locks(order)), order.locked);
        }
        self.listener.taken(order);
        if order.action == Action::Place {
            self.ledger.tally.accepted += 1;
            self.listener.accepted(order, self.ledger.tally.accepted);
        }
        let (mut filled, mut worth) = (0, 0u128);
        for event in events {
            match *event {
                Event::Trade { maker, side, id, price, qty } => {
                    filled += qty;
                    worth += u128::from(price) * u128::from(qty);
                    self.trade(&market, order, ([account, maker], id), side, price, qty);
                }
                Event::Release { side, amount } => {
                    self.release(self.accounts.place(account, market.pays(side)), amount);
                }
                Event::Refused(_) | Event::End => {}
            }
        }
        if filled > 0 {
            let average = worth / u128::from(filled);
            self.listener.filled(order, filled, u64::try_from(average).unwrap_or(u64::MAX));
        }
    }

    #[cold]
    fn refuse(&mut self, order: &Order, why: Refusal) {
        // What the log never saw leaves no trace: all there is follows from the log.
        let counts = order.action == Action::Place && why != Refusal::Log;
        self.ledger.tally.rejected += u64::from(counts);
        self.listener.refused(order, why);
    }

    #[inline]
    fn trade(
        &mut self,
        market: &Market,
        order: &Order,
        ([taker, maker], id): ([u32; 2], u64),
        side: Side,
        price: u64,
        qty: u64,
    ) {
        let (buyer, seller, buy_fee, sell_fee) = match side {
            Side::Buy => (taker, maker, market.taker_fee, market.maker_fee),
            Side::Sell => (maker, taker, market.maker_fee, market.taker_fee),
        };
        // Less than what is locked for it, so there is a number for it.
        let cost = market.cost(price, qty).unwrap_or(0);
        let (buy_fee, sell_fee) = (fee(qty, buy_fee), fee(cost, sell_fee));
        let [paid, got] =
            [market.quote, market.base].map(|asset| self.accounts.place(buyer, asset));
        let [given, earned] =
            [market.base, market.quote].map(|asset| self.accounts.place(seller, asset));
        self.spend(paid, cost);
        self.spend(given, qty);
        self.credit(got, qty - buy_fee);
        self.credit(earned, cost - sell_fee);
        if side == Side::Buy && price < order.price {
            self.release(paid, market.cost(order.price - price, qty).unwrap_or(0));
        }
        self.ledger.fees[market.base] += buy_fee;
        self.ledger.fees[market.quote] += sell_fee;
        self.ledger.tally.trades += 1;
        self.listener.traded(&Trade {
            number: self.ledger.tally.trades,
            symbol: order.symbol,
            side,
            orders: if side == Side::Buy { [order.id, id] } else { [id, order.id] },
            price,
            qty,
            assets: [market.base, market.quote],
            users: [buyer, seller].map(|account| self.accounts.user(account)),
            deltas: [cost, qty - buy_fee, qty, cost - sell_fee],
            balances: [paid, got, given, earned].map(|place| {
                let Balance { avail, frozen, .. } = self.ledger.balances[place];
                avail + frozen
            }),
        });
    }

    /// From what may be used to what is locked. Risk has debited it already.
    #[inline]
    fn lock(&mut self, place: usize, amount: u64) {
        let balance = &mut self.ledger.balances[place];
        balance.avail -= amount;
        balance.frozen += amount;
        balance.version += 1;
    }

    /// The other way round.
    #[inline]
    fn release(&mut self, place: usize, amount: u64) {
        self.ledger.balances[place].frozen -= amount;
        self.credit(place, amount);
    }

    #[inline]
    fn spend(&mut self, place: usize, amount: u64) {
        let balance = &mut self.ledger.balances[place];
        balance.frozen -= amount;
        balance.version += 1;
    }

    #[inline]
    fn credit(&mut self, place: usize, amount: u64) {
        let balance = &mut self.ledger.balances[place];
        balance.avail += amount;
        balance.version += 1;
        self.accounts.credit(place, amount);
    }
}
