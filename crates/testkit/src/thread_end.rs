//! Work that is done while a thread ends, when some of its thread-locals are gone.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Does its work when it is dropped.
struct Last(Option<Box<dyn FnOnce()>>);

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

thread_local!(static EARLY: RefCell<Last> = const { RefCell::new(Last(None)) });
thread_local!(static LATE: RefCell<Last> = const { RefCell::new(Last(None)) });

/// Does `work` in destructors of thread-locals, on threads that did it before and on threads that did not:
/// one is registered before the thread ever did it, one after, so whatever order destructors run in, one of
/// them finds the thread-locals of the code under test gone. A panic there aborts the process.
///
/// # Panics
/// If one of them did not run.
pub fn at_thread_ends(work: impl Fn() + Clone + Send + 'static) {
    for before in [true, false] {
        let (work, count) = (work.clone(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&count);
        let thread = std::thread::spawn(move || {
            EARLY.with(|_| ());
            if before {
                work();
            }
            let last = || {
                let (work, counter) = (work.clone(), Arc::clone(&counter));
                let counted = move || {
                    work();
                    counter.fetch_add(1, Ordering::Relaxed);
                };
                Last(Some(Box::new(counted)))
            };
            EARLY.set(last());
            LATE.set(last());
        });
        thread.join().expect("no panic");
        assert_eq!(count.load(Ordering::Relaxed), 2, "both destructors");
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn thread_locals_are_gone_in_one_of_them() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static GONE: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static MINE: String = String::from("with a destructor"));
        super::at_thread_ends(|| {
            GONE.fetch_add(usize::from(MINE.try_with(|_| ()).is_err()), Ordering::Relaxed);
        });
        assert!(GONE.load(Ordering::Relaxed) > 0);
    }
}
