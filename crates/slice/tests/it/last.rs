//! The last handles of a block, dropped by two threads at once.

use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::fewer;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

fn block() -> Slice {
    let mut buffer = SliceMut::with_capacity(64);
    buffer.resize(64, 7);
    buffer.freeze()
}

/// Drops one after the other, each when the other thread has come as far.
fn drop_together(slices: Vec<Slice>, arrived: &AtomicUsize) {
    for (i, slice) in slices.into_iter().enumerate() {
        arrived.fetch_add(1, Ordering::Relaxed);
        while arrived.load(Ordering::Relaxed) < 2 * (i + 1) {
            thread::yield_now();
        }
        drop(slice);
    }
}

/// Once a handle has given up its count, nothing of it may refer to the block any more, be it for the
/// rest of one function: the other thread frees it. Only a model of aliasing sees that.
#[test]
fn one_thread_frees_what_another_has_just_let_go_of() {
    let ours: Vec<Slice> = (0..fewer(100_000)).map(|_| block()).collect();
    let (theirs, arrived) = (ours.clone(), Arc::new(AtomicUsize::new(0)));
    let other = {
        let arrived = Arc::clone(&arrived);
        thread::spawn(move || drop_together(theirs, &arrived))
    };
    drop_together(ours, &arrived);
    other.join().unwrap();
}
