//! Projections into an owner: they hold when the handle, or what it was made from, moves.

use std::mem::{replace, swap, take};

use aqueduct_slice::{Slice, SliceMut, Str};
use aqueduct_testkit::{panics, pattern};

/// An owner that carries its bytes in itself, so that moving it moves them.
struct Within {
    bytes: [u8; 100],
    from: usize,
}

impl AsRef<[u8]> for Within {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[self.from..]
    }
}

fn within(from: usize) -> (Slice, Vec<u8>) {
    let bytes = pattern(100, from);
    let owner = Within { bytes: bytes.clone().try_into().expect("a hundred"), from };
    (Slice::from_owner(owner), bytes[from..].to_vec())
}

#[test]
fn t29_an_owner_that_carries_its_bytes_is_asked_in_its_last_place() {
    for from in [0, 1, 50, 99, 100] {
        let (slice, bytes) = within(from);
        // Whatever would be at the owner's first place on the stack is overwritten.
        let scribble = std::hint::black_box([0xcc_u8; 4_096]);
        assert_eq!(slice, bytes[..]);
        let boxed = Box::new(slice);
        let part = boxed.slice_shared(..);
        let mut kept = vec![*boxed, part];
        kept.reserve(1_000);
        assert!(kept.iter().all(|s| *s == bytes[..]));
        std::hint::black_box(scribble);
    }
}

#[test]
fn t29_handles_moved_swapped_and_boxed_show_their_own_bytes() {
    for len in [0, 1, 22, 23, 24, 100] {
        let (x, y) = (pattern(len, 1), pattern(len, 2));
        let mut a = Slice::copy_from_slice(&x);
        let mut b = Box::new(Slice::copy_from_slice(&y));
        swap(&mut a, &mut b);
        assert_eq!((&a[..], &b[..]), (&y[..], &x[..]));
        let old = replace(&mut a, take(&mut *b));
        assert_eq!((&old[..], &a[..], b.len()), (&y[..], &x[..], 0));
        let mut many: Vec<Option<Slice>> = (0..50).map(|_| Some(a.clone())).collect();
        many.rotate_left(7);
        assert!(many.iter().flatten().all(|s| *s == x[..]));
        assert_eq!(take(&mut many[3]).as_deref(), Some(&x[..]));
    }
}

#[test]
fn t29_text_and_local_projections_move_with_their_handles() {
    let text = Str::from("a text of more than twenty-three bytes");
    let parts: Vec<Box<Str>> = (0..5).map(|i| Box::new(text.slice(i..i + 10))).collect();
    drop(text);
    assert_eq!(&**parts[2], "text of mo");
    let local = Slice::from(pattern(100, 1)).into_local().expect("alone");
    let parts: Vec<_> = (0..50).map(|i| Box::new(local.slice(i..i + 50))).collect();
    drop(local);
    for (i, part) in parts.iter().enumerate() {
        assert_eq!(part[..], pattern(100, 1)[i..i + 50]);
    }
}

#[test]
fn t29_a_projection_that_panics_keeps_the_owner() {
    let (slice, bytes) = within(10);
    assert!(panics(|| slice.slice(50..200)));
    assert!(panics(|| slice.slice(std::hint::black_box(9)..3)));
    let mut m = SliceMut::from_iter(bytes.iter().copied());
    assert!(panics(|| m.split_frozen(91)));
    assert!(panics(|| m.split_to(91)));
    let text = Str::from("zwölf");
    assert!(panics(|| text.slice(..3)), "within a character");
    assert_eq!((&*text, &slice[..], &m[..]), ("zwölf", &bytes[..], &bytes[..]));
    assert!(slice.is_unique(), "a refused projection left a count");
}
