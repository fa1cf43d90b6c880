//! An exchange is made again: of a snapshot of all that it knew, and of the orders that the log has behind it.

use super::{Exchange, Log, Watch};
use crate::{
    Event, Listener, Market, Opening, Order, Resting, Side,
    log::{Damage, Keeper, LogError, Recovery, Snapshot, Storage},
    settle::Ledger,
};
use aqueduct::Slice;
use crc32c::crc32c_append;
use rkyv::{Archive, Deserialize, Serialize, rancor::Failure};
use std::io;

const SIDES: [Side; 2] = [Side::Buy, Side::Sell];

/// All that an exchange knows behind an order.
#[derive(Archive, Serialize, Deserialize)]
struct State {
    seq: u64,
    /// See [`Accounts::with_most_resting`](crate::Accounts::with_most_resting).
    most_resting: u32,
    /// Whose balances stand in the ledger, in their order.
    users: Vec<u64>,
    ledger: Ledger,
    /// Of each market both sides, the first to trade first.
    books: Vec<[Vec<Rest>; 2]>,
}

/// An order that rests.
#[derive(Archive, Serialize, Deserialize)]
struct Rest {
    id: u64,
    user: u64,
    price: u64,
    qty: u64,
    left: u64,
    partly: bool,
}

impl<L: Listener, G, W> Exchange<L, G, W> {
    /// All that it knows, as bytes: the same for every exchange that settled the same orders. Linear.
    ///
    /// # Errors
    ///
    /// Of the kind `FileTooLarge` beyond 2 GiB.
    pub fn state(&self) -> io::Result<Slice> {
        let rest = |order: &Resting| {
            let &Resting { id, user, price, qty, left, partly, .. } = order;
            Rest { id, user, price, qty, left, partly }
        };
        let books = self.matcher.books().iter();
        let state = State {
            seq: self.seq,
            most_resting: self.settlement.accounts().most_resting(),
            users: self.settlement.accounts().users().collect(),
            ledger: self.settlement.ledger().clone(),
            books: books
                .map(|book| SIDES.map(|side| book.side(side).map(rest).collect()))
                .collect(),
        };
        let bytes = rkyv::to_bytes::<Failure>(&state).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok(Slice::from_owner(bytes))
    }

    /// A number of the opening balances, of how many orders of a user rest at most, and of the markets, for
    /// [`Recovery::of`]: what is in a log means something else to others. Linear.
    #[must_use]
    pub fn origin(&self) -> u64 {
        let accounts = self.settlement.accounts();
        let number = |sum: u32, number: u64| crc32c_append(sum, &number.to_le_bytes());
        let sum = accounts.openings().iter().fold(0, |sum, opening| {
            let Opening { user, asset, avail, frozen } = *opening;
            [user, asset as u64, avail, frozen].into_iter().fold(sum, number)
        });
        let sum = self.settlement.markets().iter().fold(sum, |sum, market| {
            let Market { base, quote, unit, maker_fee, taker_fee } = *market;
            let fees = u64::from(maker_fee) << 32 | u64::from(taker_fee);
            [base as u64, quote as u64, unit, fees].into_iter().fold(sum, number)
        });
        // Never 0.
        u64::from(number(sum, accounts.most_resting().into())) | 1 << 32
    }

    /// Goes on with another log; the one before.
    pub fn with_log<H: Log>(self, log: H) -> (Exchange<L, H, W>, G) {
        let Self { seq, risk, log: before, matcher, watch, settlement, events } = self;
        (Exchange { seq, risk, log, matcher, watch, settlement, events }, before)
    }

    /// Makes an exchange that is new what it was: takes on the log's snapshot, and all orders behind it. The
    /// listener hears of these.
    ///
    /// # Errors
    ///
    /// As [`Recovery::read`]; [`LogError::Damaged`] too where an order does not come out as it was
    /// recorded, and with a snapshot of other accounts, limits or
    /// markets.
    pub fn recover<S: Storage>(&mut self, recovery: &mut Recovery<S>) -> Result<(), LogError> {
        if let Some(snapshot) = recovery.snapshot() {
            let damaged = || LogError::damaged(&snapshot.name(), 0, Damage::State);
            self.restore(snapshot).ok_or_else(damaged)?;
        }
        while self.take(recovery)?.is_some() {}
        Ok(())
    }

    /// Takes on the next order of a log, which is as it went in; none at the end.
    ///
    /// # Errors
    ///
    /// As [`recover`](Self::recover).
    pub fn take<S: Storage>(
        &mut self,
        recovery: &mut Recovery<S>,
    ) -> Result<Option<Order>, LogError> {
        let Some(mut order) = recovery.read()?.map(|logged| logged.order()) else {
            return Ok(None);
        };
        let recorded = order;
        if order.seq != self.seq + 1 {
            return Err(LogError::OutOfOrder { expected: self.seq + 1, found: order.seq });
        }
        // All before is settled.
        self.risk.check(&mut order, || ());
        // An order out of a log of the original's has nothing locked.
        if order.locked != recorded.locked && recorded.locked != 0 {
            return Err(recovery.refuse(Damage::Verdict { seq: order.seq }));
        }
        self.seq = order.seq;
        let events = &mut self.events;
        self.matcher.execute(&order, &mut |event| events.push(event));
        let end = events.iter().position(|event| *event == Event::End).unwrap_or(0);
        self.settlement.settle(&order, &events[..end]);
        events.clear();
        Ok(Some(recorded))
    }

    /// None if the state is not one of these accounts, limits and markets.
    fn restore(&mut self, snapshot: &Snapshot) -> Option<()> {
        let state = rkyv::from_bytes::<State, Failure>(&snapshot.bytes).ok()?;
        let State { seq, most_resting, users, ledger, books } = state;
        let known = seq == snapshot.seq
            && self.seq == 0
            && most_resting == self.settlement.accounts().most_resting()
            && users.into_iter().eq(self.settlement.accounts().users())
            && books.len() == self.matcher.books().len();
        if !known {
            return None;
        }
        self.settlement.restore(ledger)?;
        for (symbol, sides) in books.into_iter().enumerate() {
            for (side, rests) in SIDES.into_iter().zip(sides) {
                for Rest { id, user, price, qty, left, partly } in rests {
                    let account = self.settlement.accounts().find(user)?;
                    let mut order = Resting::new(id, user, account, side, price, qty);
                    (order.left, order.partly) = (left, partly);
                    self.matcher.rest(symbol, order)?;
                }
            }
        }
        self.seq = seq;
        Some(())
    }
}

impl<L: Listener, S: Storage, W: Watch> Exchange<L, Keeper<S>, W> {
    /// Writes a snapshot of what it knows into its log, where [`recover`](Self::recover) finds it.
    ///
    /// # Errors
    ///
    /// As [`Keeper::snapshot`], after which nothing has changed.
    pub fn snapshot(&mut self) -> Result<(), LogError> {
        let state = self.state().map_err(LogError::io("cannot make a snapshot", ""))?;
        self.log.snapshot(self.seq, &state)
    }
}
