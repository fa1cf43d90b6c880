//! Every operation on empty handles and on handles of one byte.

use aqueduct_slice::{Interner, Slice, SliceMut, Str};
use aqueduct_testkit::{panics, pattern};
use std::borrow::Borrow;

/// Empty slices, of every origin.
fn empty_slices() -> Vec<Slice> {
    let long = Slice::from(pattern(100, 1));
    let mut cleared = long.clone();
    cleared.clear();
    let mut advanced = long.clone();
    advanced.advance(100);
    let mut truncated = long.clone();
    truncated.truncate(0);
    vec![
        Slice::new(),
        Slice::default(),
        Slice::from_static(b""),
        Slice::copy_from_slice(b""),
        Slice::from(Vec::new()),
        Slice::from(Vec::with_capacity(10)),
        Slice::from(Vec::new().into_boxed_slice()),
        Slice::from(String::new()),
        Slice::from_owner(Vec::new()),
        SliceMut::new().freeze(),
        SliceMut::with_capacity(10).freeze(),
        long.slice(100..),
        long.slice_shared(50..50),
        long.slice_ref(&long[7..7]),
        Slice::new().pin(),
        Slice::new().detach(),
        cleared,
        advanced,
        truncated,
    ]
}

/// Slices of the one byte `x`, of every origin.
fn one_byte_slices() -> Vec<Slice> {
    let long = Slice::from(b"0123456789x".repeat(9));
    let mut split = SliceMut::from_iter(*b"xyz");
    vec![
        Slice::from_static(b"x"),
        Slice::copy_from_slice(b"x"),
        Slice::from(vec![b'x']),
        Slice::from(vec![b'x'].into_boxed_slice()),
        Slice::from("x"),
        Slice::from(String::from("x")),
        Slice::from_owner("x"),
        SliceMut::from_iter([b'x']).freeze(),
        split.split_frozen(1),
        long.slice(10..11),
        long.slice_shared(98..99),
        Slice::copy_from_slice(b"x").pin(),
        Slice::copy_from_slice(b"x").detach(),
    ]
}

/// Every operation that a slice of any length allows.
fn exercise(slice: &Slice, bytes: &[u8]) {
    let n = bytes.len();
    assert_eq!((slice.as_slice(), slice.len(), slice.is_empty()), (bytes, n, n == 0));
    assert_eq!(*slice, Slice::copy_from_slice(bytes));
    assert_eq!(slice.slice(..), bytes);
    assert_eq!(slice.slice(n..), b"");
    assert_eq!(slice.try_slice(0..n).as_deref(), Ok(bytes));
    assert!(slice.try_slice(..=n).is_err());
    assert_eq!(slice.slice_shared(..), bytes);
    assert_eq!(slice.slice_ref(slice), bytes);
    for at in 0..=n {
        let (mut front, mut back) = (slice.clone(), slice.clone());
        let (head, tail) = (back.split_to(at), front.split_off(at));
        assert_eq!((&head[..], &tail[..]), (&front[..], &back[..]));
        let joined = head.clone().try_unsplit(tail.clone());
        if at == 0 || at == n {
            assert_eq!(joined.as_deref(), Ok(bytes), "one side is empty");
        }
        let mut rest = slice.clone();
        rest.advance(at);
        assert_eq!(rest, bytes[at..]);
        rest.truncate(0);
        rest.clear();
        assert_eq!(rest, Slice::new());
    }
    let _ = (slice.is_unique(), slice.pinned_bytes(), slice.is_inline());
    assert_eq!(slice.detach(), bytes);
    let pinned = slice.clone().pin();
    let at = pinned.as_ptr();
    let moved = Box::new(pinned);
    assert_eq!((moved.as_ptr(), moved.as_slice()), (at, bytes), "a pinned slice stays put");
    match slice.clone().into_local() {
        Ok(local) => assert_eq!((&local[..], &local.slice(..)[..]), (bytes, bytes)),
        Err(back) => assert_eq!(back, bytes),
    }
    let text = Str::from_utf8(slice.clone()).expect("text");
    assert_eq!((text.len(), text.slice(..).into_slice().as_slice()), (n, bytes));
}

#[test]
fn t03_every_operation_on_empty_slices() {
    for slice in empty_slices() {
        exercise(&slice, b"");
        match slice.try_into_mut() {
            Ok(mut m) => exercise_mut(&mut m, b""),
            Err(back) => assert_eq!(back, b""),
        }
    }
}

#[test]
fn t03_every_operation_on_slices_of_one_byte() {
    for slice in one_byte_slices() {
        exercise(&slice, b"x");
        match slice.try_into_mut() {
            Ok(mut m) => exercise_mut(&mut m, b"x"),
            Err(back) => assert_eq!(back, b"x"),
        }
    }
}

/// Every operation on a mutable slice of any length; it ends with the bytes it began with.
fn exercise_mut(m: &mut SliceMut, bytes: &[u8]) {
    let n = bytes.len();
    assert_eq!((&m[..], m.len(), m.is_empty()), (bytes, n, n == 0));
    m.commit(0);
    m.reserve(0);
    m.try_reserve(0).expect("nothing");
    m.extend_from_slice(b"");
    m.extend([0_u8; 0]);
    m.resize(n, 0);
    m.truncate(n);
    m.advance(0);
    m.prepend(b"").expect("nothing");
    assert_eq!(m.read_from(&mut &b""[..], 0).expect("nothing"), 0);
    assert_eq!(m.read_from(&mut &b""[..], 10).expect("an end"), 0);
    assert_eq!(m.read_from(&mut &b"yz"[..], 0).expect("no more than asked"), 0);
    for at in 0..=n {
        let back = m.split_off(at);
        assert_eq!((&m[..], &back[..]), bytes.split_at(at));
        m.unsplit(back);
        let mut front = m.split_to(at);
        front.unsplit(std::mem::take(m));
        *m = front;
        assert_eq!(m[..], *bytes);
    }
    assert_eq!(m.split_frozen(0), b"");
    let frozen = m.split_frozen(n);
    assert_eq!((frozen.as_slice(), &m[..]), (bytes, &b""[..]));
    m.extend_from_slice(bytes);
    assert_eq!((frozen.as_slice(), &m[..]), (bytes, bytes));
}

#[test]
fn t03_every_operation_on_small_mutable_slices() {
    for make in [SliceMut::new, || SliceMut::with_capacity(0), || SliceMut::with_capacity(1)] {
        exercise_mut(&mut make(), b"");
        exercise_mut(&mut SliceMut::with_headroom(1, 0), b"");
        let mut one = make();
        one.extend_from_slice(b"x");
        exercise_mut(&mut one, b"x");
        assert_eq!(one.freeze(), b"x");
        assert_eq!(make().freeze(), b"");
    }
    let mut m = SliceMut::new();
    m.try_unsplit(SliceMut::new()).expect("nothing to join");
    m.unsplit(SliceMut::new());
    assert!(m.spare_mut().len() == m.capacity());
    let mut moved = SliceMut::with_headroom(1, 0);
    moved.prepend(b"x").expect("one byte of room");
    assert_eq!(moved[..], *b"x");
}

#[test]
fn t03_small_texts() {
    let mut names = Interner::with_limit(1);
    for text in ["", "x"] {
        assert_eq!(&*Str::from(text), text);
        assert_eq!(&*Str::from(String::from(text)), text);
        assert_eq!(&*names.intern(text), text);
        assert_eq!(&*names.intern(text), text);
    }
    assert_eq!(&*Str::from_static(""), "");
}

/// Where a slice is cut decides which part moves into its handle: those that fit, and no others.
#[test]
fn a_cut_moves_short_parts_inline_and_no_others() {
    const INLINE: usize = 23;
    let block = Slice::from(pattern(60, 1));
    for len in 24..=60 {
        let whole = block.slice(..len);
        for at in 1..len {
            let (mut back, mut front) = (whole.clone(), whole.clone());
            for (front, back) in [(back.split_to(at), back), {
                let back = front.split_off(at);
                (front, back)
            }] {
                assert_eq!((&front[..], &back[..]), whole.split_at(at));
                let inline = (front.is_inline(), back.is_inline());
                assert_eq!(inline, (at <= INLINE, len - at <= INLINE), "{len} bytes at {at}");
            }
        }
    }
}

/// The words of an inline slice are its bytes, and say nothing of a length.
#[test]
fn an_inline_slice_is_cut_within_its_bytes_whatever_they_are() {
    for byte in [0, 0xff] {
        for len in 0..=23 {
            let bytes = vec![byte; len];
            let slice = Slice::copy_from_slice(&bytes);
            for at in (len + 1..50).chain([1 << 20, usize::MAX / 4, usize::MAX / 2, usize::MAX]) {
                let (mut a, mut b) = (slice.clone(), slice.clone());
                assert!(panics(|| a.split_to(at)), "{len} bytes to {at}");
                assert!(panics(|| b.split_off(at)), "{len} bytes from {at}");
                assert_eq!((&a[..], &b[..]), (&bytes[..], &bytes[..]));
            }
        }
    }
}

/// Every way to the text of a [`Str`] is to the same text, in place.
#[test]
fn a_text_is_shown_by_every_view_of_it() {
    for text in ["", "x", "häuser", "more text than a handle has room for: häuser"] {
        let slice = Slice::from(text.as_bytes().to_vec());
        let str = Str::try_from(slice.clone()).expect("text");
        let at = str.as_ptr();
        let (as_str, as_bytes): (&str, &[u8]) = (str.as_ref(), str.as_ref());
        let borrowed: &str = str.borrow();
        assert_eq!((as_str, as_bytes, borrowed), (text, text.as_bytes(), text));
        assert!([as_str.as_ptr(), as_bytes.as_ptr(), borrowed.as_ptr()] == [at; 3]);
        assert_eq!((format!("{str}"), format!("{str:>60}")), (text.into(), format!("{text:>60}")));
        assert_eq!(Slice::from(str.clone()), slice);
        assert_eq!(str.into_slice(), slice);
    }
    assert_eq!(&*Str::new(), "");
    let refused = Str::try_from(Slice::from_static(b"ab\xff")).expect_err("no text");
    assert_eq!((&*refused.valid_prefix(), &refused.into_slice()[..]), ("ab", &b"ab\xff"[..]));
}

#[test]
fn a_buffer_is_what_an_in_place_cipher_asks_for() {
    fn seal(buffer: &mut (impl AsMut<[u8]> + for<'a> Extend<&'a u8>)) {
        buffer.as_mut().iter_mut().for_each(|byte| *byte ^= 0xff);
        buffer.extend(&[1, 2, 3]);
    }
    let mut buffer = SliceMut::from_iter([0, 0xf0]);
    seal(&mut buffer);
    assert_eq!(buffer, [0xff, 0x0f, 1, 2, 3]);
}

#[test]
fn bytes_may_stand_on_either_side_of_an_equation() {
    let (slice, vec) = (Slice::from_static(b"both"), b"both".to_vec());
    assert_eq!(vec, slice);
    assert_eq!(&vec[..], slice);
    assert_ne!(b"other".to_vec(), slice);
    assert_eq!("both".to_owned(), Str::from_static("both"));
    assert_eq!("both", Str::from_static("both"));
}
