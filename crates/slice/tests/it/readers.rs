//! Readers, iterators and owners that lie.

use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{Lie, LyingReader, fewer, panics, pattern};
use std::{
    io::{self, Read},
    sync::atomic::{AtomicUsize, Ordering},
};

const SECRET: u8 = 0xee;

/// A mutable slice with three bytes, whose spare room still holds what somebody wrote before.
fn used() -> SliceMut {
    let mut m = SliceMut::with_capacity(4_096);
    m.spare_mut().fill(SECRET);
    m.extend_from_slice(b"abc");
    m
}

#[test]
fn t07_a_lying_reader_gets_no_byte_past_its_buffer_believed() {
    for lie in Lie::ALL {
        for most in [0, 1, 7, 4_000, 10_000] {
            let (mut m, mut reader) = (used(), LyingReader::new(lie));
            let mut read = Ok(0);
            let refused = panics(|| read = m.read_from(&mut reader, most));
            let added = m.len() - 3;
            assert_eq!(m[..3], *b"abc", "{lie:?}");
            assert!(added <= most, "{lie:?}: {added} of at most {most}");
            match read {
                Ok(n) if !refused => assert_eq!(added, n, "{lie:?}"),
                _ => assert_eq!(added, 0, "{lie:?}: a read that failed added bytes"),
            }
            assert!(!m.contains(&SECRET), "{lie:?}: shows what nobody read");
        }
    }
}

/// A socket of a slow client: it says what room it was given, and mostly that there is nothing.
struct Slow {
    room: usize,
    calls: usize,
}

impl Read for Slow {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.room += room.len();
        self.calls += 1;
        match room.first_mut().filter(|_| self.calls.is_multiple_of(4)) {
            Some(first) => *first = 7,
            None => return Err(io::ErrorKind::WouldBlock.into()),
        }
        Ok(1)
    }
}

/// Otherwise a client that is silent would cost as much as the room is large, each time it is asked.
#[test]
fn a_read_clears_little_however_large_the_room_is() {
    const MOST: usize = 64 << 10;
    let mut m = SliceMut::with_capacity(fewer(4 << 20));
    m.spare_mut().fill(SECRET);
    let mut slow = Slow { room: 0, calls: 0 };
    for _ in 0..100 {
        let _ = m.read_from(&mut slow, usize::MAX);
    }
    assert_eq!((&m[..], slow.calls), (&[7; 25][..], 100));
    assert!(slow.room <= 100 * MOST, "{} bytes of room in 100 calls", slow.room);
    let cleared = m.spare_mut().iter().filter(|byte| **byte != SECRET).count();
    assert!(cleared <= MOST, "{cleared} bytes were cleared");
}

#[test]
fn t07_an_error_in_the_middle_keeps_what_came_before() {
    let (mut m, mut reader) = (SliceMut::new(), LyingReader::new(Lie::ErrorAfter(10)));
    let mut got = 0;
    let failed = loop {
        match m.read_from(&mut reader, 4) {
            Ok(n) => got += n,
            Err(e) => break e,
        }
    };
    assert_eq!((got, &m[..]), (10, &[LyingReader::HONEST; 10][..]));
    assert!(failed.to_string().contains("in the middle"));
}

/// An iterator of `n` bytes that says whatever it is told of its size.
struct Lying {
    left: usize,
    says: (usize, Option<usize>),
}

impl Iterator for Lying {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        self.left = self.left.checked_sub(1)?;
        Some(7)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.says
    }
}

impl ExactSizeIterator for Lying {
    fn len(&self) -> usize {
        self.says.0
    }
}

#[test]
fn t16_an_iterator_that_lies_about_its_size() {
    let says = [(0, Some(0)), (1, Some(1)), (10_000, Some(3)), (500, None), (0, None)];
    for says in says {
        for left in [0, 1, 100, fewer(3_000)] {
            let made = SliceMut::from_iter(Lying { left, says });
            assert_eq!(made[..], vec![7; left], "{says:?}");
            let mut m = SliceMut::with_capacity(10);
            m.extend_from_slice(b"abc");
            let shared = m.split_frozen(1);
            m.extend(Lying { left, says });
            assert_eq!((&shared[..], &m[..2], m.len()), (&b"a"[..], &b"bc"[..], left + 2));
        }
    }
}

#[test]
fn t16_an_iterator_that_promises_more_than_all_memory() {
    for lower in [usize::MAX, isize::MAX.cast_unsigned() + 1] {
        let lying = || Lying { left: 5, says: (lower, None) };
        // As with Vec, a promise that cannot be kept may be refused.
        let mut m = SliceMut::from_iter(*b"abc");
        if panics(|| m.extend(lying())) {
            assert_eq!(m[..], *b"abc");
        } else {
            assert_eq!(m[..], *b"abc\x07\x07\x07\x07\x07");
        }
        panics(|| SliceMut::from_iter(lying()));
    }
}

/// An owner that answers `as_ref` differently each time: with less, with more, with other bytes.
struct Fickle {
    calls: AtomicUsize,
    all: Vec<u8>,
}

impl AsRef<[u8]> for Fickle {
    fn as_ref(&self) -> &[u8] {
        match self.calls.fetch_add(1, Ordering::Relaxed) % 4 {
            0 => &self.all[..100],
            1 => &self.all[50..60],
            2 => &[],
            _ => &self.all,
        }
    }
}

#[test]
fn t16_an_owner_is_asked_once() {
    for first in 0..4 {
        let all = pattern(300, 5);
        let expected = [&all[..100], &all[50..60], &[], &all][first].to_vec();
        let slice = Slice::from_owner(Fickle { calls: AtomicUsize::new(first), all });
        for _ in 0..9 {
            assert_eq!(slice, expected[..]);
            assert_eq!(slice.clone(), expected[..]);
            assert_eq!(slice.slice_shared(..), expected[..]);
            assert_eq!(slice.detach(), expected[..]);
        }
        let _ = slice.try_into_mut().map_err(|back| assert_eq!(back, expected[..]));
    }
}
