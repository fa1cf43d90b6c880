//! [`Book`]: the orders of one market that rest, by price and time.
//!
//! They lie in a slab, a cache line each, chained into the list of their price. Nothing is allocated for one
//! that comes while there is room for it.

use crate::{
    Side,
    ladder::{Ladder, NONE},
};
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;

/// An order that rests.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Resting {
    /// Its id.
    pub id: u64,
    /// Whose it is.
    pub user: u64,
    /// Its price.
    pub price: u64,
    /// How much it was for.
    pub qty: u64,
    /// How much of that is left.
    pub left: u64,
    pub(crate) account: u32,
    level: u32,
    before: u32,
    behind: u32,
    /// Which side of the book.
    pub side: Side,
    /// Whether it was partly filled when it came in.
    pub partly: bool,
}

impl Resting {
    pub(crate) fn new(id: u64, user: u64, account: u32, side: Side, price: u64, qty: u64) -> Self {
        let [level, before, behind] = [NONE; 3];
        Self {
            id,
            user,
            price,
            qty,
            left: qty,
            account,
            level,
            before,
            behind,
            side,
            partly: false,
        }
    }
}

const _: () = assert!(size_of::<Resting>() == 64);

/// Bids and asks.
#[derive(Debug)]
pub struct Book {
    orders: Vec<Resting>,
    /// The first free slot; each has the next in `behind`.
    free: u32,
    ids: HashMap<u64, u32, FxBuildHasher>,
    bids: Ladder,
    asks: Ladder,
}

impl Book {
    /// With room for so many orders before anything is allocated.
    pub(crate) fn new(orders: usize) -> Self {
        Self {
            orders: Vec::with_capacity(orders),
            free: NONE,
            // A table that is half empty at least gets rid of old ids in place.
            ids: HashMap::with_capacity_and_hasher(2 * orders, FxBuildHasher),
            bids: Ladder::new(Side::Buy, orders),
            asks: Ladder::new(Side::Sell, orders),
        }
    }

    /// How many orders rest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The orders of a side: the best price first, and in time order within it.
    pub fn side(&self, side: Side) -> impl Iterator<Item = &Resting> {
        self.ladder(side).iter().flat_map(|level| {
            let at = |slot: u32| self.orders.get(slot as usize);
            std::iter::successors(at(level.first), move |order| at(order.behind))
        })
    }

    /// Each price of a side, the best first, and how much is wanted at it. Linear in the orders there.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = [u64; 2]> {
        self.ladder(side).iter().map(|level| {
            let at = |slot: u32| self.orders.get(slot as usize);
            let orders = std::iter::successors(at(level.first), |order| at(order.behind));
            [level.price, orders.fold(0, |sum, order| sum.saturating_add(order.left))]
        })
    }

    #[inline]
    fn ladder(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    #[inline]
    fn ladder_mut(&mut self, side: Side) -> &mut Ladder {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// The slot of an order.
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Option<u32> {
        self.ids.get(&id).copied()
    }

    #[inline]
    pub(crate) fn order(&self, slot: u32) -> &Resting {
        &self.orders[slot as usize]
    }

    #[inline]
    pub(crate) fn order_mut(&mut self, slot: u32) -> &mut Resting {
        &mut self.orders[slot as usize]
    }

    /// The slot of the order that is first to trade on a side.
    #[inline]
    pub(crate) fn best(&self, side: Side) -> Option<u32> {
        let ladder = self.ladder(side);
        Some(ladder.level(ladder.best()?).first)
    }

    /// Puts an order at the end of the queue of its price.
    pub(crate) fn insert(&mut self, mut order: Resting) {
        let slot = match self.orders.get(self.free as usize) {
            Some(free) => std::mem::replace(&mut self.free, free.behind),
            None => {
                self.orders.push(order);
                u32::try_from(self.orders.len() - 1).expect("a slab of 2^32 lines is no slab")
            }
        };
        self.ids.insert(order.id, slot);
        let ladder = self.ladder_mut(order.side);
        order.level = ladder.at(order.price);
        let level = ladder.level_mut(order.level);
        order.before = std::mem::replace(&mut level.last, slot);
        order.behind = NONE;
        if order.before == NONE {
            level.first = slot;
        } else {
            self.orders[order.before as usize].behind = slot;
        }
        self.orders[slot as usize] = order;
    }

    /// Takes an order out.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Resting { id, side, level: number, before, behind, .. } = *self.order(slot);
        self.ids.remove(&id);
        match self.orders.get_mut(before as usize) {
            Some(order) => order.behind = behind,
            None => self.ladder_mut(side).level_mut(number).first = behind,
        }
        match self.orders.get_mut(behind as usize) {
            Some(order) => order.before = before,
            None => self.ladder_mut(side).level_mut(number).last = before,
        }
        if before == NONE && behind == NONE {
            self.ladder_mut(side).remove(number);
        }
        self.orders[slot as usize].behind = std::mem::replace(&mut self.free, slot);
    }
}
