//! [`Producer`]: who fills slots.

use crate::{
    ClaimError, Closed,
    slots::{Claimed, Head},
};
use std::{
    fmt,
    future::poll_fn,
    ops::{Deref, DerefMut},
    task::{Context, Poll},
};

/// A ring's producer is the only one.
#[derive(Debug)]
pub enum Sole {}

/// A ring's producer is one of several, and can be cloned.
#[derive(Debug)]
pub enum Many {}

/// How many producers a ring has: [`Sole`] or [`Many`].
pub trait Number: sealed::Sealed {}
impl Number for Sole {}
impl Number for Many {}

mod sealed {
    pub trait Sealed {
        const SEVERAL: bool;
    }
    impl Sealed for super::Sole {
        const SEVERAL: bool = false;
    }
    impl Sealed for super::Many {
        const SEVERAL: bool = true;
    }
}

/// Claims slots, and publishes them when they are filled.
///
/// When it is dropped, the last of several at least, consumers take what was published, and learn then
/// that no more will come; and that it panicked, if it did.
///
/// ```
/// use aqueduct_ring::{Builder, ClaimError, One};
///
/// let (mut producer, mut consumer) = Builder::new(2).build::<u64, One>(|| 0)?;
/// *producer.try_claim()? = 7; // dropped without `publish`: as if it had not been
/// for n in 1..=2 {
///     let mut slot = producer.try_claim()?;
///     *slot = n;
///     slot.publish();
/// }
/// assert!(matches!(producer.try_claim(), Err(ClaimError::Full)));
/// assert_eq!(consumer.try_take(64)?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Producer<T, N: Number = Sole> {
    head: Head<T, N>,
}

impl<T, N: Number> Producer<T, N> {
    pub(crate) fn new(head: Head<T, N>) -> Self {
        Self { head }
    }

    /// Slots of the ring.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.head.core().capacity()
    }

    /// Claims a slot, if one is free.
    ///
    /// A few nanoseconds: of several producers, one compare-and-exchange.
    ///
    /// # Errors
    ///
    /// [`ClaimError::Full`], and [`ClaimError::Closed`] when it will stay so: a consumer is gone, and
    /// nobody will be done with what comes behind.
    #[inline(always)]
    pub fn try_claim(&mut self) -> Result<Claim<'_, T, N>, ClaimError> {
        self.try_claim_some(1)?;
        Ok(Claim(self.head.claimed(1)))
    }

    /// Claims `count` slots in a row, if so many are free.
    ///
    /// # Errors
    ///
    /// As [`try_claim`](Self::try_claim).
    ///
    /// # Panics
    ///
    /// If `count` is more than the ring's capacity.
    #[inline(always)]
    pub fn try_claim_many(&mut self, count: usize) -> Result<Claims<'_, T, N>, ClaimError> {
        self.fits(count);
        self.try_claim_some(count)?;
        Ok(Claims(self.head.claimed(count)))
    }

    /// Claims a slot; waits for one as the ring does.
    ///
    /// # Errors
    ///
    /// [`Closed`] when a consumer is gone, and so none will be free.
    #[inline(always)]
    pub fn claim(&mut self) -> Result<Claim<'_, T, N>, Closed> {
        self.claim_some(1)?;
        Ok(Claim(self.head.claimed(1)))
    }

    /// Claims `count` slots in a row; waits for them as the ring does.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim).
    ///
    /// # Panics
    ///
    /// If `count` is more than the ring's capacity.
    #[inline(always)]
    pub fn claim_many(&mut self, count: usize) -> Result<Claims<'_, T, N>, Closed> {
        self.fits(count);
        self.claim_some(count)?;
        Ok(Claims(self.head.claimed(count)))
    }

    /// [`claim`](Self::claim) for tasks. Cancel safe: nothing is claimed until it is done.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn claim_async(&mut self) -> Result<Claim<'_, T, N>, Closed> {
        poll_fn(|context| self.poll_claim(context, 1)).await?;
        Ok(Claim(self.head.claimed(1)))
    }

    /// [`claim_many`](Self::claim_many) for tasks. Cancel safe: nothing is claimed until it is done.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Panics
    ///
    /// As there.
    pub async fn claim_many_async(&mut self, count: usize) -> Result<Claims<'_, T, N>, Closed> {
        self.fits(count);
        poll_fn(|context| self.poll_claim(context, count)).await?;
        Ok(Claims(self.head.claimed(count)))
    }

    fn poll_claim(&mut self, context: &mut Context<'_>, count: usize) -> Poll<Result<(), Closed>> {
        let (core, (bell, seat)) = (self.head.core().clone(), self.head.seat());
        core.bell(bell).poll(seat, context, || settled(self.try_claim_some(count)))
    }

    #[inline(always)]
    fn claim_some(&mut self, count: usize) -> Result<(), Closed> {
        match settled(self.try_claim_some(count)) {
            Some(done) => done,
            None => self.wait_for(count),
        }
    }

    #[cold]
    fn wait_for(&mut self, count: usize) -> Result<(), Closed> {
        let (core, (bell, seat)) = (self.head.core().clone(), self.head.seat());
        core.bell(bell).wait(seat, || settled(self.try_claim_some(count)))
    }

    #[inline(always)]
    fn try_claim_some(&mut self, count: usize) -> Result<(), ClaimError> {
        if self.head.claim(count) {
            return Ok(());
        }
        Err(match self.head.is_closed(count) {
            Some(closed) => ClaimError::Closed(closed),
            None => ClaimError::Full,
        })
    }

    /// More than that would never be free.
    #[inline(always)]
    fn fits(&self, count: usize) {
        let capacity = self.capacity();
        assert!(count <= capacity, "{count} slots of a ring of {capacity}");
    }
}

/// What there is to wait for no more.
#[inline(always)]
fn settled(claimed: Result<(), ClaimError>) -> Option<Result<(), Closed>> {
    match claimed {
        Ok(()) => Some(Ok(())),
        Err(ClaimError::Closed(closed)) => Some(Err(closed)),
        Err(ClaimError::Full) => None,
    }
}

impl<T> Clone for Producer<T, Many> {
    fn clone(&self) -> Self {
        Self::new(self.head.another())
    }
}

impl<T, N: Number> fmt::Debug for Producer<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// A slot to be filled: it holds what an earlier lap left there, or the ring's maker.
///
/// Dropped without [`publish`](Self::publish), it is given up, and no consumer sees it.
#[must_use = "a claim that is dropped is given up"]
pub struct Claim<'p, T, N: Number = Sole>(Claimed<'p, T, N>);

impl<T, N: Number> Claim<'_, T, N> {
    /// Lets the first stage have it.
    #[inline(always)]
    pub fn publish(self) {
        self.0.publish(1);
    }

    /// Gives it up, as dropping it does.
    pub fn abort(self) {}
}

impl<T, N: Number> Deref for Claim<'_, T, N> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        self.0.first()
    }
}

impl<T, N: Number> DerefMut for Claim<'_, T, N> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        self.0.first_mut()
    }
}

impl<T: fmt::Debug, N: Number> fmt::Debug for Claim<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Claim").field(&**self).finish()
    }
}

/// Slots in a row, to be filled.
///
/// What is not [published](Self::publish) is given up, and no consumer sees it.
#[must_use = "claims that are dropped are given up"]
pub struct Claims<'p, T, N: Number = Sole>(Claimed<'p, T, N>);

impl<T, N: Number> Claims<'_, T, N> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none: nothing was claimed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The slots, in order.
    #[inline(always)]
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.slots_mut()
    }

    /// Lets the first stage have the first `count` of them. The others are given up.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[inline(always)]
    pub fn publish(self, count: usize) {
        self.0.publish(count);
    }
}

impl<T, N: Number> fmt::Debug for Claims<'_, T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").field("len", &self.len()).finish()
    }
}
