//! [`Gate`]: a running total that one side raises and the other waits for.
//!
//! A word holds the total and what else the two sides have to tell each other, so that each step is
//! one read-modify-write on it, and of two steps one comes first:
//!
//! 1. A raise adds to the total and learns in the same step whether somebody is parked. If it has seen
//!    them before and will wake them, it takes `PARK` in that step, too; if it learns of them only
//!    then, in a step of its own, which tells who took it. So of two raises one wakes.
//! 2. Who parks learns in the same step what the total was. What was raised before is seen here; who
//!    raises later sees `PARK`. So no wake-up is lost.
//! 3. `PARK` is gone before the waker is used: one that is set afterwards belongs to a new wait.
//! 4. The target is written before `PARK` is set, and is read again by a raise that saw `PARK` and
//!    left it: the waiter may have given one wait up and begun another in between, with the word as
//!    it was. Of several waits it is the nearest one's. Behind `PARK` it only rises, as one of them is
//!    over or given up: who has read the old one wakes once too often.
//! 5. A waker is never called, cloned or dropped under the lock.
//! 6. The count of wakers is raised before `PARK` is set for the new one. So a raise that took `PARK`
//!    and finds the count as it was has the waker that the wait was begun with, or a newer one.

use aqueduct_base::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
    thread, twin,
};
use std::{
    mem, ptr,
    sync::Arc,
    task::{RawWakerVTable, Waker},
};

/// What a gate's word says at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

/// Things to be said beside the total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u64);

/// Nothing.
pub(crate) const NONE: Flags = Flags(0);
/// Somebody waits for the total to reach the target.
const PARK: Flags = Flags(1);
/// The side that raises is gone: the total is final.
pub(crate) const CLOSED: Flags = Flags(2);
/// The next wait ends at once.
pub(crate) const INTERRUPT: Flags = Flags(4);
/// Bits of the flags. The other 61 count bytes: two exbibytes.
const SHIFT: u32 = 3;

/// A target that no total reaches: the wait is for the end.
pub(crate) const NEVER: u64 = u64::MAX;

/// The wait for the end, of the kinds of waits that a half may have beside one another. The others are
/// its own, from one on.
pub(crate) const END: usize = 0;
const WAITS: usize = 4;

impl Word {
    /// Bytes raised so far.
    #[inline(always)]
    pub(crate) fn total(self) -> u64 {
        self.0 >> SHIFT
    }

    /// Whether any of the flags is up.
    #[inline(always)]
    pub(crate) fn has(self, flags: Flags) -> bool {
        self.0 & flags.0 != 0
    }

    #[inline(always)]
    fn raised(self, by: u64, flags: Flags) -> Self {
        Self((self.0 + (by << SHIFT)) | flags.0)
    }

    #[inline(always)]
    fn without(self, flags: Flags) -> Self {
        Self(self.0 & !flags.0)
    }
}

impl Flags {
    #[inline(always)]
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// The word, what the waiter waits for, and whom to wake. A cache line or two of its own.
#[repr(align(128))]
pub(crate) struct Gate {
    word: AtomicU64,
    target: AtomicU64,
    /// The newest waker of the side that waits, whether it does so now or not: anybody may have to
    /// wake it.
    waker: Mutex<Option<Arc<Waker>>>,
    /// How often that changed. Written under its lock.
    wakers: AtomicU64,
    /// A second figure of the side that raises, which it stores before: here, since the other side
    /// reads both.
    pub(crate) beside: AtomicU64,
}

/// The raising side's own part: the waker that it used last, so that it takes no lock while that is
/// still the newest. It keeps that until it uses another, or finds the other half gone.
#[derive(Default)]
pub(crate) struct Raiser {
    seen: Option<Arc<Waker>>,
    wakers: u64,
}

/// The waiting side's own part.
#[derive(Default)]
pub(crate) struct Waiter {
    /// The waker that the gate has already.
    known: Option<Known>,
    /// The target of each kind of wait that is not over, while `PARK` is up. Else none counts: who was
    /// woken polls all that it still waits for.
    waits: [Option<u64>; WAITS],
}

struct Known {
    waker: Arc<Waker>,
    /// Of the waker that it was cloned from: a table may stand in memory more than once, and a clone
    /// then differs from its original for ever.
    vtable: &'static RawWakerVTable,
}

impl Known {
    /// Whether `waker` wakes the same task. The clone keeps its data, so that no other task's is in
    /// their place.
    #[inline]
    fn is(&self, waker: &Waker) -> bool {
        let same = ptr::eq(self.vtable, waker.vtable()) && self.waker.data() == waker.data();
        same || self.waker.will_wake(waker)
    }
}

impl Gate {
    pub(crate) fn new() -> Self {
        let (word, target) = (AtomicU64::new(0), AtomicU64::new(NEVER));
        let (waker, wakers) = (Mutex::new(None), AtomicU64::new(0));
        Self { word, target, waker, wakers, beside: AtomicU64::new(0) }
    }

    /// What the word says. All that was done before it was raised so far is visible.
    #[inline(always)]
    pub(crate) fn load(&self) -> Word {
        let order = twin::order("gate_load_relaxed", Ordering::Acquire, Ordering::Relaxed);
        Word(self.word.load(order))
    }

    /// Adds to the total, puts flags up, and wakes the waiter if that is what it waits for.
    #[inline(always)]
    pub(crate) fn raise(&self, by: u64, flags: Flags, raiser: &mut Raiser) {
        if twin::is("park_seen_apart") {
            return self.change_in_two_steps(by, flags);
        }
        let wake = if flags == NONE && !self.load().has(PARK) {
            // Nobody waits, it seems: an addition, which need not know the sum.
            let order = twin::order("raise_relaxed", Ordering::AcqRel, Ordering::Acquire);
            let old = Word(self.word.fetch_add(by << SHIFT, order));
            old.has(PARK) && self.look_again(old.raised(by, NONE))
        } else {
            self.change(by, flags, false)
        };
        if wake {
            raiser.wake(self);
        }
    }

    /// Puts flags up, and wakes the waiter whatever it waits for.
    pub(crate) fn nudge(&self, flags: Flags) {
        if self.change(0, flags, true) {
            Raiser::default().wake(self);
        }
    }

    /// Whether the waiter is to be woken. PARK is clear then.
    #[inline(always)]
    fn change(&self, by: u64, flags: Flags, whatever: bool) -> bool {
        let mut old = self.load();
        loop {
            let mut new = old.raised(by, flags);
            let wake = old.has(PARK) && (whatever || self.is_awaited(new));
            if wake && !twin::is("park_cleared_late") {
                new = new.without(PARK); // (1), (3)
            }
            // Release: who sees the new total sees what was done before. Acquire: of PARK (4).
            let order = twin::order("raise_relaxed", Ordering::AcqRel, Ordering::Acquire);
            match self.word.compare_exchange_weak(old.0, new.0, order, Ordering::Acquire) {
                Ok(_) => return wake || old.has(PARK) && self.look_again(new),
                Err(seen) => old = Word(seen),
            }
        }
    }

    /// The mistake of a twin: what is parked in between is not seen.
    fn change_in_two_steps(&self, by: u64, flags: Flags) {
        let parked = self.load().has(PARK);
        self.word.fetch_add(by << SHIFT, Ordering::AcqRel);
        self.word.fetch_or(flags.0, Ordering::AcqRel);
        if parked {
            self.word.fetch_and(!PARK.0, Ordering::AcqRel);
            Raiser::default().wake(self);
        }
    }

    /// Whether the waiter has what it waits for.
    #[inline(always)]
    fn is_awaited(&self, word: Word) -> bool {
        // Relaxed: its store comes before PARK is set with Release, which we have seen.
        word.has(CLOSED.and(INTERRUPT)) || word.total() >= self.target.load(Ordering::Relaxed)
    }

    /// After a raise that left PARK: the target that it compared with, if it did, may have been that
    /// of an earlier wait (4). Whether the waiter is to be woken; PARK is clear then.
    #[cold]
    fn look_again(&self, word: Word) -> bool {
        let late = self.is_awaited(word) && !twin::is("target_read_once");
        late && self.clear(PARK).has(PARK)
    }

    /// Waits for the total to reach `target`, for the end, or for an interrupt: whoever brings it
    /// about will wake `waker`, but for what the returned word, as it was when the wait began, says
    /// already. Waits of other kinds go on beside it; one of the same kind it replaces.
    pub(crate) fn park(
        &self,
        waiter: &mut Waiter,
        waker: &Waker,
        wait: usize,
        target: u64,
    ) -> Word {
        waiter.tell(self, waker);
        let beside = self.load().has(PARK) && !twin::is("wait_forgotten");
        let nearest = if beside { waiter.beside(wait, target) } else { waiter.alone(wait, target) };
        self.target.store(nearest, Ordering::Relaxed);
        if twin::is("park_on_a_load") {
            let before = self.load();
            self.word.fetch_or(PARK.0, Ordering::AcqRel);
            return before;
        }
        // Release: of the target and the waker. Acquire: of what was done before the total was raised.
        let word = Word(self.word.fetch_or(PARK.0, Ordering::AcqRel));
        if beside && !word.has(PARK) {
            // The others are over since we looked, and their task was woken.
            self.target.store(waiter.alone(wait, target), Ordering::Relaxed);
        }
        word
    }

    /// Gives a wait up, or has what it was for. Those beside it go on.
    pub(crate) fn unpark(&self, waiter: &mut Waiter, wait: usize) {
        waiter.waits[wait] = None;
        match waiter.nearest() {
            Some(target) if !twin::is("others_given_up") => {
                self.target.store(target, Ordering::Relaxed);
            }
            _ => {
                self.clear(PARK);
            }
        }
    }

    /// Takes flags down; the word as it was.
    pub(crate) fn clear(&self, flags: Flags) -> Word {
        Word(self.word.fetch_and(!flags.0, Ordering::AcqRel))
    }

    /// Whether the waiter waits for more than there is.
    #[inline]
    pub(crate) fn is_wanting(&self) -> bool {
        self.load().has(PARK) && self.target.load(Ordering::Relaxed) != NEVER
    }

    /// The waiting side is gone: nobody is to be woken. The waker is the caller's to drop.
    pub(crate) fn forget(&self) -> Option<Arc<Waker>> {
        self.replace(None)
    }

    /// Changes the waker; the old one is the caller's to drop, outside the lock.
    fn replace(&self, waker: Option<Arc<Waker>>) -> Option<Arc<Waker>> {
        let mut newest = self.waker.lock();
        // Relaxed: read under the lock, or by who has seen PARK, which is set afterwards.
        let wakers = self.wakers.load(Ordering::Relaxed).wrapping_add(1);
        self.wakers.store(wakers, Ordering::Relaxed);
        mem::replace(&mut *newest, waker)
    }
}

impl Raiser {
    /// Calls the newest waker. PARK is clear (3).
    fn wake(&mut self, gate: &Gate) {
        let known = self.seen.is_some() && twin::is("raiser_keeps");
        let changed = gate.wakers.load(Ordering::Relaxed) != self.wakers && !known;
        // Dropped when the other is called: each may panic.
        let _old = if changed { self.learn(gate) } else { None };
        if let Some(waker) = &self.seen {
            waker.wake_by_ref();
        }
        if twin::is("park_cleared_late") {
            gate.clear(PARK);
        }
    }

    /// Takes note of the newest waker; the old one is the caller's to drop.
    #[cold]
    fn learn(&mut self, gate: &Gate) -> Option<Arc<Waker>> {
        let newest = gate.waker.lock();
        let (waker, mut wakers) = (newest.clone(), gate.wakers.load(Ordering::Relaxed));
        drop(newest);
        if twin::is("wakers_read_late") {
            thread::yield_now(); // else loom does not look at what comes in between
            wakers = gate.wakers.load(Ordering::Relaxed);
        }
        self.wakers = wakers;
        mem::replace(&mut self.seen, waker)
    }
}

impl Waiter {
    /// Whether it waits so, as far as it knows.
    #[inline(always)]
    pub(crate) fn waits(&self, wait: usize) -> bool {
        self.waits[wait].is_some()
    }

    /// Takes note of a wait beside those that are not over, and gives the nearest target.
    #[cold]
    fn beside(&mut self, wait: usize, target: u64) -> u64 {
        self.waits[wait] = Some(target);
        self.nearest().unwrap_or(target)
    }

    /// The same where all others are over.
    #[inline(always)]
    fn alone(&mut self, wait: usize, target: u64) -> u64 {
        self.waits = [None; WAITS];
        self.waits[wait] = Some(target);
        target
    }

    /// The target that is reached first.
    fn nearest(&self) -> Option<u64> {
        self.waits.iter().flatten().copied().min()
    }

    /// Sees to it that the gate has this waker. The lock is taken only if it has another.
    #[inline]
    fn tell(&mut self, gate: &Gate, waker: &Waker) {
        let known = self.known.as_ref();
        if known.is_none_or(|known| !known.is(waker) && !twin::is("waker_kept")) {
            let (mut vtable, original) = (waker.vtable(), waker.data());
            let waker = Arc::new(waker.clone());
            if waker.data() != original {
                vtable = waker.vtable(); // its data is not the original's, so nor is its table
            }
            let known = Known { waker: Arc::clone(&waker), vtable };
            let _old = (self.known.replace(known), gate.replace(Some(waker)));
        }
    }
}
