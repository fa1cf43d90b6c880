//! How many payload bytes were copied, by whom it was asked.
//!
//! Every thread counts in a record of its own with plain stores; [`thread()`] reads the caller's,
//! [`process()`] adds all of them up. A thread that copies nothing pays nothing. The counters only
//! rise: subtract two readings.
//!
//! [`copy()`](crate::copy()) counts by itself. Copies made by other crates or by the kernel are not
//! seen; a program that causes them counts them with [`count_copy`] at the call.

use core::ops::Sub;

/// A reading of the meter: totals since the thread, or the process, began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Payload bytes copied.
    pub bytes: u64,
    /// Calls that copied them.
    pub copies: u64,
    /// Short slices that moved into a handle instead of sharing a block: like moving a handle, and
    /// so not counted as copies.
    pub inlined: u64,
}

impl Sub for Counts {
    type Output = Self;

    /// What happened between two readings; zero where `earlier` is the later one.
    fn sub(self, earlier: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            copies: self.copies.saturating_sub(earlier.copies),
            inlined: self.inlined.saturating_sub(earlier.inlined),
        }
    }
}

/// What the calling thread has copied. Wait-free.
///
/// It is zero until the thread copies; the first reading allocates. While a thread's own values are
/// destroyed, after its record was passed on, the figure is that of all threads in that state.
///
/// ```
/// use aqueduct_base::{copy, meter};
///
/// let before = meter::thread();
/// copy(&mut [0; 100], &[1; 100]);
/// let counts = meter::thread() - before;
/// # #[cfg(feature = "meter")]
/// assert_eq!((counts.bytes, counts.copies), (100, 1));
/// ```
#[must_use]
pub fn thread() -> Counts {
    imp::thread()
}

/// What all threads, ended ones too, have copied. Takes a lock and time linear in the number of
/// threads that ever copied at once.
#[must_use]
pub fn process() -> Counts {
    imp::process()
}

/// Counts one copy of `bytes` payload bytes that was made outside [`copy()`](crate::copy()).
#[inline]
pub fn count_copy(bytes: usize) {
    imp::add(|r| {
        imp::raise(&r.bytes, bytes as u64);
        imp::raise(&r.copies, 1);
    });
}

/// Counts one short slice that moved inline.
#[inline]
pub fn count_inlined() {
    imp::add(|r| imp::raise(&r.inlined, 1));
}

#[cfg(all(feature = "meter", not(any(aqueduct_loom, aqueduct_shuttle))))]
mod imp {
    use super::Counts;
    use crate::sync::{
        Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    };
    use alloc::{boxed::Box, vec::Vec};
    use core::cell::Cell;
    use std::thread_local;

    /// Written by the one thread whose `MINE` names it (the shared [`LATE`] excepted), read by all.
    pub(super) struct Record {
        pub(super) bytes: AtomicU64,
        pub(super) copies: AtomicU64,
        pub(super) inlined: AtomicU64,
    }

    impl Record {
        const fn new() -> Self {
            Self { bytes: AtomicU64::new(0), copies: AtomicU64::new(0), inlined: AtomicU64::new(0) }
        }

        fn read(&self) -> Counts {
            Counts {
                bytes: self.bytes.load(Relaxed),
                copies: self.copies.load(Relaxed),
                inlined: self.inlined.load(Relaxed),
            }
        }
    }

    /// Records are never freed: as many as there were threads at once, reused by later ones.
    struct Registry {
        all: Vec<&'static Record>,
        free: Vec<&'static Record>,
    }

    static REGISTRY: Mutex<Registry> = Mutex::new(Registry { all: Vec::new(), free: Vec::new() });

    /// For copies made while a thread's own values are being destroyed. Its writers may race, and a
    /// count may then be lost: they are the last few of a thread.
    static LATE: Record = Record::new();

    thread_local! {
        static MINE: Cell<Option<&'static Record>> = const { Cell::new(None) };
        /// What `MINE` said when this thread took it over from one that ended.
        static TAKEN_AT: Cell<Counts> = const { Cell::new(ZERO) };
        static GIVE_BACK: GiveBack = const { GiveBack };
    }

    const ZERO: Counts = Counts { bytes: 0, copies: 0, inlined: 0 };

    struct GiveBack;

    impl Drop for GiveBack {
        fn drop(&mut self) {
            if let Some(record) = MINE.replace(Some(&LATE)) {
                TAKEN_AT.set(ZERO);
                REGISTRY.lock().free.push(record);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn register() -> &'static Record {
        // The destructor is registered first, so that the record cannot be lost.
        let record = match GIVE_BACK.try_with(|_| ()) {
            Err(_) => &LATE,
            Ok(()) => {
                let mut registry = REGISTRY.lock();
                let record = registry.free.pop().unwrap_or_else(|| {
                    let record: &'static Record = Box::leak(Box::new(Record::new()));
                    registry.all.push(record);
                    record
                });
                TAKEN_AT.set(record.read());
                record
            }
        };
        MINE.set(Some(record));
        record
    }

    #[inline(always)]
    pub(super) fn add(f: impl FnOnce(&Record)) {
        f(MINE.get().unwrap_or_else(register));
    }

    /// A single writer needs no read-modify-write.
    #[inline(always)]
    pub(super) fn raise(counter: &AtomicU64, by: u64) {
        counter.store(counter.load(Relaxed).wrapping_add(by), Relaxed);
    }

    pub(super) fn thread() -> Counts {
        let record = MINE.get().unwrap_or_else(register);
        record.read() - TAKEN_AT.get()
    }

    pub(super) fn process() -> Counts {
        let registry = REGISTRY.lock();
        registry.all.iter().map(|r| r.read()).fold(LATE.read(), |sum, r| Counts {
            bytes: sum.bytes + r.bytes,
            copies: sum.copies + r.copies,
            inlined: sum.inlined + r.inlined,
        })
    }
}

/// Without the feature, and in models, where the meter would only multiply the states.
#[cfg(not(all(feature = "meter", not(any(aqueduct_loom, aqueduct_shuttle)))))]
mod imp {
    use super::Counts;

    pub(super) struct Record {
        pub(super) bytes: (),
        pub(super) copies: (),
        pub(super) inlined: (),
    }

    #[inline(always)]
    pub(super) fn add(_: impl FnOnce(&Record)) {}

    #[inline(always)]
    pub(super) fn raise((): &(), _: u64) {}

    pub(super) fn thread() -> Counts {
        Counts::default()
    }

    pub(super) fn process() -> Counts {
        Counts::default()
    }
}

#[cfg(all(test, feature = "meter", not(any(aqueduct_loom, aqueduct_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn counts_per_thread_and_in_all() {
        let (mine, all) = (thread(), process());
        count_copy(7);
        let other = std::thread::spawn(|| {
            let before = thread();
            count_copy(100);
            count_inlined();
            thread() - before
        });
        let other = other.join().unwrap();
        assert_eq!((other.bytes, other.copies, other.inlined), (100, 1, 1));
        assert_eq!(thread() - mine, Counts { bytes: 7, copies: 1, inlined: 0 });
        assert!((process() - all).bytes >= 107);
    }

    #[test]
    fn a_thread_starts_at_zero_whoever_counted_before() {
        std::thread::spawn(|| count_copy(1000)).join().unwrap();
        let (fresh, first) = std::thread::spawn(|| {
            let fresh = thread();
            count_copy(3);
            (fresh, thread())
        })
        .join()
        .unwrap();
        assert_eq!(fresh, Counts::default());
        assert_eq!(first, Counts { bytes: 3, copies: 1, inlined: 0 });
    }

    #[test]
    fn counts_while_a_thread_ends() {
        struct Late;
        impl Drop for Late {
            fn drop(&mut self) {
                count_copy(3);
            }
        }
        thread_local!(static LATE: Late = const { Late });
        let before = process();
        std::thread::spawn(|| {
            LATE.with(|_| ());
            count_copy(5);
        })
        .join()
        .unwrap();
        assert!((process() - before).bytes >= 8);
    }
}
