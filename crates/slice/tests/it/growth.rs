//! Growth that stays bounded, whatever the pattern of use.

use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{pattern, scale};
use std::ops::Range;

const CHUNK: usize = 100;
/// Room for one chunk, a few times over: growth may double, and round up.
const BOUND: usize = 1_024;

fn cycles() -> usize {
    scale(100_000)
}

#[test]
fn t06_reserve_and_advance_keep_the_capacity_bounded() {
    let mut m = SliceMut::with_capacity(CHUNK);
    for i in 0..cycles() {
        m.reserve(CHUNK);
        m.resize(CHUNK, 1);
        m.advance(CHUNK);
        assert!(m.capacity() + m.headroom() <= BOUND, "{} after {i}", m.capacity());
    }
}

#[test]
fn t06_a_rest_that_stays_does_not_make_it_grow() {
    let mut m = SliceMut::new();
    for i in 0..cycles() {
        m.extend_from_slice(&[2; CHUNK]);
        let keep = i % 7;
        m.advance(m.len() - keep);
        assert!(m.capacity() + m.headroom() <= BOUND, "{} after {i}", m.capacity());
    }
}

#[test]
fn t06_reserve_and_split_keep_the_capacity_bounded() {
    let mut m = SliceMut::new();
    let mut last = Slice::new();
    for i in 0..cycles() {
        m.reserve(CHUNK);
        m.extend_from_slice(&[3; CHUNK]);
        // The one before is alive while this one is made, so the block is shared at times.
        last = if i % 2 == 0 { m.split_frozen(CHUNK) } else { m.split_to(CHUNK).freeze() };
        assert!(m.capacity() <= BOUND, "{} after {i}", m.capacity());
        assert!(last.pinned_bytes() <= 2 * BOUND, "{} after {i}", last.pinned_bytes());
    }
    assert_eq!(last.len(), CHUNK);
}

#[test]
fn t06_a_shared_block_is_left_and_not_grown() {
    let mut m = SliceMut::with_capacity(CHUNK);
    for i in 0..cycles() / 10 {
        m.extend_from_slice(&[4; 30]);
        let held = m.split_frozen(30);
        m.reserve(CHUNK);
        assert!(m.capacity() <= BOUND, "{} after {i}", m.capacity());
        drop(held);
    }
}

#[test]
fn t06_mutable_and_frozen_in_turns_keep_the_capacity_bounded() {
    let mut m = SliceMut::with_capacity(CHUNK);
    for i in 0..cycles() {
        m.clear();
        m.extend_from_slice(&[5; CHUNK]);
        let mut slice = m.freeze();
        slice.advance(1);
        m = slice.try_into_mut().expect("alone");
        assert!(m.capacity() + m.headroom() <= BOUND, "{} after {i}", m.capacity());
    }
}

/// What is left of a block is used again, from its front on, before another is asked for.
#[test]
fn a_buffer_that_is_alone_grows_within_its_block() {
    let bytes = pattern(1_000, 1);
    let mut buffer = SliceMut::with_capacity(1_000);
    let start = buffer.as_ptr();
    buffer.extend_from_slice(&bytes);
    let front = buffer.split_to(700); // a range of its own
    let back = buffer.split_off(200);
    buffer.reserve(1);
    assert!(!block(start).contains(&buffer.as_ptr()), "others have the rest of it");
    drop((front, buffer));
    let mut buffer = back;
    buffer.reserve(100); // moved to the front
    assert_eq!((buffer.as_ptr(), &buffer[..]), (start, &bytes[900..]));
    buffer.reserve(900);
    assert_eq!((buffer.as_ptr(), buffer.capacity()), (start, 1_000), "there was room");
    buffer.reserve(901);
    assert!(!block(start).contains(&buffer.as_ptr()), "there was none");
    assert_eq!(buffer[..], bytes[900..]);
}

fn block(start: *const u8) -> Range<*const u8> {
    start..start.wrapping_add(1_000)
}

#[test]
fn a_maximum_bounds_a_read_and_is_no_wish_for_memory() {
    let mut m = SliceMut::new();
    let n = m.read_from(&mut &[7_u8; 50][..], 64 << 20).expect("no error");
    assert!((1..=50).contains(&n));
    assert!(m.capacity() <= 1 << 20, "{} bytes of capacity for {n} bytes read", m.capacity());
}
