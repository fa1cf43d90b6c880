//! What every kind of owner gives back to the allocator is as large as what it asked for. A system's
//! allocator does not look; others take a block for what they are told it is.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]

use aqueduct_slice::{Appender, Slice, SliceMut};
use aqueduct_testkit::{CountingAlloc, fewer, pattern, stride};
#[cfg(feature = "std")]
use std::thread;
use std::{
    array,
    sync::{Mutex, PoisonError},
};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

/// One test at a time: the figures of the process are of all.
static ALONE: Mutex<()> = Mutex::new(());

/// An owner that is too large, or too much aligned, for the nodes that are kept.
#[derive(Clone)]
#[repr(align(64))]
struct Large(Vec<u8>);

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

type Kind = (&'static str, fn(usize));

const KINDS: [Kind; 7] = [
    ("a buffer", |len| drop(SliceMut::with_capacity(len))),
    ("a copy", |len| drop(Slice::copy_from_slice(&pattern(len, 1)))),
    ("a buffer that grew", |len| {
        let mut buffer = SliceMut::with_capacity(len);
        buffer.extend_from_slice(&pattern(2 * len + 1, 1));
        drop(buffer.freeze());
    }),
    ("a Vec with room", |len| {
        let mut vec = Vec::with_capacity(len + 7);
        vec.extend_from_slice(&pattern(len, 1));
        drop(Slice::from(vec));
    }),
    ("a small owner", |len| drop(Slice::from_owner(pattern(len, 1)))),
    ("a large owner", |len| drop(Slice::from_owner(Large(pattern(len, 1))))),
    ("an appender", |len| drop(Appender::new(SliceMut::with_capacity(len)))),
];

#[test]
fn t12_a_block_is_given_back_as_large_as_it_was_made() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, kind) in KINDS {
        for len in (0..70).step_by(stride(9)).chain([100, 1_000, 4_095, fewer(100_001)]) {
            kind(len); // what is kept for the next time is there now
            let before = CountingAlloc::thread();
            kind(len);
            let used = CountingAlloc::thread() - before;
            assert_eq!((used.live(), used.live_bytes()), (0, 0), "{name} of {len} bytes");
        }
    }
}

/// An owner that has its bytes within it.
struct Small([u8; 16]);

impl AsRef<[u8]> for Small {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// Calls of the allocator while so many owners live at once, and when all of them are gone.
fn calls<const OWNERS: usize>() -> (u64, u64) {
    let before = CountingAlloc::thread();
    let slices: [Slice; OWNERS] = array::from_fn(|_| Slice::from_owner(Small([7; 16])));
    let between = CountingAlloc::thread();
    drop(slices);
    ((between - before).allocations, (CountingAlloc::thread() - between).frees)
}

/// Without std no thread keeps any.
#[test]
#[cfg(not(feature = "std"))]
fn a_node_of_an_owner_is_new_each_time_and_given_back() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    assert_eq!((calls::<64>(), calls::<64>()), ((64, 64), (64, 64)));
}

#[test]
#[cfg(feature = "std")]
fn a_thread_keeps_so_many_nodes_of_owners_and_gives_them_back_at_its_end() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let in_a_thread = || {
        let all = || {
            assert_eq!(calls::<64>(), (64, 0));
            assert_eq!(calls::<64>(), (0, 0), "each is used again");
            assert_eq!(calls::<70>(), (6, 6), "no more than 64 are kept");
            assert_eq!((calls::<1>(), calls::<64>()), ((0, 0), (0, 0)));
        };
        thread::spawn(all).join().expect("no panic");
    };
    in_a_thread();
    let before = CountingAlloc::process();
    (0..fewer(50)).for_each(|_| in_a_thread());
    let used = CountingAlloc::process() - before;
    // The harness allocates a few times itself; a node left by each thread would be fifty.
    assert!(used.live() < 25, "{used:?}");
}
