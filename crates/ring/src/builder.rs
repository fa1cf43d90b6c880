//! [`Builder`]: a ring, its producers and its stages.

use crate::{
    BuildError, Wait,
    consumer::{Consumer, Exclusive, Shared},
    producer::{Many, Producer, Sole},
    slots::{Seed, ring},
};
use std::{array, fmt};

/// Settings of a ring.
///
/// ```
/// use aqueduct_ring::{Beside, Builder, One, Wait};
///
/// // Several producers; a stage that writes, and behind it two that read side by side.
/// let ring = Builder::new(1000).wait(Wait::Spin);
/// let (producer, (_check, [_log, _match])) = ring.build_many::<[u8; 64], (One, Beside<2>)>(|| [0; 64])?;
/// assert_eq!(producer.clone().capacity(), 1024, "rounded up to a power of two");
/// # Ok::<(), aqueduct_ring::BuildError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Builder {
    capacity: usize,
    wait: Wait,
}

impl Builder {
    /// A ring of `capacity` slots, rounded up to a power of two, whose threads [sleep](Wait::Park) when
    /// they wait.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { capacity, wait: Wait::Park }
    }

    /// Sets how the ring waits.
    #[must_use]
    pub const fn wait(mut self, wait: Wait) -> Self {
        self.wait = wait;
        self
    }

    /// Makes the ring with one producer, and the consumers of the stages that `L` lists. `make` is called
    /// once for each slot.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a capacity of none or more than 2^31 slots, no memory, a stage with no consumer.
    pub fn build<T, L: Layout<T>>(
        self,
        make: impl FnMut() -> T,
    ) -> Result<(Producer<T, Sole>, L::Consumers), BuildError> {
        let (head, places) = ring(self.capacity, self.wait, L::WIDTHS, make)?;
        Ok((Producer::new(head), L::consumers(&mut Places(places.into_iter()))))
    }

    /// [`build`](Self::build), with a producer that can be cloned.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn build_many<T, L: Layout<T>>(
        self,
        make: impl FnMut() -> T,
    ) -> Result<(Producer<T, Many>, L::Consumers), BuildError> {
        let (head, places) = ring(self.capacity, self.wait, L::WIDTHS, make)?;
        Ok((Producer::new(head), L::consumers(&mut Places(places.into_iter()))))
    }
}

/// A stage with one consumer, which may write.
#[derive(Debug)]
pub enum One {}

/// A stage with `N` consumers side by side, each of which sees every slot and may read.
#[derive(Debug)]
pub enum Beside<const N: usize> {}

/// A stage: [`One`] or [`Beside`].
pub trait Level<T>: sealed::Level<T> {}

/// The stages of a ring, first to last: a tuple of up to six [`Level`]s, or [`One`].
pub trait Layout<T>: sealed::Layout<T> {}

/// What is left of a ring's places.
pub struct Places<T>(std::vec::IntoIter<Seed<T>>);

impl<T> Places<T> {
    fn next(&mut self) -> Seed<T> {
        self.0.next().expect("there are as many places as the widths say")
    }
}

impl<T> fmt::Debug for Places<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").finish_non_exhaustive()
    }
}

mod sealed {
    use super::Places;

    pub trait Level<T> {
        type Consumers;
        const WIDTH: usize;
        fn consumers(places: &mut Places<T>) -> Self::Consumers;
    }

    pub trait Layout<T> {
        type Consumers;
        const WIDTHS: &'static [usize];
        fn consumers(places: &mut Places<T>) -> Self::Consumers;
    }
}

impl<T> Level<T> for One {}
impl<T> sealed::Level<T> for One {
    type Consumers = Consumer<T, Exclusive>;
    const WIDTH: usize = 1;

    fn consumers(places: &mut Places<T>) -> Self::Consumers {
        Consumer::new(places.next())
    }
}

impl<T: Sync, const N: usize> Level<T> for Beside<N> {}
impl<T: Sync, const N: usize> sealed::Level<T> for Beside<N> {
    type Consumers = [Consumer<T, Shared>; N];
    const WIDTH: usize = N;

    fn consumers(places: &mut Places<T>) -> Self::Consumers {
        array::from_fn(|_| Consumer::new(places.next()))
    }
}

macro_rules! layouts {
    ($($level:ident)*) => {
        impl<T, $($level: Level<T>),*> Layout<T> for ($($level,)*) {}
        impl<T, $($level: Level<T>),*> sealed::Layout<T> for ($($level,)*) {
            type Consumers = ($($level::Consumers,)*);
            const WIDTHS: &'static [usize] = &[$($level::WIDTH),*];

            fn consumers(places: &mut Places<T>) -> Self::Consumers {
                ($($level::consumers(places),)*)
            }
        }
    };
}

layouts!(A);
layouts!(A B);
layouts!(A B C);
layouts!(A B C D);
layouts!(A B C D E);
layouts!(A B C D E F);

impl<T> Layout<T> for One {}
impl<T> sealed::Layout<T> for One {
    type Consumers = Consumer<T, Exclusive>;
    const WIDTHS: &'static [usize] = &[1];

    fn consumers(places: &mut Places<T>) -> Self::Consumers {
        Consumer::new(places.next())
    }
}
