//! What every kind of owner gives back to the allocator is as large as what it asked for. A system's
//! allocator does not look; others take a block for what they are told it is.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]

use aqueduct_slice::{Appender, Slice, SliceMut};
use aqueduct_testkit::{CountingAlloc, fewer, pattern, stride};

#[global_allocator]
static ALLOC: CountingAlloc = CountingAlloc;

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
