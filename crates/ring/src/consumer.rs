//! [`Consumer`]: who works on slots, at a stage.

use crate::{
    Closed, TakeError,
    slots::{Place, Reads, Seed, Taken, Writes},
};
use std::{
    fmt,
    future::poll_fn,
    task::{Context, Poll},
    thread,
};

/// A consumer that is alone at its stage: it may write to what it takes.
#[derive(Debug)]
pub enum Exclusive {}

/// A consumer beside others, each of which sees every slot: it may only read.
#[derive(Debug)]
pub enum Shared {}

/// What a consumer may do: [`Exclusive`] or [`Shared`].
pub trait Access: sealed::Sealed {}
impl Access for Exclusive {}
impl Access for Shared {}

mod sealed {
    pub trait Sealed {
        const WRITES: bool;
    }
    impl Sealed for super::Exclusive {
        const WRITES: bool = true;
    }
    impl Sealed for super::Shared {
        const WRITES: bool = false;
    }
}

/// Takes slots in batches, when all consumers of the stage before are done with them.
///
/// When it is dropped, stages behind it get what it was done with, and producers what is free, and learn
/// then that nothing will come any more.
///
/// ```
/// use aqueduct_ring::{Builder, One, TakeError};
///
/// let (mut producer, (mut first, mut last)) = Builder::new(8).build::<u64, (One, One)>(|| 0)?;
/// let mut slot = producer.claim()?;
/// *slot = 20;
/// slot.publish();
///
/// assert!(matches!(last.try_take(64), Err(TakeError::Empty)), "the stage before has it");
/// first.take(64)?.iter_mut().for_each(|slot| *slot += 1);
/// assert_eq!(last.take(64)?.iter_mut().next(), Some(&mut 21));
///
/// drop(producer);
/// assert!(first.take(64).is_err(), "nothing will come any more");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Consumer<T, A: Access = Exclusive> {
    place: Place<T, A>,
}

impl<T, A: Access> Consumer<T, A> {
    pub(crate) fn new(seed: Seed<T>) -> Self {
        Self { place: Place::new(seed) }
    }

    /// Slots of the ring.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.place.core().capacity()
    }

    /// Takes what is there, at most `most` slots.
    ///
    /// # Errors
    ///
    /// [`TakeError::Empty`], and [`TakeError::Closed`] when nothing is there and nothing will come.
    #[inline(always)]
    pub fn try_take(&mut self, most: usize) -> Result<Batch<'_, T, A>, TakeError> {
        self.try_see()?;
        Ok(self.batch(most))
    }

    /// Takes what is there, at most `most` slots; waits for the first as the ring does.
    ///
    /// # Errors
    ///
    /// [`Closed`] when nothing is there and nothing will come.
    #[inline(always)]
    pub fn take(&mut self, most: usize) -> Result<Batch<'_, T, A>, Closed> {
        match settled(self.try_see()) {
            Some(done) => done?,
            None => self.wait()?,
        }
        Ok(self.batch(most))
    }

    /// [`take`](Self::take) for tasks. Cancel safe: nothing is taken until it is done.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn take_async(&mut self, most: usize) -> Result<Batch<'_, T, A>, Closed> {
        poll_fn(|context| self.poll_see(context)).await?;
        Ok(self.batch(most))
    }

    fn poll_see(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Closed>> {
        let (core, (bell, seat)) = (self.place.core().clone(), self.place.seat());
        core.bell(bell).poll(seat, context, || settled(self.try_see()))
    }

    #[cold]
    fn wait(&mut self) -> Result<(), Closed> {
        let (core, (bell, seat)) = (self.place.core().clone(), self.place.seat());
        core.bell(bell).wait(seat, || settled(self.try_see()))
    }

    #[inline(always)]
    fn try_see(&mut self) -> Result<(), TakeError> {
        if self.place.look() {
            return Ok(());
        }
        Err(match self.place.is_closed() {
            Some(closed) => TakeError::Closed(closed),
            None if self.place.owned() > 0 => return Ok(()),
            None => TakeError::Empty,
        })
    }

    #[inline(always)]
    fn batch(&mut self, most: usize) -> Batch<'_, T, A> {
        Batch { taken: self.place.take(most), panicking: thread::panicking() }
    }
}

/// What there is to wait for no more.
#[inline(always)]
fn settled(seen: Result<(), TakeError>) -> Option<Result<(), Closed>> {
    match seen {
        Ok(()) => Some(Ok(())),
        Err(TakeError::Closed(closed)) => Some(Err(closed)),
        Err(TakeError::Empty) => None,
    }
}

impl<T, A: Access> fmt::Debug for Consumer<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("capacity", &self.capacity()).finish_non_exhaustive()
    }
}

/// Slots that are there, in the order in which they were claimed.
///
/// Those that were iterated over go on to the next stage when the batch is dropped, the one at which a loop
/// broke off among them; the others are taken again. So are all of a batch that a panic dropped, or that
/// was forgotten.
#[must_use = "what is not iterated over is not taken"]
pub struct Batch<'c, T, A: Access = Exclusive> {
    taken: Taken<'c, T, A>,
    /// It was taken in the midst of a panic, by a destructor.
    panicking: bool,
}

impl<T, A: Access> Batch<'_, T, A> {
    /// How many slots are left to be iterated over. With several producers some may be claims that were
    /// given up, which iteration passes over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.taken.left()
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Batch<'_, T, Exclusive> {
    /// The slots that are left.
    #[inline(always)]
    pub fn iter_mut(&mut self) -> IterMut<'_, T> {
        IterMut(self.taken.writes())
    }
}

impl<T: Sync> Batch<'_, T, Shared> {
    /// The slots that are left.
    #[inline(always)]
    pub fn iter(&mut self) -> Iter<'_, T> {
        Iter(self.taken.reads())
    }
}

impl<'b, T> IntoIterator for &'b mut Batch<'_, T, Exclusive> {
    type Item = &'b mut T;
    type IntoIter = IterMut<'b, T>;

    #[inline(always)]
    fn into_iter(self) -> IterMut<'b, T> {
        self.iter_mut()
    }
}

impl<'b, T: Sync> IntoIterator for &'b mut Batch<'_, T, Shared> {
    type Item = &'b T;
    type IntoIter = Iter<'b, T>;

    #[inline(always)]
    fn into_iter(self) -> Iter<'b, T> {
        self.iter()
    }
}

impl<T, A: Access> Drop for Batch<'_, T, A> {
    #[inline(always)]
    fn drop(&mut self) {
        // Most often one look is enough: nothing panics.
        let panicking = self.panicking;
        self.taken.give_up(|| !thread::panicking() || panicking);
    }
}

impl<T, A: Access> fmt::Debug for Batch<'_, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("len", &self.len()).finish()
    }
}

/// Slots of a [`Batch`], to write.
pub struct IterMut<'b, T>(Writes<'b, T>);

impl<'b, T> Iterator for IterMut<'b, T> {
    type Item = &'b mut T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'b mut T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> fmt::Debug for IterMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IterMut").finish_non_exhaustive()
    }
}

/// Slots of a [`Batch`], to read.
pub struct Iter<'b, T>(Reads<'b, T>);

impl<'b, T: Sync> Iterator for Iter<'b, T> {
    type Item = &'b T;

    #[inline(always)]
    fn next(&mut self) -> Option<&'b T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
