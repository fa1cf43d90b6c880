//! Ranges that overflow, are not aligned, or lie past the end.

use std::{io, ops::Bound, os::unix::net::UnixStream};

use aqueduct_os::{Advice, MapError, MappedFile, WriteToFault};
use aqueduct_testkit::pattern;

use crate::map::{PAGE, Scratch, arrives, slice_of};

/// Lengths and places of which there are none.
fn absurd() -> impl Iterator<Item = usize> + Clone {
    let most = isize::MAX.cast_unsigned();
    (0..=64).map(|k| usize::MAX - k).chain([most - 1, most, most + 1])
}

/// Every way to say a range from `start` to `end`.
fn bounds<T: Copy>(start: T, end: T) -> [(Bound<T>, Bound<T>); 9] {
    use Bound::{Excluded, Included, Unbounded};
    let (starts, ends) =
        ([Included(start), Excluded(start), Unbounded], [Included(end), Excluded(end), Unbounded]);
    std::array::from_fn(|i| (starts[i / 3], ends[i % 3]))
}

/// What a range means for a container of `len`, in numbers that cannot wrap.
fn meant<T: Copy + Into<u128>>(range: (Bound<T>, Bound<T>), len: u128) -> Option<(u128, u128)> {
    let start = match range.0 {
        Bound::Included(at) => at.into(),
        Bound::Excluded(at) => at.into() + 1,
        Bound::Unbounded => 0,
    };
    let end = match range.1 {
        Bound::Included(at) => at.into() + 1,
        Bound::Excluded(at) => at.into(),
        Bound::Unbounded => len,
    };
    (start <= end && end <= len).then_some((start, end))
}

#[test]
fn t13_a_range_of_a_file_is_in_it_or_refused() {
    let bytes = pattern(2 * PAGE + 9, 1);
    let scratch = Scratch::new(&bytes);
    let (file, len) = (scratch.open(), bytes.len() as u64);
    let near = [0, 1, 5, 4_095, 4_096, 4_097, len - 1, len, len + 1];
    let far = absurd().map(|n| n as u64).chain([1 << 62, 1 << 63]);
    let places: Vec<u64> = near.into_iter().chain(far).collect();
    for &start in &places {
        for &end in &places {
            for range in bounds(start, end) {
                match (MappedFile::map_range(&file, range), meant(range, len.into())) {
                    (Ok(map), Some((start, end))) => {
                        assert_eq!(map.len() as u128, end - start, "{range:?}");
                    }
                    (Err(MapError::Range { len: said, .. }), None) => assert_eq!(said, len),
                    (answer, meant) => panic!("{range:?}: {answer:?}, not {meant:?}"),
                }
            }
        }
    }
}

#[test]
fn t13_a_range_of_a_map_is_in_it_or_refused() {
    let bytes = pattern(2 * PAGE + 9, 2);
    let scratch = Scratch::new(&bytes);
    for offset in [0, 1, 5, PAGE as u64] {
        let map = MappedFile::map_range(scratch.open(), offset..).expect("in the file");
        let near = [0, 1, 5, PAGE - 1, PAGE, map.len() - 1, map.len(), map.len() + 1];
        let places: Vec<usize> = near.into_iter().chain(absurd()).collect();
        let (_, got) = arrives(|socket| {
            for &start in &places {
                for &end in &places {
                    for range in bounds(start as u64, end as u64) {
                        one_range(&map, range, &socket);
                    }
                }
            }
        });
        assert!(got.is_empty(), "no range but empty ones was written");
    }
}

/// Asks everything of one range that has a range; writes it only if it should be refused or empty.
fn one_range(map: &MappedFile, range: (Bound<u64>, Bound<u64>), socket: &UnixStream) {
    let narrow = |bound: Bound<u64>| bound.map(|at| usize::try_from(at).expect("it was one"));
    let usizes = (narrow(range.0), narrow(range.1));
    let meant = meant(range, map.len() as u128);
    let slice = slice_of(map, usizes);
    let lens = (slice.as_ref().ok().map(|s| s.len() as u128), meant.map(|(a, b)| b - a));
    assert_eq!(lens.0, lens.1, "{range:?}");
    let advised = [Advice::Normal, Advice::Populate].map(|advice| map.advise(advice, usizes));
    for advised in advised {
        let kind = advised.map_err(|error| error.kind());
        assert_eq!(kind, meant.map(drop).ok_or(io::ErrorKind::InvalidInput), "{range:?}");
    }
    if meant.is_some_and(|(start, end)| start < end) {
        return;
    }
    for written in [map.write_to(socket, usizes), map.write_all_to(socket, usizes).map(|()| 0)] {
        match (written, meant) {
            (Ok(0), Some(_)) => {}
            (Err(failed), None) => {
                assert!(matches!(failed.fault(), WriteToFault::Range(_)), "{failed:?}");
                assert_eq!(failed.written(), 0);
            }
            (answer, meant) => panic!("{range:?}: {answer:?}, not {meant:?}"),
        }
    }
}

#[test]
fn t11_a_map_prints_its_length_and_none_of_its_bytes() {
    let scratch = Scratch::new(b"secret");
    let map = MappedFile::map_range(scratch.open(), 1..).expect("mapped");
    let text = format!("{map:?}");
    assert!(text.contains("Map { len: 5 }") && !text.contains("secret"), "{text}");
}
