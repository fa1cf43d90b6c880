//! [`Keeper`]: the log as a stage of the exchange.
//!
//! A stage cannot refuse an order: it has a number by then, and may be traded already. So the keeper says
//! ahead whether there is room, and keeps these numbered promises:
//!
//! 1. While it says that there is room, two times [`MOST_AT_ONCE`] orders fit in memory. When a write fails
//!    it says that there is none: those that are on their way fit all the same, and no others come.
//! 2. A write that failed is tried again at each rest. When it succeeds, orders are taken again.
//! 3. A sync that failed is for good: the log is closed, and never is there room again. Orders that were on
//!    their way are not kept, nor ever called durable.

use super::{BLOCK, Encoding, Fsync, Log, LogError, Storage, record::stride};
use crate::{MOST_AT_ONCE, Order};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

const _: () = assert!(2 * MOST_AT_ONCE * stride(Encoding::Bincode) <= BLOCK, "promise 1");

/// Orders between two looks at the clock, which takes as long as a good part of an order.
const LOOK: u64 = 64;

/// Keeps the orders of an exchange in a log.
#[derive(Debug)]
pub struct Keeper<S: Storage> {
    log: Log<S>,
    each: bool,
    durable: Arc<AtomicU64>,
    /// The log's next order at the last rest, and at the last commit.
    rested: u64,
    committed: u64,
    error: Option<LogError>,
    closed: bool,
}

impl<S: Storage> Keeper<S> {
    /// Goes on with a log.
    #[must_use]
    pub fn new(log: Log<S>) -> Self {
        let (next, durable) = (log.next(), Arc::new(AtomicU64::new(log.durable())));
        let each = log.options().fsync == Fsync::Each;
        Self { log, each, durable, rested: next, committed: next, error: None, closed: false }
    }

    /// The last order that is [durable](Log::durable), for whoever acknowledges orders: it is said as soon as
    /// it is so. An order may be settled before it is durable, and durable before it is settled.
    #[must_use]
    pub fn durable(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.durable)
    }

    /// Why there is no room.
    #[must_use]
    pub fn error(&self) -> Option<&LogError> {
        self.error.as_ref()
    }

    /// Writes the state behind order `seq`, which is made durable before.
    ///
    /// # Errors
    ///
    /// As [`Log::sync`] and [`Log::snapshot`].
    pub fn snapshot(&mut self, seq: u64, bytes: &[u8]) -> Result<(), LogError> {
        self.log.sync()?;
        self.publish();
        self.log.snapshot(seq, bytes)
    }

    /// Makes all durable and closes the log.
    ///
    /// # Errors
    ///
    /// What was wrong at the last [rest](crate::Log::rest); or as [`Log::close`].
    pub fn close(self) -> Result<(), LogError> {
        self.error.map_or_else(|| self.log.close(), Err)
    }

    fn publish(&self) {
        // Relaxed: it says something of the disk, and orders nothing in memory.
        self.durable.store(self.log.durable(), Ordering::Relaxed);
    }

    /// Whether nothing is wrong.
    #[inline]
    fn heed(&mut self, done: Result<(), LogError>) -> bool {
        self.publish();
        let Err(error) = done else { return true };
        if !self.closed {
            self.closed = !matches!(error, LogError::Io { .. });
            self.error = Some(error);
        }
        false
    }

    #[inline]
    fn commit(&mut self, idle: bool) -> Result<(), LogError> {
        let next = self.log.next();
        // Who has nothing else to do looks at the clock.
        let quiet = std::mem::replace(&mut self.rested, next) == next;
        if idle {
            self.log.sync()?;
        } else if quiet || next - self.committed >= LOOK || self.error.is_some() {
            self.committed = next;
            self.log.commit()?;
        }
        if self.log.room() < 2 * MOST_AT_ONCE { self.log.write() } else { Ok(()) }
    }
}

impl<S: Storage<File: Send> + Send> crate::Log for Keeper<S> {
    #[inline]
    fn record(&mut self, order: &Order) {
        let mut kept = self.log.append(order);
        if self.each && kept.is_ok() {
            kept = self.log.commit();
        }
        if self.each || kept.is_err() {
            self.heed(kept);
        }
    }

    #[inline]
    fn rest(&mut self, idle: bool) -> bool {
        if self.closed {
            return false;
        }
        let done = self.commit(idle);
        let open = self.heed(done);
        if open {
            self.error = None;
        }
        open
    }
}
