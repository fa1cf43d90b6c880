//! Owners of which any may panic when it is dropped, in any operation of a list or a sequence.

use aqueduct_sequence::{SegmentList, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::{Countdown, for_every_k, pattern, stride};

/// Slices of these lengths with an owner each, and their bytes.
fn owned(countdown: &Countdown, lens: &[usize]) -> (Vec<Slice>, Vec<u8>) {
    let parts: Vec<_> = lens.iter().enumerate().map(|(i, len)| pattern(*len, i)).collect();
    let bytes = parts.concat();
    let made = parts.into_iter().map(|part| Slice::from_owner(countdown.value(part)));
    (made.collect(), bytes)
}

const LENS: [usize; 8] = [30, 40, 10, 60, 5, 70, 80, 25];

/// A list counts as consumed what was to be consumed or taken, and keeps the rest.
#[test]
fn t15_owners_that_panic_while_a_list_is_read() {
    for step in [1, 7, 29, 30, 55, 100, 319].into_iter().step_by(stride(4)) {
        for_every_k(|c| {
            let (slices, bytes) = owned(c, &LENS);
            let mut list = SegmentList::new();
            for (i, slice) in slices.into_iter().enumerate() {
                let len = list.len() + slice.len();
                c.survive(|| list.push_back(slice));
                assert_eq!(list.len(), len);
                if i == 3 {
                    c.survive(|| list.consume(len));
                    assert!(list.is_empty()); // and the next one takes the place of the last
                }
            }
            let mut left = &bytes[140..];
            for way in 0.. {
                assert_eq!(list.as_ref(), left);
                let count = step.min(left.len());
                let (now, rest) = left.split_at(count);
                c.survive(|| match way % 2 {
                    0 => list.consume(count),
                    _ => assert_eq!(list.take(count), now),
                });
                left = rest;
                if left.is_empty() {
                    break;
                }
            }
            c.survive(|| list.release_used());
            assert!(list.last().is_none());
        });
    }
}

/// A sequence is what it was or what it was to become.
#[test]
fn t15_owners_that_panic_while_a_sequence_is_cut() {
    let ways: [fn(&mut Sequence, usize); 8] = [
        |sequence, at| sequence.advance(at),
        |sequence, at| sequence.truncate(at),
        |sequence, at| drop(sequence.split_to(at)),
        |sequence, at| drop(sequence.split_off(at)),
        |sequence, at| *sequence = sequence.slice(at..),
        |sequence, at| sequence.push(Slice::from(pattern(at, 9))),
        |sequence, at| {
            let other = sequence.clone();
            sequence.advance(at);
            drop(other);
            sequence.advance(0); // lets go of what was shared
        },
        |sequence, at| {
            let other = sequence.clone();
            sequence.truncate(at);
            drop(other);
            sequence.advance(0);
        },
    ];
    for lens in [&LENS[..], &LENS[..2], &LENS[..1]] {
        for (way, cut) in ways.iter().enumerate() {
            for at in [0, 3, 25, 30, 31, 68, 300].into_iter().step_by(stride(4)) {
                for_every_k(|c| {
                    let (slices, bytes) = owned(c, lens);
                    let mut sequence: Sequence = slices.into_iter().collect();
                    let at = at.min(sequence.len());
                    c.survive(|| cut(&mut sequence, at));
                    let want = match way {
                        0 | 2 | 4 | 6 => bytes[at..].to_vec(),
                        1 | 3 | 7 => bytes[..at].to_vec(),
                        _ => [&bytes[..], &pattern(at, 9)].concat(),
                    };
                    assert!(sequence == want[..] || sequence == bytes[..]);
                    let middle = sequence.len() / 2;
                    let halves = (sequence.slice(..middle), sequence.slice(middle..));
                    sequence.push(Slice::from_static(b"more"));
                    let joined: Sequence = halves.0.into_iter().chain(halves.1).collect();
                    assert_eq!(sequence.slice(..joined.len()), joined);
                    assert_eq!(sequence.slice(joined.len()..), b"more");
                    c.survive(|| sequence.into_iter().for_each(drop));
                });
            }
        }
    }
}

/// Slices whose iterator may panic.
fn frail<'a>(
    countdown: &'a Countdown,
    slices: impl IntoIterator<Item = Slice> + 'a,
) -> impl Iterator<Item = Slice> + 'a {
    slices.into_iter().inspect(|_| countdown.tick())
}

/// What came before the panic of an iterator is there, and nothing else; a borrower of the last segment that
/// panics leaves what it had made of it.
#[test]
fn t15_iterators_and_borrowers_that_panic() {
    let parts: Vec<_> = LENS.iter().map(|len| pattern(*len, *len)).collect();
    let whole = parts.concat();
    let ends: Vec<_> = (0..=parts.len()).map(|count| parts[..count].concat().len()).collect();
    let calls = for_every_k(|c| {
        let mut made = Vec::new();
        let each = || parts.iter().map(|p| Slice::from_owner(c.value(p.clone()))).collect();
        c.survive(|| made = vec![each(), each(), each(), each()]);
        let mut made: Vec<Vec<Slice>> = made;
        let (mut list, mut sequence) = (SegmentList::new(), Sequence::new());
        let mut next = || made.pop().unwrap_or_default();
        c.survive(|| list.extend(frail(c, next())));
        c.survive(|| sequence.extend(frail(c, next())));
        let collected = c.survive(|| frail(c, next()).collect::<Sequence>());
        let listed = c.survive(|| frail(c, next()).collect::<SegmentList>());
        for seen in [list.as_ref(), sequence.as_ref()] {
            assert!(whole.starts_with(&seen.to_contiguous()) && ends.contains(&seen.len()));
        }
        assert!(collected.is_none_or(|all| all.is_empty() || all == whole[..]));
        assert!(listed.is_none_or(|all| all.is_empty() || all.as_ref() == whole[..]));

        let before = list.len();
        let grown = c.survive(|| {
            list.extend_last(|last| {
                *last = Slice::from(pattern(200, 200));
                c.tick();
                last.truncate(150);
                c.tick();
                0
            })
        });
        let seen = list.as_ref().to_contiguous().into_owned();
        assert!(grown.is_none() || list.is_empty() || seen.ends_with(&pattern(150, 200)));
        assert!(list.len() <= before + 200 && list.as_ref().segments().all(|s| !s.is_empty()));
        c.survive(|| list.consume(seen.len() / 2));
        assert_eq!(list.as_ref(), seen[seen.len() / 2..]);
        c.survive(|| list.push_back(Slice::from_static(b"more")));
        c.survive(|| drop(list));
        c.survive(|| drop(sequence));
    });
    assert!(calls > 60, "{calls}");
}
