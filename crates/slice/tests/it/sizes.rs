//! Sizes that overflow, and indices past the end.

use std::ops::RangeBounds;

use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{panics, pattern, stride};

/// The offsets of the data in its block at which every size is tried.
const OFFSETS: [usize; 3] = [0, 1, 5];

/// Sizes of which no allocation exists: past `isize::MAX`.
fn impossible() -> impl Iterator<Item = usize> {
    let most = isize::MAX.cast_unsigned();
    (0..=64).step_by(stride(16)).map(|k| usize::MAX - k).chain([most + 1, most + 2, most + 64])
}

/// Those and the sizes just below, which an allocator refuses; for the forms that return errors. (But
/// Miri ends where an allocator would refuse.)
fn refused() -> impl Iterator<Item = usize> {
    let most = isize::MAX.cast_unsigned();
    let below = if cfg!(miri) { 0 } else { 65 };
    impossible().chain((0..below).map(move |k| most - k))
}

/// A mutable slice of 40 bytes whose data starts at `offset` in its block.
fn mutable(offset: usize) -> (SliceMut, Vec<u8>) {
    let bytes = pattern(offset + 40, offset);
    let mut slice = SliceMut::with_capacity(100);
    slice.extend_from_slice(&bytes);
    slice.advance(offset);
    (slice, bytes[offset..].to_vec())
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t01_a_slice_refuses_every_size_that_overflows() {
    for offset in OFFSETS {
        for slice in slices(offset) {
            let bytes = slice.to_vec();
            for n in refused() {
                assert!(slice.try_slice(n..).is_err());
                assert!(slice.try_slice(..n).is_err());
                assert!(slice.try_slice(1..=n).is_err());
                assert!(slice.try_slice(n..n).is_err());
                assert!(slice.try_slice((std::ops::Bound::Excluded(n), unbounded())).is_err());
                let mut cut = slice.clone();
                cut.truncate(n);
                assert_eq!(cut.as_slice(), bytes);
            }
            for n in [usize::MAX, usize::MAX - 64, isize::MAX.cast_unsigned()] {
                assert_refuses(&slice, |s| drop(s.slice(n..)));
                assert_refuses(&slice, |s| drop(s.slice(..=n)));
                assert_refuses(&slice, |s| drop(s.slice_shared(..n)));
                assert_refuses(&slice, |s| drop(s.split_to(n)));
                assert_refuses(&slice, |s| drop(s.split_off(n)));
                assert_refuses(&slice, |s| s.advance(n));
            }
        }
    }
}

fn unbounded() -> std::ops::Bound<usize> {
    std::ops::Bound::Unbounded
}

/// One slice of every kind, whose data starts at `offset`.
fn slices(offset: usize) -> Vec<Slice> {
    static FIXED: [u8; 60] = [9; 60];
    let bytes = pattern(offset + 40, offset);
    let kinds = [
        Slice::from_static(&FIXED[..offset + 40]),
        Slice::copy_from_slice(&bytes),
        Slice::from(bytes.clone()),
        Slice::from_owner(bytes.clone()),
        mutable(0).0.freeze(),
    ];
    let inline = Slice::copy_from_slice(&bytes[..20]);
    kinds.into_iter().chain([inline]).map(|s| s.slice_shared(offset..)).collect()
}

/// `f` panics, and leaves the handle as it was.
fn assert_refuses(slice: &Slice, f: impl FnOnce(&mut Slice)) {
    let mut tried = slice.clone();
    assert!(panics(|| f(&mut tried)), "not refused");
    assert_eq!(tried, *slice, "refused, and changed");
}

#[test]
fn t01_growth_refuses_every_size_that_overflows() {
    for offset in OFFSETS {
        let (mut slice, bytes) = mutable(offset);
        let before = slice.capacity();
        for n in refused() {
            assert!(SliceMut::try_with_capacity(n).is_err(), "{n}");
            assert!(slice.try_reserve(n).is_err(), "{n}");
            assert_eq!((&slice[..], slice.capacity()), (&bytes[..], before), "{n}");
        }
        for n in impossible() {
            assert!(panics(|| SliceMut::with_capacity(n)), "{n}");
            assert!(panics(|| SliceMut::with_headroom(n, offset)), "{n}");
            assert!(panics(|| SliceMut::with_headroom(offset + 1, n)), "{n}");
            assert!(panics(|| SliceMut::with_headroom(n, n)), "{n}");
            assert!(panics(|| slice.reserve(n)), "{n}");
            assert!(panics(|| slice.resize(n, 1)), "{n}");
            assert_eq!((&slice[..], slice.capacity()), (&bytes[..], before), "{n}");
        }
    }
}

#[test]
fn t01_a_shared_block_refuses_to_grow_past_all_memory() {
    let (mut slice, bytes) = mutable(5);
    let front = slice.split_frozen(10);
    for n in refused() {
        assert!(slice.try_reserve(n).is_err(), "{n}");
    }
    for n in impossible() {
        assert!(panics(|| slice.reserve(n)), "{n}");
    }
    assert_eq!((front.as_slice(), &slice[..]), bytes.split_at(10));
}

#[test]
fn t01_positions_in_a_mutable_slice_never_wrap() {
    for offset in OFFSETS {
        let (mut slice, bytes) = mutable(offset);
        for n in impossible() {
            assert!(panics(|| slice.commit(n)), "commit {n}");
            assert!(panics(|| slice.advance(n)), "advance {n}");
            assert!(panics(|| slice.split_to(n)), "split_to {n}");
            assert!(panics(|| slice.split_off(n)), "split_off {n}");
            assert!(panics(|| slice.split_frozen(n)), "split_frozen {n}");
            slice.truncate(n);
            assert_eq!(slice[..], bytes, "{n}");
        }
    }
}

#[test]
fn t01_a_read_of_any_maximum_takes_what_there_is() {
    for n in impossible() {
        let (mut slice, mut bytes) = mutable(5);
        let mut read = Ok(0);
        // It may be refused, in whatever way, but neither wraps nor loses bytes.
        if !panics(|| read = slice.read_from(&mut &b"xyz"[..], n)) {
            let read = read.unwrap_or(0);
            assert!(read <= 3, "{read}");
            bytes.extend_from_slice(&b"xyz"[..read]);
        }
        assert_eq!(slice[..], bytes);
    }
}

fn beyond(len: usize, capacity: usize) -> impl Iterator<Item = usize> {
    (len + 1..=capacity).chain([capacity + 1])
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t17_what_lies_between_length_and_capacity_is_out_of_range() {
    let (mut slice, bytes) = mutable(1);
    let (len, capacity) = (slice.len(), slice.capacity());
    assert!(capacity > len, "the test needs spare room");
    for n in beyond(len, capacity) {
        assert!(panics(|| slice.split_to(n)), "split_to {n} of {len} in {capacity}");
        assert!(panics(|| slice.split_frozen(n)), "split_frozen {n} of {len} in {capacity}");
        assert!(panics(|| slice.advance(n)), "advance {n} of {len} in {capacity}");
        assert!(panics(|| slice[n - 1]), "index {n} of {len} in {capacity}");
        slice.truncate(n);
        assert_eq!(slice[..], bytes);
    }
    assert!(panics(|| slice.commit(capacity - len + 1)), "commit past the spare");
    // The one operation that divides the spare room too: it shows no byte of it.
    let back = slice.split_off(capacity - 1);
    assert_eq!((&slice[..], &back[..], back.capacity()), (&bytes[..], &[][..], 1));
    assert!(panics(|| slice.split_off(capacity)), "past the capacity");
}

#[test]
#[cfg_attr(miri, ignore = "too long")]
fn t17_a_frozen_slice_does_not_reach_into_its_blocks_spare_room() {
    let (slice, bytes) = mutable(0);
    let capacity = slice.capacity();
    let frozen = slice.freeze();
    let mut vec = Vec::with_capacity(100);
    vec.extend_from_slice(&bytes);
    for slice in [frozen, Slice::from(vec)] {
        for n in beyond(slice.len(), capacity) {
            assert!(slice.try_slice(..n).is_err());
            assert!(slice.try_slice(n..n).is_err());
            assert_refuses(&slice, |s| drop(s.split_to(n)));
            assert_refuses(&slice, |s| drop(s.split_off(n)));
            assert_refuses(&slice, |s| s.advance(n));
        }
    }
}

#[test]
fn t17_a_vec_gives_its_initialised_bytes_only() {
    let mut vec = Vec::with_capacity(1_000);
    vec.extend_from_slice(&pattern(100, 1));
    let mut slice = Slice::from(vec).try_into_mut().expect("alone");
    assert_eq!(slice.capacity(), 100, "the rest was never written");
    assert!(slice.spare_mut().is_empty());
}

#[test]
fn t17_only_a_part_of_the_slice_can_be_referred_to() {
    let slice = Slice::from(pattern(100, 1));
    let other = pattern(100, 1);
    let part = slice.slice_shared(30..60);
    assert_eq!(slice.slice_ref(&slice[40..90]), slice[40..90]);
    assert!(panics(|| slice.slice_ref(&other[..])), "bytes from elsewhere");
    assert!(panics(|| part.slice_ref(&slice[29..40])), "one byte before");
    assert!(panics(|| part.slice_ref(&slice[59..61])), "one byte behind");
}

#[test]
fn errors_say_what_and_where() {
    let slice = Slice::from(pattern(40, 1));
    let says = |range: (std::ops::Bound<usize>, std::ops::Bound<usize>)| {
        assert!(!range.contains(&usize::MAX) || range.1 == unbounded());
        slice.try_slice(range).expect_err("out of range").to_string()
    };
    use std::ops::Bound::{Excluded, Included};
    let said = says((Included(7), Excluded(41)));
    assert!(said.contains('7') && said.contains("41") && said.contains("40"), "{said}");

    let said = SliceMut::try_with_capacity(usize::MAX).expect_err("too much").to_string();
    assert!(said.contains(&usize::MAX.to_string()), "{said}");
    let said = SliceMut::new().prepend(&[0; 9]).expect_err("no room").to_string();
    assert!(said.contains('9') && said.contains('0'), "{said}");
    let (a, b) = (slice.clone(), Slice::from(pattern(50, 2)));
    let refused = a.try_unsplit(b).expect_err("two blocks");
    assert!(refused.to_string().contains("40") && refused.to_string().contains("50"));
    assert_eq!((refused.first, refused.second.len()), (slice, 50), "both come back");
}
