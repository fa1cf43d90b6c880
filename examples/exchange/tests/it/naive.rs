//! The oracle: everything in one vector that is searched from end to end, and arithmetic in 128 bits.

use crate::record::{balance, resting};
use exchange::{Action, Kind, Market, Opening, Order, Refusal, Side, TimeInForce};
use std::cmp::Reverse;

struct Rest {
    symbol: usize,
    time: usize,
    partly: bool,
    order: Order,
}

pub(crate) struct Naive {
    markets: Vec<Market>,
    balances: Vec<Opening>,
    /// Orders of a user that rest at most, in all markets.
    most: usize,
    book: Vec<Rest>,
    fees: Vec<u64>,
    counts: [u64; 2],
    time: usize,
    lines: Vec<String>,
}

fn fee(amount: u64, per_million: u32) -> u64 {
    let least = u128::from(per_million > 0 && amount > 0);
    u64::try_from((u128::from(amount) * u128::from(per_million) / 1_000_000).max(least)).unwrap()
}

impl Naive {
    pub(crate) fn new(
        markets: &[Market],
        balances: Vec<Opening>,
        assets: usize,
        most: usize,
    ) -> Self {
        let (markets, book, fees) = (markets.to_vec(), Vec::new(), vec![0; assets]);
        Self { markets, balances, most, book, fees, counts: [0; 2], time: 0, lines: Vec::new() }
    }

    fn has(&mut self, user: u64, asset: usize) -> &mut Opening {
        self.balances.iter_mut().find(|has| has.user == user && has.asset == asset).unwrap()
    }

    /// Whether what is left of it rests, which is refused where too many do.
    fn may_rest(&self, order: &Order) -> Result<bool, Refusal> {
        let rest = self.book.iter().filter(|rest| rest.order.user == order.user).count();
        let may_rest = order.kind == Kind::Limit && order.tif == TimeInForce::Gtc;
        if may_rest && rest >= self.most { Err(Refusal::Resting) } else { Ok(may_rest) }
    }

    fn lock(&self, symbol: usize, side: Side, price: u64, qty: u64) -> Option<u64> {
        let cost = u128::from(price) * u128::from(qty) / u128::from(self.markets[symbol].unit);
        if side == Side::Sell { Some(qty) } else { u64::try_from(cost).ok() }
    }

    /// Back from what is locked, or the other way round where `amount` is negative.
    fn release(&mut self, user: u64, asset: usize, amount: i128) {
        let has = self.has(user, asset);
        has.avail = u64::try_from(i128::from(has.avail) + amount).unwrap();
        has.frozen = u64::try_from(i128::from(has.frozen) - amount).unwrap();
    }

    pub(crate) fn execute(&mut self, order: &Order) {
        self.time += 1;
        if let Err(why) = self.act(order) {
            self.lines.push(format!("refused {:?} {}: {why}", order.action, order.id));
        }
    }

    fn act(&mut self, order: &Order) -> Result<(), Refusal> {
        let symbol = order.symbol as usize;
        let market = *self.markets.get(symbol).ok_or(Refusal::Market)?;
        if !self.balances.iter().any(|has| has.user == order.user) {
            return Err(Refusal::User);
        }
        let (place, moves) = (order.action == Action::Place, order.action == Action::Move);
        let bounded = order.side == Side::Buy || order.kind == Kind::Limit;
        if order.price == 0 && (moves || place && bounded) {
            return Err(Refusal::Price);
        }
        if order.qty == 0 && (place || order.action == Action::Reduce) {
            return Err(Refusal::Quantity);
        }
        let found = self.book.iter().position(|r| r.symbol == symbol && r.order.id == order.id);
        if place {
            let lock = self.lock(symbol, order.side, order.price, order.qty);
            let (lock, pays) = (lock.ok_or(Refusal::TooLarge)?, market.pays(order.side));
            if self.has(order.user, pays).avail < lock {
                return Err(Refusal::Funds);
            }
            if found.is_some() {
                return Err(Refusal::Duplicate);
            }
            let may_rest = self.may_rest(order)?;
            self.release(order.user, pays, -i128::from(lock));
            self.counts[0] += 1;
            self.lines.push(format!("accepted {} {}", order.id, self.counts[0]));
            let any = order.kind == Kind::Market && order.side == Side::Sell;
            let limit = if any { 0 } else { order.price };
            let left = self.trade(order, order.side, limit, order.qty);
            if may_rest && left > 0 {
                let partly = left < order.qty;
                let order = Order { qty: left, ..*order };
                self.book.push(Rest { symbol, time: self.time, partly, order });
            } else {
                let back = self.lock(symbol, order.side, order.price, left).unwrap();
                self.release(order.user, pays, i128::from(back));
            }
            return Ok(());
        }
        let at = found.ok_or(Refusal::Order)?;
        let Order { user, side, price, qty: left, .. } = self.book[at].order;
        if user != order.user {
            return Err(Refusal::Owner);
        }
        let (to, price_to) = match order.action {
            Action::Reduce => (left.saturating_sub(order.qty), price),
            Action::Move => (left, order.price),
            _ => (0, price),
        };
        let had = i128::from(self.lock(symbol, side, price, left).unwrap());
        let needs = self.lock(symbol, side, price_to, to).ok_or(Refusal::TooLarge)?;
        if i128::from(self.has(user, market.pays(side)).avail) + had < i128::from(needs) {
            return Err(Refusal::Funds);
        }
        self.release(user, market.pays(side), had - i128::from(needs));
        (self.book[at].order.qty, self.book[at].order.price) = (to, price_to);
        if moves {
            let mut rest = self.book.remove(at);
            rest.order.qty = self.trade(order, side, price_to, left);
            rest.partly |= rest.order.qty < left;
            rest.time = self.time;
            self.book.push(rest);
        }
        self.book.retain(|rest| rest.order.qty > 0);
        Ok(())
    }

    fn trade(&mut self, order: &Order, side: Side, limit: u64, qty: u64) -> u64 {
        let (symbol, mut left, mut worth) = (order.symbol as usize, qty, 0);
        let market = self.markets[symbol];
        let buys = side == Side::Buy;
        while left > 0 {
            let other = |r: &&mut Rest| r.symbol == symbol && r.order.side != side;
            let crosses = |p: u64| if buys { p <= limit } else { p >= limit };
            let resting = self.book.iter_mut().filter(other).filter(|r| crosses(r.order.price));
            let rank = |r: &&mut Rest| (if buys { r.order.price } else { !r.order.price }, r.time);
            let Some(best) = resting.min_by_key(rank) else { break };
            let (price, qty, maker) = (best.order.price, left.min(best.order.qty), best.order.user);
            best.order.qty -= qty;
            self.book.retain(|rest| rest.order.qty > 0);
            left -= qty;
            worth += u128::from(price) * u128::from(qty);
            let users = if buys { [order.user, maker] } else { [maker, order.user] };
            let mut fees = [market.taker_fee, market.maker_fee];
            if !buys {
                fees.reverse();
            }
            let cost = self.lock(symbol, Side::Buy, price, qty).unwrap();
            let fees = [fee(qty, fees[0]), fee(cost, fees[1])];
            let back = if buys { limit - price } else { 0 };
            let back = i128::from(self.lock(symbol, Side::Buy, back, qty).unwrap());
            let (base, quote) = (market.base, market.quote);
            self.has(users[0], quote).frozen -= cost;
            self.release(users[0], quote, back);
            self.has(users[0], base).avail += qty - fees[0];
            self.has(users[1], base).frozen -= qty;
            self.has(users[1], quote).avail += cost - fees[1];
            (self.fees[base], self.fees[quote]) =
                (self.fees[base] + fees[0], self.fees[quote] + fees[1]);
            self.counts[1] += 1;
            let whose = [(users[0], quote), (users[0], base), (users[1], base), (users[1], quote)];
            let after = whose.map(|(user, asset)| {
                let has = self.has(user, asset);
                has.avail + has.frozen
            });
            let (number, deltas) = (self.counts[1], [cost, qty - fees[0], qty, cost - fees[1]]);
            let assets = [base, quote];
            self.lines.push(format!("trade {number} {assets:?} {users:?} {deltas:?} {after:?}"));
        }
        if left < qty {
            let (filled, price) = (qty - left, worth / u128::from(qty - left));
            self.lines.push(format!("filled {} {filled} at {price}", order.id));
        }
        left
    }

    /// As [`run`](crate::record::run) has it.
    pub(crate) fn finish(mut self) -> Vec<String> {
        self.book.sort_by_key(|Rest { symbol, time, order, .. }| {
            let key =
                if order.side == Side::Buy { Reverse(order.price) } else { Reverse(!order.price) };
            (*symbol, order.side as u8, key, *time)
        });
        let rests = self.book.iter().map(|Rest { order: o, partly, .. }| {
            resting(o.id, o.user, o.side, o.price, o.qty, *partly)
        });
        self.lines.extend(rests);
        let balances = self.balances.iter();
        self.lines.extend(balances.map(|has| balance(has.user, has.asset, has.avail, has.frozen)));
        self.lines.push(format!("fees {:?}", self.fees));
        self.lines
    }
}
