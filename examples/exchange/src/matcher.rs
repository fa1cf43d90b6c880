//! [`Matcher`]: the stage that trades, by price and then by time.

use crate::{
    Accounts, Action, Book, Event, Kind, Market, Order, Refusal, Side, TimeInForce, book::Resting,
};
use std::sync::Arc;

/// A book for each market.
#[derive(Debug)]
pub struct Matcher {
    accounts: Arc<Accounts>,
    markets: Arc<[Market]>,
    books: Vec<Book>,
    /// Of each account, how many orders rest.
    resting: Vec<u32>,
}

impl Matcher {
    pub(crate) fn new(accounts: Arc<Accounts>, markets: Arc<[Market]>, orders: usize) -> Self {
        let books = markets.iter().map(|_| Book::new(orders)).collect();
        let resting = vec![0; accounts.users().count()];
        Self { accounts, markets, books, resting }
    }

    /// The book of a market.
    #[must_use]
    pub fn book(&self, symbol: u32) -> Option<&Book> {
        self.books.get(symbol as usize)
    }

    /// The books of all markets.
    pub(crate) fn books(&self) -> &[Book] {
        &self.books
    }

    /// Puts an order into a book as it was. None if it cannot have been there.
    pub(crate) fn rest(&mut self, symbol: usize, order: Resting) -> Option<()> {
        let book = self.books.get_mut(symbol)?;
        let rest = self.resting.get_mut(order.account as usize)?;
        let sound = order.left > 0 && order.left <= order.qty && book.find(order.id).is_none();
        sound.then(|| {
            *rest += 1;
            book.insert(order);
        })
    }

    /// Does what an order says, and tells `out` what came of it.
    #[inline]
    pub(crate) fn execute(&mut self, order: &Order, out: &mut impl FnMut(Event)) {
        if order.refusal().is_none()
            && let Err(why) = self.act(order, out)
        {
            out(Event::Refused(why));
        }
        out(Event::End);
    }

    #[inline]
    fn act(&mut self, order: &Order, out: &mut impl FnMut(Event)) -> Result<(), Refusal> {
        let symbol = order.symbol as usize;
        let (Some(market), Some(book)) = (self.markets.get(symbol), self.books.get_mut(symbol))
        else {
            return Err(Refusal::Market);
        };
        let mut desk = Desk { market, book, resting: &mut self.resting, out };
        if order.action == Action::Place {
            let account = self.accounts.find(order.user).ok_or(Refusal::User)?;
            return desk.place(order, account, self.accounts.most_resting());
        }
        let slot = desk.book.find(order.id).ok_or(Refusal::Order)?;
        if desk.book.order(slot).user != order.user {
            return Err(Refusal::Owner);
        }
        match order.action {
            Action::Reduce => desk.reduce(slot, order.qty),
            Action::Move => return desk.change_price(slot, order),
            Action::Cancel | Action::Place => desk.reduce(slot, u64::MAX),
        }
        Ok(())
    }
}

/// Nothing is nothing to tell.
fn release(out: &mut impl FnMut(Event), side: Side, amount: u64) {
    if amount > 0 {
        out(Event::Release { side, amount });
    }
}

/// One order at work on the book of its market.
struct Desk<'a, O> {
    market: &'a Market,
    book: &'a mut Book,
    resting: &'a mut [u32],
    out: &'a mut O,
}

impl<O: FnMut(Event)> Desk<'_, O> {
    fn place(&mut self, order: &Order, account: u32, most: u32) -> Result<(), Refusal> {
        if self.book.find(order.id).is_some() {
            return Err(Refusal::Duplicate);
        }
        let may_rest = order.kind == Kind::Limit && order.tif == TimeInForce::Gtc;
        if may_rest && self.resting[account as usize] >= most {
            return Err(Refusal::Resting);
        }
        let &Order { id, user, side, price, qty, .. } = order;
        let market_sell = order.kind == Kind::Market && side == Side::Sell;
        let left = self.trade(side, if market_sell { 0 } else { price }, qty);
        if may_rest {
            let mut order = Resting::new(id, user, account, side, price, qty);
            (order.left, order.partly) = (left, left < qty);
            self.rest(order);
        } else {
            self.release(side, price, left);
        }
        Ok(())
    }

    /// Takes `by` off what is left of an order, or all of it.
    fn reduce(&mut self, slot: u32, by: u64) {
        let order = self.book.order_mut(slot);
        let &mut Resting { side, price, left, .. } = order;
        let by = by.min(left);
        (order.left, order.qty) = (left - by, order.qty - by);
        if by == left {
            self.remove(slot);
        }
        let now = self.lock(side, price, left - by);
        release(self.out, side, self.lock(side, price, left) - now);
    }

    fn change_price(&mut self, slot: u32, to: &Order) -> Result<(), Refusal> {
        let mut order = *self.book.order(slot);
        let Resting { side, left, .. } = order;
        let needs = self.market.lock(side, to.price, left).ok_or(Refusal::TooLarge)?;
        let has = self.lock(side, order.price, left);
        // `to` has locked money, whatever the order pays with.
        let more = needs.saturating_sub(has);
        let spare = to.locked.checked_sub(more).ok_or(Refusal::Funds)?;
        release(self.out, Side::Buy, spare);
        release(self.out, side, has.saturating_sub(needs));
        self.remove(slot);
        order.price = to.price;
        order.left = self.trade(side, to.price, left);
        order.partly |= order.left < left;
        self.rest(order);
        Ok(())
    }

    /// Trades with whoever is best on the other side, as far as `limit` goes; what is left then.
    fn trade(&mut self, side: Side, limit: u64, qty: u64) -> u64 {
        let mut left = qty;
        while left > 0
            && let Some(slot) = self.book.best(side.other())
        {
            let order = self.book.order_mut(slot);
            let &mut Resting { id, price, account: maker, .. } = order;
            let crosses = match side {
                Side::Buy => price <= limit,
                Side::Sell => price >= limit,
            };
            if !crosses {
                break;
            }
            let qty = left.min(order.left);
            order.left -= qty;
            left -= qty;
            if order.left == 0 {
                self.remove(slot);
            }
            (self.out)(Event::Trade { maker, side, id, price, qty });
        }
        left
    }

    fn rest(&mut self, order: Resting) {
        if order.left > 0 {
            self.resting[order.account as usize] += 1;
            self.book.insert(order);
        }
    }

    fn remove(&mut self, slot: u32) {
        self.resting[self.book.order(slot).account as usize] -= 1;
        self.book.remove(slot);
    }

    fn release(&mut self, side: Side, price: u64, left: u64) {
        release(self.out, side, self.lock(side, price, left));
    }

    /// What so much of an order has locked: less than what risk has checked, so there is a number for it.
    fn lock(&self, side: Side, price: u64, left: u64) -> u64 {
        self.market.lock(side, price, left).unwrap_or(0)
    }
}
