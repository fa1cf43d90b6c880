//! Which heap belongs to the running thread.
//!
//! Invariants of this file:
//!
//! 1. The heaps in a thread's slots are all among its own: those in [`Departure`]. A heap is put
//!    there when it was adopted, and taken out of its slot before it is handed over.
//! 2. A slot is null or a `&'static Heap`.
//! 3. The slots have no destructor, so that they can be read while other thread-local values are
//!    destroyed. The departure has one, and after it ran the slots are null for good.
//! 4. `last` is null or a list of one of the thread's own heaps; it is null before any is handed over.
//!
//! "The slot holds this very heap" is the test for ownership. A thread's id, or an address in its
//! local storage, would not do: both are used again by later threads, without a happens-before.

use crate::{
    block::Block,
    chain::Chain,
    class::Class,
    core::Core,
    heap::Heap,
    list::{List, OwnList},
    owner::Owner,
};
use aqueduct_base::{
    sync::{atomic::Ordering, twin},
    thread_local_const,
};
use std::{
    cell::{Cell, RefCell},
    ptr,
};

/// Slots that a thread has. Pools whose numbers are equal modulo this take turns with one.
pub(crate) const SLOTS: usize = if cfg!(aqueduct_loom) { 2 } else { 64 };

/// The heaps of the running thread that are quickly at hand.
struct Slots {
    heaps: [Cell<*const Heap>; SLOTS],
    /// The list that served last.
    last: Cell<*const List>,
}

thread_local_const! {
    static SLOT: Slots = Slots {
        heaps: [const { Cell::new(ptr::null()) }; SLOTS],
        last: Cell::new(ptr::null()),
    };
}

thread_local_const! {
    static DEPARTURE: Departure =
        Departure { heaps: RefCell::new(Vec::new()), over: Cell::new(false) };
}

/// The heaps of a thread, which are handed over when it ends.
struct Departure {
    heaps: RefCell<Vec<&'static Heap>>,
    /// Said by models, in which the rest of a thread's end is a part of its run.
    over: Cell<bool>,
}

impl Slots {
    #[inline(always)]
    fn at(&self, slot: usize) -> &Cell<*const Heap> {
        &self.heaps[slot % SLOTS]
    }
}

/// The calling thread's heap of `core`, if it is in its slot.
#[inline(always)]
pub(crate) fn mine(core: &'static Core) -> Option<Owner> {
    let heap = SLOT.try_with(|slots| slots.at(core.slot()).get()).ok()?;
    // SAFETY: null, or a heap record (2).
    let heap = unsafe { heap.as_ref() }?;
    // SAFETY: a heap in our slot is ours (1).
    ptr::eq(heap.core(), core).then(|| unsafe { Owner::new(heap) })
}

/// A block from the list of `class`, if the calling thread's heap of `core` is in its slot.
#[inline(always)]
pub(crate) fn take(core: &'static Core, class: Class) -> Option<(Block, usize)> {
    let list = mine(core)?.list(class);
    SLOT.try_with(|slots| slots.last.set(list.as_ptr())).ok()?;
    list.take()
}

/// Puts a block on its list at home, if that is the calling thread's.
///
/// The list that served last is asked first. Its address is known without looking at the block, so
/// that a get which follows need not wait for it: half a nanosecond where the same block comes and
/// goes.
#[inline(always)]
pub(crate) fn put(block: Block) -> Result<(), Block> {
    // The slots come first: finding them may be a call, across which only the block is kept.
    let list = SLOT.try_with(|slots| {
        let (home, last) = (block.home(), slots.last.get());
        if ptr::eq(home, last) {
            // SAFETY: a list of one of our heaps (4).
            return Some(unsafe { OwnList::new(last) });
        }
        let ours = Heap::has(slots.at(block.slot()).get(), home);
        // SAFETY: a list of the heap in our slot, which is ours (1).
        ours.then(|| unsafe { OwnList::new(home) })
    });
    match list {
        Ok(Some(list)) => {
            list.put(block);
            Ok(())
        }
        _ => Err(block),
    }
}

/// The calling thread's heap of `core`, which is adopted or made if there is none yet, and put in
/// its slot. None while the thread is ending.
#[cold]
pub(crate) fn enter(core: &'static Core) -> Option<Owner> {
    let heap = DEPARTURE.try_with(|departure| {
        let mut heaps = departure.heaps.borrow_mut();
        let known = heaps.iter().copied().find(|heap| ptr::eq(heap.core(), core));
        if known.is_some() || departure.over.get() {
            return known;
        }
        heaps.reserve(1);
        let heap = core.registry().adopt(core);
        heaps.push(heap);
        Some(heap)
    });
    let heap = heap.ok()??;
    SLOT.try_with(|slots| slots.at(core.slot()).set(heap)).ok()?;
    // SAFETY: among the heaps of our departure, so ours (1).
    Some(unsafe { Owner::new(heap) })
}

/// A block that died where its home is not in its slot: on another thread as a rule.
#[inline(never)]
pub(crate) fn put_elsewhere(block: Block) {
    let home = block.heap();
    let core = home.core();
    match mine(core).or_else(|| enter(core)) {
        Some(owner) if ptr::eq(owner.heap(), home) => owner.list(block.class()).put(block),
        Some(owner) => owner.send(block),
        None => {
            let class = block.class();
            core.late[class.index()].frees.fetch_add(1, Ordering::Release);
            if core.is_shared() {
                return core.give_back(block);
            }
            core.shelve(class, Chain::of(block));
        }
    }
}

impl Departure {
    /// Hands the heaps over.
    fn depart(&self) {
        self.over.set(true);
        for heap in self.heaps.take() {
            let core = heap.core();
            let _ = SLOT.try_with(|slots| {
                if !twin::is("exit_keeps_last") {
                    slots.last.set(ptr::null());
                }
                let slot = slots.at(core.slot());
                if ptr::eq(slot.get(), heap) && !twin::is("exit_keeps_slot") {
                    slot.set(ptr::null());
                }
            });
            // SAFETY: still ours (1): it was adopted by this thread and is not handed over yet.
            let owner = unsafe { Owner::new(heap) };
            owner.close_outbox();
            let early = twin::is("end_asked_early").then(|| core.is_closed());
            core.registry().orphan(owner);
            // Asked afterwards: either this sees the pool's end, or the trim at its end sees the orphan.
            if early.unwrap_or_else(|| core.is_closed()) {
                core.registry().trim();
            }
        }
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        self.depart();
    }
}

/// Ends a model's thread, as far as its heaps go.
#[cfg(all(test, aqueduct_loom))]
pub(crate) fn depart() {
    DEPARTURE.with(Departure::depart);
}
