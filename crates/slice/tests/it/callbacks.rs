//! Callbacks of the user that panic, each at its turn: nothing is lost, nothing is dropped twice.

use std::io::{self, Read};

use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::{Countdown, for_every_k, pattern};

#[test]
fn t15_an_owner_that_panics_in_as_ref_or_drop() {
    for len in [0, 1, 23, 24, 100] {
        let calls = for_every_k(|c| drop(Slice::from_owner(c.value(pattern(len, 1)))));
        assert_eq!(calls, 2, "as_ref once, drop once");
    }
}

#[test]
fn t15_a_panic_in_drop_comes_out_of_whatever_dropped_the_last_handle() {
    type Last = fn(Slice);
    let last: [(&str, Last); 9] = [
        ("drop", drop),
        ("clear", |mut s| s.clear()),
        ("truncate", |mut s| s.truncate(0)),
        ("truncate to few", |mut s| s.truncate(3)),
        ("advance", |mut s| s.advance(100)),
        ("split_to", |mut s| drop(s.split_to(99))),
        ("detach", |s| drop(s.detach())),
        ("try_into_mut", |s| drop(s.try_into_mut())),
        ("local", |s| drop(s.into_local().map(|l| (l.clone(), l.slice(..50), l.to_shared())))),
    ];
    for (name, f) in last {
        let calls = for_every_k(|c| f(Slice::from_owner(c.value(pattern(100, 1)))));
        assert_eq!(calls, 2, "{name}: as_ref once, drop once");
    }
}

#[test]
fn t15_the_handle_is_whole_after_a_panic_in_drop() {
    for_every_k(|c| {
        let mut slice = Slice::from_owner(c.value(pattern(100, 1)));
        let cut = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| slice.truncate(3)));
        assert!(slice.len() <= 100 && slice[..3] == pattern(100, 1)[..3]);
        drop(slice);
        if let Err(payload) = cut {
            std::panic::resume_unwind(payload);
        }
    });
}

#[test]
fn t15_many_owners_of_which_one_panics() {
    for_every_k(|c| {
        // Headers of foreign owners are recycled: a panic must not spoil the store of them.
        let slices: Vec<_> =
            (0..5).map(|i| Slice::from_owner(c.value(pattern(50 + i, i)))).collect();
        let clones = slices.clone();
        drop(slices);
        for (i, slice) in clones.iter().enumerate() {
            assert_eq!(*slice, pattern(50 + i, i)[..]);
        }
    });
    let slices: Vec<_> = (0..20).map(|i| Slice::from_owner(pattern(60, i))).collect();
    assert!(slices.iter().enumerate().all(|(i, s)| *s == pattern(60, i)[..]));
}

/// An iterator or reader whose every call is a callback.
struct Counted<'a> {
    countdown: &'a Countdown,
    left: u8,
}

impl Iterator for Counted<'_> {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        self.countdown.tick();
        self.left = self.left.checked_sub(1)?;
        Some(self.left)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.countdown.tick();
        (0, None)
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.countdown.tick();
        let n = buf.len().min(10);
        buf[..n].fill(9);
        self.countdown.tick();
        Ok(n)
    }
}

#[test]
fn t15_an_iterator_that_panics() {
    let calls = for_every_k(|c| {
        let guard = c.value(Vec::new());
        let made = SliceMut::from_iter(Counted { countdown: c, left: 50 });
        assert_eq!(made.len(), 50);
        drop(guard);
    });
    assert!(calls >= 51, "{calls}");
    for_every_k(|c| {
        let mut m = SliceMut::with_capacity(20);
        m.extend_from_slice(b"before");
        let front = m.split_frozen(2);
        let run = || m.extend(Counted { countdown: c, left: 50 });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert_eq!((&front[..], &m[..4]), (&b"be"[..], &b"fore"[..]));
        assert!((0..50).rev().zip(&m[4..]).all(|(expected, got)| expected == *got));
        if let Err(payload) = ended {
            std::panic::resume_unwind(payload);
        }
    });
}

#[test]
fn t15_a_reader_that_panics() {
    for_every_k(|c| {
        let mut m = SliceMut::with_capacity(64);
        m.extend_from_slice(b"before");
        let run = || m.read_from(&mut Counted { countdown: c, left: 0 }, 30).expect("no error");
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
        assert_eq!(m[..6], *b"before");
        match ended {
            Ok(n) => assert_eq!(m[6..], vec![9; n]),
            Err(payload) => {
                assert_eq!(m.len(), 6, "bytes of a read that did not end");
                std::panic::resume_unwind(payload);
            }
        }
    });
}
