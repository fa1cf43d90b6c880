//! [`Arena`]: slots for what does not end in the order in which it began.
//!
//! A handle is a number: the slot in its low bits, as many as the arena needs, and in the others the slot's
//! generation, how often it was lent before. A slot's word holds its generation and its state, which changes
//! like this:
//!
//! 1. `FREE` to `LEASED` by who popped its index off the free list: each index is there at most once, and
//!    only while the slot is `FREE`.
//! 2. `LEASED` to `HELD` by the lease, which ends with it.
//! 3. `HELD` to `LEASED` by a compare-and-exchange on the generation of a handle: of several holders of
//!    one handle one succeeds.
//! 4. `LEASED` to `FREE` with the next generation by the lease, which ends with it; then the index is
//!    pushed. A slot whose generations are used up is not pushed any more: after 2^33 of them in the
//!    largest arena, 2^54 in one of a thousand slots.
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
/// Bits of a word that hold the state.
const STATE: u32 = 2;

/// A slot's word.
fn word(generation: u64, state: u64) -> u64 {
    generation << STATE | state
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
    /// Bits of a handle that say the slot: two at least, so that the others have room in a word.
    bits: u32,
    free: ArrayQueue<u32>,
}

// SAFETY: a value is reached by its one lease, on one thread after the other (T: Send); only where T is
// Sync is a lease shared between threads. All else is Sync by itself.
unsafe impl<T: Send> Sync for Arena<T> {}

/// Names a value that is held in an arena: its slot, and which of the slot's tenants it is. Eight bytes.
///
/// In another arena it names another value, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(u64);

impl<T> Arena<T> {
    /// `capacity` values, each made by `make`. Nothing is allocated afterwards.
    ///
    /// # Errors
    ///
    /// [`BuildError`]: a capacity of none or more than 2^31, or no memory for the values. (Where there is
    /// none for the list of those that are free, 16 bytes each, the process ends, as with `Vec`.)
    pub fn new(capacity: usize, mut make: impl FnMut() -> T) -> Result<Self, BuildError> {
        let count = u32::try_from(capacity).ok().filter(|count| (1..=1 << 31).contains(count));
        let count = count.ok_or(BuildError::Capacity(capacity))?;
        let mut slots = Vec::new();
        slots.try_reserve_exact(capacity).map_err(|_| BuildError::Memory(capacity))?;
        let slot = || Slot { value: UnsafeCell::new(make()), word: AtomicU64::new(word(0, FREE)) };
        slots.resize_with(capacity, slot);
        let free = ArrayQueue::new(capacity);
        (0..count).for_each(|slot| _ = free.push(slot));
        let bits = capacity.next_power_of_two().ilog2().max(STATE);
        Ok(Self { slots: slots.into_boxed_slice(), bits, free })
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
        let generation = slot.word.load(order) >> STATE;
        // Relaxed: nobody looks for more than that it is not held.
        slot.word.store(word(generation, LEASED), Ordering::Relaxed);
        Some(self.leased(Handle(generation << self.bits | u64::from(index))))
    }

    /// Lends the value of a handle, if it is the slot's tenant still and nobody has claimed it.
    #[must_use]
    pub fn claim(&self, handle: Handle) -> Option<Lease<'_, T>> {
        let (slot, mut generation) =
            (self.slots.get(self.slot_of(handle) as usize)?, handle.0 >> self.bits);
        if twin::is("generation_ignored") {
            generation = slot.word.load(Ordering::Relaxed) >> STATE;
        }
        let [held, leased] = [HELD, LEASED].map(|state| word(generation, state));
        if twin::is("handle_in_two_steps") {
            let now = slot.word.load(Ordering::Acquire);
            slot.word.store(leased, Ordering::Relaxed);
            return (now == held).then(|| self.leased(handle));
        }
        let order = twin::order("handle_relaxed", Ordering::Acquire, Ordering::Relaxed);
        slot.word.compare_exchange(held, leased, order, Ordering::Relaxed).ok()?;
        Some(self.leased(handle))
    }

    fn leased(&self, handle: Handle) -> Lease<'_, T> {
        Lease { arena: self, handle, value: PhantomData }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a slot has at most 31 bits")]
    fn slot_of(&self, handle: Handle) -> u32 {
        (handle.0 & ((1 << self.bits) - 1)) as u32
    }
}

impl<T> fmt::Debug for Arena<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (capacity, free) = (self.capacity(), self.free());
        f.debug_struct("Arena").field("capacity", &capacity).field("free", &free).finish()
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
        self.end(handle.0 >> self.arena.bits, HELD);
        std::mem::forget(self);
        handle
    }

    fn slot(&self) -> &Slot<T> {
        &self.arena.slots[self.arena.slot_of(self.handle) as usize]
    }

    fn end(&self, generation: u64, state: u64) {
        let order = twin::order("lease_end_relaxed", Ordering::Release, Ordering::Relaxed);
        self.slot().word.store(word(generation, state), order);
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
        let (arena, next) = (self.arena, (self.handle.0 >> self.arena.bits) + 1);
        // A generation that came round would make an old handle a new tenant's.
        if next > u64::MAX >> arena.bits {
            return;
        }
        self.end(next, FREE);
        // There is room for every slot.
        let _ = arena.free.push(arena.slot_of(self.handle));
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.handle).field(&**self).finish()
    }
}
