//! Foreign owners: dropped once, on every path, on the right thread.

use std::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};

use aqueduct_slice::{Interner, Slice, SliceMut, Str};
use aqueduct_testkit::{Countdown, Worker, at_thread_ends, fewer, pattern};

type Path = (&'static str, fn(Slice));

/// Every way a slice can go.
const PATHS: &[Path] = &[
    ("drop", drop),
    ("clone", |s| drop((s.clone(), s.clone(), s))),
    ("slice", |s| drop((s.slice(..10), s.slice(30..90), s))),
    ("slice_shared", |s| drop((s.slice_shared(..10), s))),
    ("the part outlives the whole", |s| {
        let part = s.slice_shared(5..80);
        drop(s);
        assert_eq!(part, pattern(100, 1)[5..80]);
    }),
    ("slice_ref", |s| drop((s.slice_ref(&s[3..70]), s))),
    ("split_to", |mut s| drop((s.split_to(40), s))),
    ("split_off", |mut s| drop((s.split_off(60), s))),
    ("split at the ends", |mut s| drop((s.split_to(0), s.split_off(100), s.split_to(100), s))),
    ("truncate", |mut s| s.truncate(50)),
    ("truncate to few", |mut s| s.truncate(5)),
    ("advance", |mut s| s.advance(50)),
    ("clear", |mut s| s.clear()),
    ("unsplit", |mut s| {
        let back = s.split_off(50);
        assert_eq!(s.try_unsplit(back).expect("neighbours"), pattern(100, 1)[..]);
    }),
    ("unsplit refused", |mut s| {
        let back = s.split_off(50);
        drop(back.try_unsplit(s).expect_err("the wrong way round"));
    }),
    ("into_mut", |s| drop(s.try_into_mut())),
    ("into_mut refused", |s| {
        let other = s.clone();
        drop(s.try_into_mut().expect_err("shared"));
        drop(other);
    }),
    ("local", |s| drop(s.into_local())),
    ("local and back", |s| {
        let local = s.into_local().expect("alone");
        let parts = (local.clone(), local.slice(5..50), local.to_shared());
        drop(local);
        drop(parts);
    }),
    ("local refused", |s| {
        let other = s.clone();
        drop(s.into_local().expect_err("shared"));
        drop(other);
    }),
    ("pin and detach", |s| drop((s.detach(), s.pin()))),
    ("str refused", |s| drop(Str::from_utf8(s).map_err(|e| drop((e.valid_prefix(), e))))),
    ("overwritten", |mut s| {
        s = s.slice(50..);
        s = s.slice_shared(10..);
        drop(s);
    }),
    ("another thread", |s| {
        let there = s.clone();
        let thread = thread::spawn(move || drop(there));
        drop(s);
        thread.join().expect("no panic");
    }),
    #[cfg(feature = "bytes")]
    ("bytes and back", |s| {
        let bytes = bytes::Bytes::from(s);
        let part = bytes.slice(10..60);
        drop((Slice::from(bytes), part));
    }),
];

#[test]
fn t05_an_owner_is_dropped_once_on_every_path() {
    for (name, path) in PATHS {
        let countdown = Countdown::new(-1);
        path(Slice::from_owner(countdown.value(pattern(100, 1))));
        assert_eq!(countdown.made_and_dropped(), (1, 1), "{name}");
    }
}

#[test]
fn t05_an_owner_of_few_bytes_is_dropped_once_too() {
    for len in [0, 1, 23, 24] {
        let countdown = Countdown::new(-1);
        let slice = Slice::from_owner(countdown.value(pattern(len, 1)));
        let all = [slice.clone(), slice.slice(..), slice.slice_shared(..), slice.clone().pin()];
        assert!(all.iter().all(|s| *s == slice));
        drop((all, slice));
        assert_eq!(countdown.made_and_dropped(), (1, 1), "{len}");
    }
}

#[test]
fn an_owner_lives_as_long_as_its_last_handle() {
    let countdown = Countdown::new(-1);
    let slice = Slice::from_owner(countdown.value(pattern(100, 1)));
    let part = slice.slice_shared(90..);
    drop(slice);
    assert_eq!(countdown.made_and_dropped(), (1, 0));
    drop(part);
    assert_eq!(countdown.made_and_dropped(), (1, 1));
}

/// Says on which thread it died.
struct Grave {
    bytes: Vec<u8>,
    died_on: Arc<Mutex<Vec<ThreadId>>>,
}

impl AsRef<[u8]> for Grave {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Grave {
    fn drop(&mut self) {
        self.died_on.lock().expect("not poisoned").push(thread::current().id());
    }
}

#[test]
fn t24_what_is_not_send_dies_on_its_own_thread() {
    let died_on = Arc::new(Mutex::new(Vec::new()));
    let slice = Slice::from_owner(Grave { bytes: pattern(100, 1), died_on: died_on.clone() });
    let here = thread::current().id();
    let there = Worker::<Option<Slice>>::new();
    let there_id = there.call(|_| thread::current().id());

    // A local handle cannot be sent (t25), so what it alone keeps alive dies where it is.
    let local = slice.into_local().expect("alone");
    let copies = [local.clone(), local.slice(50..)];
    let shared = local.to_shared();
    there.call(move |kept| *kept = Some(shared));
    there.call(|kept| *kept = None);
    assert!(died_on.lock().expect("not poisoned").is_empty());
    drop((local, copies));
    assert_eq!(*died_on.lock().expect("not poisoned"), [here]);

    // A shared one outlives the local group and takes its owner along, which must be Send.
    let slice = Slice::from_owner(Grave { bytes: pattern(100, 1), died_on: died_on.clone() });
    let local = slice.into_local().expect("alone");
    let shared = local.to_shared();
    there.call(move |kept| *kept = Some(shared));
    drop(local);
    there.call(|kept| *kept = None);
    assert_eq!(*died_on.lock().expect("not poisoned"), [here, there_id]);
}

/// Makes, reads and drops slices while it is dropped itself.
struct Reentrant(Vec<u8>);

impl AsRef<[u8]> for Reentrant {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Reentrant {
    fn drop(&mut self) {
        let others: Vec<_> = (0..20).map(|i| Slice::from_owner(pattern(50, i))).collect();
        assert!(others.iter().enumerate().all(|(i, s)| *s == pattern(50, i)[..]));
    }
}

#[test]
fn an_owner_may_make_slices_while_it_dies() {
    for _ in 0..fewer(100) {
        let slice = Slice::from_owner(Reentrant(pattern(100, 1)));
        assert_eq!(slice.clone(), slice);
    }
}

/// Of owners, on the heap, of one thread, of text; made there and elsewhere.
#[test]
fn t28_slices_of_every_kind_work_within_thread_local_destructors() {
    let countdown = Countdown::new(-1);
    let elsewhere = Slice::from_owner(countdown.value(pattern(100, 1)));
    let (theirs, counted) = (elsewhere.clone(), countdown.clone());
    at_thread_ends(move || {
        let owned: Vec<_> =
            (0..20).map(|i| Slice::from_owner(counted.value(pattern(50 + i, i)))).collect();
        for (i, slice) in owned.iter().enumerate() {
            assert_eq!(slice.slice_shared(1..), pattern(50 + i, i)[1..]);
        }
        let first = owned.into_iter().next().and_then(|slice| slice.into_local().ok());
        let local = first.map(|local| (local.clone(), local.slice(2..40).to_shared()));
        assert!(local.is_some_and(|(local, shared)| local.as_slice()[2..40] == shared[..]));
        let mut grown = SliceMut::with_capacity(10);
        (0..100).for_each(|i| grown.extend_from_slice(&pattern(100, i)));
        assert_eq!(grown.freeze().slice(9_900..), pattern(100, 99)[..]);
        let mut names = Interner::new();
        let name = names.intern("a name that is too long to be inline");
        assert_eq!(name, names.intern("a name that is too long to be inline"));
        assert_eq!(theirs.clone().split_to(99), pattern(100, 1)[..99]);
    });
    drop(elsewhere);
    countdown.assert_each_dropped_once();
}

/// An owner that wants to stand at a multiple of so much.
macro_rules! aligned {
    ($($align:literal)*) => {
        $({
            #[repr(align($align))]
            #[derive(Clone, Copy)]
            struct Aligned([u8; 32]);
            impl AsRef<[u8]> for Aligned {
                fn as_ref(&self) -> &[u8] {
                    &self.0
                }
            }
            // Several at once: one alone may stand well by chance.
            let slices: Vec<Slice> =
                (0..20).map(|n| Slice::from_owner(Aligned([n; 32]))).collect();
            for (n, slice) in (0..).zip(&slices) {
                assert_eq!(slice.as_ptr().addr() % $align, 0, "aligned to {}", $align);
                assert_eq!(slice[..32], [n; 32]);
            }
        })*
    };
}

#[test]
fn an_owner_stands_as_its_type_is_aligned() {
    aligned!(2 4 8 16 32 64 128 4096);
}
