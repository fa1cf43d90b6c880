//! An allocator whose byte buffers start at odd addresses: no tag in a pointer may notice.
#![cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
#![allow(clippy::disallowed_methods, reason = "tests copy to compare; nothing is measured here")]

use aqueduct_slice::{Slice, SliceMut, Str};
use aqueduct_testkit::{OddAlloc, pattern};

#[global_allocator]
static ALLOC: OddAlloc = OddAlloc;

const LENGTHS: [usize; 9] = [1, 2, 22, 23, 24, 25, 100, 4_096, 100_000];

static FIXED: [u8; 100_001] = [7; 100_001];

/// Clones, cuts and joins a slice, and takes it apart and back.
fn exercise(slice: Slice, bytes: &[u8]) {
    assert_eq!(slice, *bytes);
    let clone = slice.clone();
    let mut back = clone.slice_shared(..);
    let front = back.split_to(bytes.len() / 2);
    assert_eq!((&front[..], &back[..]), bytes.split_at(bytes.len() / 2));
    drop(front.try_unsplit(back).map(|joined| assert_eq!(joined, *bytes)));
    drop(clone);
    let slice = match slice.into_local() {
        Ok(local) => local.slice(..).to_shared(),
        Err(slice) => slice,
    };
    assert_eq!(slice.detach(), *bytes);
    assert_eq!(slice.clone().pin(), *bytes);
    let slice = std::thread::spawn(move || slice).join().expect("no panic");
    match slice.try_into_mut() {
        Ok(mut m) => {
            assert_eq!(m[..], *bytes);
            m.extend_from_slice(bytes);
            m.advance(bytes.len());
            assert_eq!(m.freeze(), *bytes);
        }
        Err(slice) => assert_eq!(slice, *bytes),
    }
}

#[test]
#[cfg_attr(miri, ignore = "Stacked Borrows lets no allocator reach in front of what a Box holds")]
fn t04_buffers_at_odd_addresses_keep_their_bytes() {
    for len in LENGTHS {
        let bytes = pattern(len, len);
        assert_eq!(bytes.as_ptr().addr() % 2, 1, "the allocator is installed");
        exercise(Slice::from(bytes.clone()), &bytes);
        exercise(Slice::from(bytes.clone().into_boxed_slice()), &bytes);
        exercise(Slice::from_owner(bytes.clone()), &bytes);
        exercise(Slice::copy_from_slice(&bytes), &bytes);
        exercise(Slice::from_static(&FIXED[1..=len]), &FIXED[1..=len]);
        exercise(SliceMut::from_iter(bytes.iter().copied()).freeze(), &bytes);
        let mut spare = Vec::with_capacity(len * 2 + 1);
        spare.extend_from_slice(&bytes);
        exercise(Slice::from(spare), &bytes);
        let text = "x".repeat(len);
        exercise(Str::from(text.clone()).into_slice(), text.as_bytes());
    }
}

#[test]
#[cfg_attr(miri, ignore = "Stacked Borrows lets no allocator reach in front of what a Box holds")]
fn t04_slices_at_every_odd_and_even_address() {
    let bytes = pattern(200, 3);
    let slice = Slice::from(bytes.clone());
    for from in 0..100 {
        exercise(slice.slice_shared(from..from + 100), &bytes[from..from + 100]);
        exercise(slice.slice(from..from + 10), &bytes[from..from + 10]);
    }
}
