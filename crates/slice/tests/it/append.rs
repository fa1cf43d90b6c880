//! Appenders: what is published is seen, what is not is not, and nothing published ever changes.

use aqueduct_slice::{Appender, Published, Slice, SliceMut};
use aqueduct_testkit::{panics, pattern};
use proptest::prelude::*;
use std::thread;

fn write(appender: &mut Appender, bytes: &[u8]) {
    appender.spare_mut()[..bytes.len()].copy_from_slice(bytes);
    appender.commit(bytes.len());
}

fn pair(capacity: usize) -> (Appender, Published) {
    Appender::new(SliceMut::with_capacity(capacity))
}

#[test]
fn what_is_committed_is_seen_when_it_is_published() {
    let (mut appender, published) = pair(64);
    write(&mut appender, b"one");
    assert_eq!((published.len(), published.view().len()), (0, 0));
    appender.publish();
    write(&mut appender, b"two");
    assert_eq!(published.view(), b"one");
    assert_eq!((appender.published(), appender.unpublished()), (3, 3));
    appender.publish();
    assert_eq!(published.view(), b"onetwo");
    assert_eq!(published.view_from(2, 3), b"etw");
    assert!(panics(|| published.view_from(7, 1)));
}

#[test]
fn a_view_grows_in_place_and_only_as_far_as_is_asked() {
    let (mut appender, published) = pair(64);
    write(&mut appender, b"ab");
    appender.publish();
    let mut view = published.view();
    let place = view.as_ptr();
    write(&mut appender, b"cdef");
    assert_eq!(published.extend(&mut view, 9), 0);
    appender.publish();
    assert_eq!(published.extend(&mut view, 1), 1);
    assert_eq!(published.extend(&mut view, usize::MAX), 3);
    assert_eq!((&view[..], view.as_ptr()), (&b"abcdef"[..], place));
    assert!(!view.is_inline(), "what grows stays in its block");
}

#[test]
fn only_slices_of_what_is_published_grow() {
    let mut whole = SliceMut::with_capacity(128);
    whole.extend_from_slice(&[7; 60]);
    let mut front = whole.split_frozen(30);
    let mut middle = whole.split_to(30);
    middle.fill(8);
    let (mut appender, published) = Appender::new(whole);
    write(&mut appender, b"here");
    appender.publish();
    // In the same block, but in front, and somebody writes in between.
    assert_eq!(published.extend(&mut front, 100), 0);
    let mut other = Slice::from(vec![1; 40]);
    assert_eq!(published.extend(&mut other, 100), 0);
    let mut inline = published.view().slice(..2);
    assert_eq!(published.extend(&mut inline, 100), 0);
    assert_eq!(published.extend(&mut Slice::from_static(b"static"), 100), 0);
    let mut cut = published.view().slice_shared(1..2);
    assert_eq!(published.extend(&mut cut, 100), 2);
    assert_eq!((&front[..], &middle[..], &cut[..]), (&[7; 30][..], &[8; 30][..], &b"ere"[..]));
}

#[test]
fn dropping_the_appender_seals_and_loses_nothing_published() {
    let (mut appender, published) = pair(64);
    write(&mut appender, b"seen");
    appender.publish();
    let view = published.view();
    assert!(published.may_grow(4));
    write(&mut appender, b"more");
    appender.publish();
    write(&mut appender, b"never");
    drop(appender);
    assert!(published.may_grow(view.len()), "sealed, but with more than was seen");
    assert!(!published.may_grow(8));
    assert_eq!(published.view(), b"seenmore");
}

#[test]
fn what_is_not_published_can_be_patched_and_rolled_back() {
    let (mut appender, published) = pair(64);
    write(&mut appender, b"kept");
    appender.publish();
    let room = appender.spare();
    write(&mut appender, b"gone");
    appender.rollback();
    assert_eq!(appender.spare(), room);
    write(&mut appender, b"?atched");
    appender.unpublished_mut()[0] = b'p';
    appender.publish();
    assert_eq!(published.view(), b"keptpatched");
    assert!(panics(|| appender.commit(room)));
}

#[test]
fn a_block_is_writable_again_when_all_are_gone() {
    let (mut appender, published) = pair(64);
    write(&mut appender, &[5; 40]);
    appender.publish();
    let view = published.view();
    drop(published);
    assert!(!view.is_unique(), "an appender lives");
    let view = view.try_into_mut().expect_err("an appender lives");
    drop(appender);
    let mut again = view.try_into_mut().expect("the only handle");
    again.extend_from_slice(&[6; 20]);
    assert_eq!((&again[..40], &again[40..]), (&[5; 40][..], &[6; 20][..]));
}

#[test]
fn a_published_half_outlives_everything() {
    let (mut appender, published) = pair(64);
    write(&mut appender, &pattern(50, 1));
    appender.publish();
    drop(appender);
    assert_eq!(thread::spawn(move || published.view()).join().unwrap(), pattern(50, 1)[..]);
}

#[test]
fn a_buffer_without_room_grows_and_its_data_counts_as_committed() {
    for buffer in [SliceMut::new(), SliceMut::with_capacity(3)] {
        let (mut appender, published) = Appender::new(buffer);
        appender.publish();
        assert_eq!((published.len(), published.is_empty()), (0, true));
    }
    for len in 0..70 {
        let mut buffer = SliceMut::with_capacity(64);
        buffer.extend_from_slice(&pattern(len, 2));
        let (mut appender, published) = Appender::new(buffer);
        assert_eq!(appender.unpublished_mut(), pattern(len, 2));
        let rest = appender.spare();
        write(&mut appender, &pattern(rest, 3));
        assert_eq!((appender.spare(), appender.spare_mut().len()), (0, 0));
        appender.publish();
        assert_eq!(published.view()[..len], pattern(len, 2)[..]);
        assert_eq!(published.view()[len..], pattern(rest, 3)[..]);
    }
}

#[test]
fn at_any_alignment_the_word_stays_within_the_range() {
    for skip in 0..20 {
        for capacity in 0..40 {
            let mut whole = SliceMut::with_capacity(128);
            whole.resize(128, 9);
            let behind = whole.split_off(skip + capacity);
            whole.advance(skip);
            whole.clear();
            let (mut appender, published) = Appender::new(whole);
            let rest = appender.spare();
            assert!(rest + Appender::OVERHEAD >= capacity);
            write(&mut appender, &pattern(rest, skip));
            appender.publish();
            assert_eq!(published.view(), pattern(rest, skip)[..]);
            assert_eq!(behind, vec![9; 128 - skip - capacity][..]);
        }
    }
}

#[test]
fn two_threads_agree() {
    let (mut appender, published) = pair(1 << 16);
    let writer = thread::spawn(move || {
        for i in 0..10_000_usize {
            write(&mut appender, &i.to_le_bytes()[..4]);
            appender.publish();
        }
    });
    let mut view = published.view();
    while view.len() < 40_000 {
        published.extend(&mut view, 7);
        let whole = view.len() / 4;
        for (i, word) in view.chunks_exact(4).enumerate().skip(whole.saturating_sub(3)) {
            assert_eq!(word, &i.to_le_bytes()[..4]);
        }
    }
    writer.join().unwrap();
    assert!(!published.may_grow(40_000));
}

#[derive(Clone, Debug)]
enum Op {
    Write(usize),
    Publish,
    Rollback,
    Patch(usize),
    Extend(usize),
    View(usize, usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..50_usize).prop_map(Op::Write),
        3 => Just(Op::Publish),
        1 => Just(Op::Rollback),
        1 => any::<usize>().prop_map(Op::Patch),
        3 => (0..60_usize).prop_map(Op::Extend),
        1 => (0..300_usize, 0..60_usize).prop_map(|(from, most)| Op::View(from, most)),
    ]
}

proptest! {
    #[test]
    fn against_two_vectors(ops in proptest::collection::vec(op(), 0..80)) {
        let (mut appender, published) = pair(300);
        let (mut seen, mut pending): (Vec<u8>, Vec<u8>) = Default::default();
        let mut view = published.view();
        for (i, op) in ops.into_iter().enumerate() {
            match op {
                Op::Write(len) => {
                    let bytes = pattern(len.min(appender.spare()), i);
                    write(&mut appender, &bytes);
                    pending.extend(bytes);
                }
                Op::Publish => {
                    appender.publish();
                    seen.append(&mut pending);
                }
                Op::Rollback => {
                    appender.rollback();
                    pending.clear();
                }
                Op::Patch(at) if !pending.is_empty() => {
                    let at = at % pending.len();
                    (appender.unpublished_mut()[at], pending[at]) = (0, 0);
                }
                Op::Patch(_) => {}
                Op::Extend(most) => {
                    let more = most.min(seen.len() - view.len());
                    prop_assert_eq!(published.extend(&mut view, most), more);
                }
                Op::View(from, most) => {
                    let from = from.min(seen.len());
                    let to = seen.len().min(from + most);
                    prop_assert_eq!(published.view_from(from, most), &seen[from..to]);
                }
            }
            prop_assert_eq!(&view[..], &seen[..view.len()]);
            prop_assert_eq!(appender.unpublished_mut(), &pending[..]);
        }
    }
}

#[test]
fn another_owners_slice_of_the_same_bytes_does_not_grow() {
    let (mut appender, published) = Appender::new(SliceMut::with_capacity(256));
    appender.commit(50);
    appender.publish();
    let mut foreign = Slice::from_owner(published.view());
    appender.commit(50);
    appender.publish();
    assert_eq!(published.extend(&mut foreign, usize::MAX), 0);
    assert_eq!(foreign.len(), 50);
}
