//! [`Arena`]: slots for what does not end in the order in which it began.
//!
//! A slot's word holds its generation and its state, which changes like this:
//!
//! 1. `FREE` to `LEASED` by who popped its index off the free list: each index is there at most once, and
//!    only while the slot is `FREE`.
//! 2. `LEASED` to `HELD` by the lease, which ends with it; a [`Handle`] names slot and generation.
//! 3. `HELD` to `LEASED` by a compare-and-exchange on the generation of a handle: of several holders of
//!    one handle one succeeds.
//! 4. `LEASED` to `FREE` with the next generation by the lease, which ends with it; then the index is
//!    pushed. A slot whose generations are used up is not pushed any more.
//!
//! So there is one lease for a slot at most. Who gives it up stores with Release, who takes it loads with
//! Acquire. Values are initialised at all times.

use crate::BuildError;
use aqueduct_base::sync::{
    atomic::{AtomicU64, Ordering},
    cell::UnsafeCell,
    twin,
};
use crossbeam_queue::ArrayQueue;
use std::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

/// A place for a value, on cache lines of its own.
#[repr(align(64))]
struct Slot<T> {
    value: UnsafeCell<T>,
    word: AtomicU64,
}

const FREE: u64 = 0;
const LEASED: u64 = 1;
const HELD: u64 = 2;

/// A slot's word.
fn word(generation: u32, state: u64) -> u64 {
    u64::from(generation) << 2 | state
}

/// A fixed number of values that are made once, and lent.
///
/// ```
/// use aqueduct_ring::Arena;
///
/// let arena = Arena::new(1000, String::new)?;
/// let mut lease = arena.lease().expect("a free slot");
/// lease.clear(); // it holds what its last tenant left
/// lease.push_str("an order");
/// let handle = lease.hold(); // eight bytes, which travel
///
/// let lease = arena.claim(handle).expect("nobody else has claimed it");
/// assert_eq!(*lease, "an order");
/// drop(lease); // free again
/// assert!(arena.claim(handle).is_none(), "the handle is stale");
/// # Ok::<(), aqueduct_ring::BuildError>(())
/// ```
pub struct Arena<T> {
    slots: Box<[Slot<T>]>,
    free: ArrayQueue<u32>,
}

// SAFETY: a value is reached by its one lease, on one thread after the other (T: Send); only where T is
// Sync is a lease shared between threads. All else is Sync by itself.
unsafe impl<T: Send> Sync for Arena<T> {}

/// Names a value that is held in an arena: its slot, and which of the slot's tenants it is. Eight bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle {
    slot: u32,
    generation: u32,
}

impl<T> Arena<T> {
    /// `capacity` values, each made by `make`. Nothing is allocated afterwards.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a capacity of none or more than 2^31, or no memory.
    pub fn new(capacity: usize, mut make: impl FnMut() -> T) -> Result<Self, BuildError> {
        let count = u32::try_from(capacity).ok().filter(|count| (1..=1 << 31).contains(count));
        let count = count.ok_or(BuildError::Capacity(capacity))?;
        let mut slots = Vec::new();
        slots.try_reserve_exact(capacity).map_err(|_| BuildError::Memory(capacity))?;
        let slot = || Slot { value: UnsafeCell::new(make()), word: AtomicU64::new(word(0, FREE)) };
        slots.resize_with(capacity, slot);
        let free = ArrayQueue::new(capacity);
        (0..count).for_each(|slot| _ = free.push(slot));
        Ok(Self { slots: slots.into_boxed_slice(), free })
    }

    /// Values in all.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Values that are neither leased nor held. A snapshot, where other threads are at work.
    #[must_use]
    pub fn free(&self) -> usize {
        self.free.len()
    }

    /// Lends a value that nobody has, if there is one.
    #[must_use]
    pub fn lease(&self) -> Option<Lease<'_, T>> {
        let index = self.free.pop()?;
        let slot = &self.slots[index as usize];
        let order = twin::order("lease_relaxed", Ordering::Acquire, Ordering::Relaxed);
        let generation = generation(slot.word.load(order));
        // Relaxed: nobody looks for more than that it is not held.
        slot.word.store(word(generation, LEASED), Ordering::Relaxed);
        Some(self.leased(index, generation))
    }

    /// Lends the value of a handle, if it is the slot's tenant still and nobody has claimed it.
    #[must_use]
    pub fn claim(&self, handle: Handle) -> Option<Lease<'_, T>> {
        let slot = self.slots.get(handle.slot as usize)?;
        let [held, leased] = [HELD, LEASED].map(|state| word(handle.generation, state));
        if twin::is("generation_ignored") {
            let now = slot.word.load(Ordering::Acquire);
            slot.word.store(word(generation(now), LEASED), Ordering::Relaxed);
            return (now & 3 == HELD).then(|| self.leased(handle.slot, generation(now)));
        }
        let order = twin::order("claim_relaxed", Ordering::Acquire, Ordering::Relaxed);
        slot.word.compare_exchange(held, leased, order, Ordering::Relaxed).ok()?;
        Some(self.leased(handle.slot, handle.generation))
    }

    fn leased(&self, slot: u32, generation: u32) -> Lease<'_, T> {
        Lease { arena: self, handle: Handle { slot, generation }, value: PhantomData }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a generation has 32 bits")]
fn generation(word: u64) -> u32 {
    (word >> 2) as u32
}

impl<T> fmt::Debug for Arena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (capacity, free) = (self.capacity(), self.free());
        f.debug_struct("Arena").field("capacity", &capacity).field("free", &free).finish()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle({}.{})", self.slot, self.generation)
    }
}

/// A value of an arena, lent: nobody else has it.
///
/// Dropped, the slot is free, and every handle of its tenant stale.
pub struct Lease<'a, T> {
    arena: &'a Arena<T>,
    handle: Handle,
    /// Shared between threads where the value may be.
    value: PhantomData<&'a mut T>,
}

impl<T> Lease<'_, T> {
    /// Leaves the value in its slot, to be [claimed](Arena::claim) with the handle, anywhere. A handle that
    /// is lost keeps its slot for ever.
    #[must_use = "the handle alone knows where the value is"]
    pub fn hold(self) -> Handle {
        let handle = self.handle;
        self.end(word(handle.generation, HELD));
        std::mem::forget(self);
        handle
    }

    fn slot(&self) -> &Slot<T> {
        &self.arena.slots[self.handle.slot as usize]
    }

    fn end(&self, word: u64) {
        let order = twin::order("lease_end_relaxed", Ordering::Release, Ordering::Relaxed);
        self.slot().word.store(word, order);
    }
}

impl<T> Deref for Lease<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this is the slot's one lease, and it is borrowed.
        self.slot().value.with(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for Lease<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this is the slot's one lease, and it is mutably borrowed.
        self.slot().value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        let Handle { slot, generation } = self.handle;
        // A generation that came round would make an old handle a new tenant's.
        let Some(next) = generation.checked_add(1) else { return };
        self.end(word(next, FREE));
        // There is room for every slot.
        let _ = self.arena.free.push(slot);
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.handle).field(&**self).finish()
    }
}
