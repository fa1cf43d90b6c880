//! [`Risk`]: the first stage. It checks an order in its slot, and locks what it may cost.

use crate::{Accounts, Action, Kind, Market, Order, Refusal, Side};
use std::sync::Arc;

/// Checks orders, and knows what they have locked so far.
#[derive(Debug)]
pub struct Risk {
    accounts: Arc<Accounts>,
    markets: Arc<[Market]>,
    /// Of each balance, since the start.
    debited: Vec<u64>,
}

impl Risk {
    pub(crate) fn new(accounts: Arc<Accounts>, markets: Arc<[Market]>) -> Self {
        let debited = vec![0; accounts.openings().len()];
        Self { accounts, markets, debited }
    }

    /// Says in `order` what it locks, or why it is refused. `settle` returns when all orders before are
    /// settled; it is called only where the verdict hangs on it.
    #[inline]
    pub(crate) fn check(&mut self, order: &mut Order, settle: impl FnOnce()) {
        match self.lock(order, settle) {
            Ok(locked) => order.locked = locked,
            Err(why) => order.refuse(why),
        }
    }

    #[inline]
    fn lock(&mut self, order: &Order, settle: impl FnOnce()) -> Result<u64, Refusal> {
        let market = self.markets.get(order.symbol as usize).ok_or(Refusal::Market)?;
        let account = self.accounts.find(order.user).ok_or(Refusal::User)?;
        let bounded = order.kind == Kind::Limit || order.side == Side::Buy;
        let (needs_price, needs_qty) = match order.action {
            Action::Place => (bounded, true),
            Action::Cancel => (false, false),
            Action::Reduce => (false, true),
            Action::Move => (true, false),
        };
        if needs_price && order.price == 0 {
            return Err(Refusal::Price);
        }
        if needs_qty && order.qty == 0 {
            return Err(Refusal::Quantity);
        }
        let place = self.accounts.place(account, market.locks(order));
        let debited = &mut self.debited[place];
        let amount = match order.action {
            Action::Place => {
                let amount = market.lock(order.side, order.price, order.qty);
                let amount = amount.ok_or(Refusal::TooLarge)?;
                if self.accounts.available(place, *debited) < amount {
                    settle();
                    if self.accounts.available(place, *debited) < amount {
                        return Err(Refusal::Funds);
                    }
                }
                amount
            }
            // What it needs hangs on what is left of the order, which the book alone knows: so all there
            // is, and settlement gives back what was not needed.
            Action::Move => {
                settle();
                self.accounts.available(place, *debited)
            }
            Action::Cancel | Action::Reduce => 0,
        };
        *debited = debited.wrapping_add(amount);
        Ok(amount)
    }
}
