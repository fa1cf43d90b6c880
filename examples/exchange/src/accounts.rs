//! [`Accounts`]: who has what at the start, and what settlement has credited since.
//!
//! Risk runs ahead of settlement, on another thread maybe, and must come to the same verdict all the same.
//! So a balance has one writer on each side: what is available is the opening balance, plus what was
//! credited (written by settlement alone), less what was debited (risk's own). Credits only rise: a check
//! that passes on what is visible would have passed later too, and one that fails is made again when
//! settlement is done with all orders before.

use crate::{Error, Order};
use rustc_hash::FxBuildHasher;
use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

/// A user's balance of one asset at the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// Whose it is.
    pub user: u64,
    /// The number of the asset, from 0 on.
    pub asset: usize,
    /// What he may use.
    pub avail: u64,
    /// What is locked.
    pub frozen: u64,
}

/// The accounts of all users, an opening balance and a credit for each of the assets.
#[derive(Debug)]
pub struct Accounts {
    users: Vec<u64>,
    index: HashMap<u64, u32, FxBuildHasher>,
    assets: usize,
    /// Orders of each that rest at most.
    most: u32,
    openings: Vec<Opening>,
    /// Their places, as they were given; then those that were not.
    order: Vec<usize>,
    credited: Vec<AtomicU64>,
}

impl Accounts {
    /// Orders of an account that rest at most, unless it is [said](Self::with_most_resting): with what a book
    /// keeps beside an order, two or three megabytes.
    pub const MOST_RESTING: u32 = 1 << 14;

    /// The accounts of those who are in `openings`, in their order, each with so many assets.
    ///
    /// # Errors
    ///
    /// [`Error::Balances`]: an asset that there is not, a balance that is given twice, or more of an asset in
    /// all than there are numbers for.
    pub fn new(assets: usize, openings: impl IntoIterator<Item = Opening>) -> Result<Self, Error> {
        let mut accounts = Self {
            users: Vec::new(),
            index: HashMap::default(),
            assets,
            most: Self::MOST_RESTING,
            openings: Vec::new(),
            order: Vec::new(),
            credited: Vec::new(),
        };
        let (mut totals, mut given) = (vec![0u64; assets], Vec::new());
        for opening in openings {
            let refused = |what| Error::Balances { user: opening.user, what };
            let total = totals.get_mut(opening.asset).ok_or(refused("unknown asset"))?;
            let sum =
                opening.avail.checked_add(opening.frozen).and_then(|sum| sum.checked_add(*total));
            let fits = sum.filter(|sum| *sum <= Order::MOST_LOCKED);
            *total = fits.ok_or(refused("more of an asset than there are numbers for"))?;
            let account = accounts.open(opening.user)?;
            let place = accounts.place(account, opening.asset);
            given.resize(accounts.openings.len(), false);
            if std::mem::replace(&mut given[place], true) {
                return Err(refused("balance given twice"));
            }
            accounts.openings[place] = opening;
            accounts.order.push(place);
        }
        accounts.order.extend((0..given.len()).filter(|place| !given[*place]));
        accounts.credited.resize_with(accounts.openings.len(), AtomicU64::default);
        Ok(accounts)
    }

    /// Each may have so many orders that rest, in all markets: another that could rest is refused, also where
    /// it would trade at once. One that is moved or made smaller rests as before.
    #[must_use]
    pub fn with_most_resting(mut self, most: u32) -> Self {
        self.most = most;
        self
    }

    /// Orders of each that rest at most.
    #[inline]
    pub(crate) fn most_resting(&self) -> u32 {
        self.most
    }

    fn open(&mut self, user: u64) -> Result<u32, Error> {
        if let Some(account) = self.find(user) {
            return Ok(account);
        }
        let account = u32::try_from(self.users.len());
        let account = account.map_err(|_| Error::Balances { user, what: "too many users" })?;
        self.users.push(user);
        self.index.insert(user, account);
        for asset in 0..self.assets {
            self.openings.push(Opening { user, asset, avail: 0, frozen: 0 });
        }
        Ok(account)
    }

    /// Assets of each account.
    pub(crate) fn assets(&self) -> usize {
        self.assets
    }

    /// The number of a user's account.
    #[inline]
    pub(crate) fn find(&self, user: u64) -> Option<u32> {
        self.index.get(&user).copied()
    }

    /// The user of an account.
    #[inline]
    pub(crate) fn user(&self, account: u32) -> u64 {
        self.users[account as usize]
    }

    /// All users, by the numbers of their accounts.
    pub(crate) fn users(&self) -> impl Iterator<Item = u64> {
        self.users.iter().copied()
    }

    /// Where an account's balance of an asset stands among all.
    #[inline]
    pub(crate) fn place(&self, account: u32, asset: usize) -> usize {
        account as usize * self.assets + asset
    }

    /// All balances at the start, each at its place.
    pub(crate) fn openings(&self) -> &[Opening] {
        &self.openings
    }

    /// The places of all balances: those that were given at the start, as they were given, then the others.
    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }

    /// Settlement gives `amount`: the one writer of credits. They wrap, as debits do.
    #[inline]
    pub(crate) fn credit(&self, place: usize, amount: u64) {
        let credited = &self.credited[place];
        let sum = credited.load(Ordering::Relaxed).wrapping_add(amount);
        // Release: who sees that an order is settled sees its credits.
        credited.store(sum, Ordering::Release);
    }

    /// What is available of a balance, before anything is debited.
    pub(crate) fn restore(&self, place: usize, avail: u64) {
        let credited = avail.wrapping_sub(self.openings[place].avail);
        self.credited[place].store(credited, Ordering::Release);
    }

    /// What may be used of a balance, as far as its credits are visible.
    #[inline]
    pub(crate) fn available(&self, place: usize, debited: u64) -> u64 {
        let credited = self.credited[place].load(Ordering::Acquire);
        self.openings[place].avail.wrapping_add(credited).wrapping_sub(debited)
    }
}
