//! Appenders: what is published is seen, what is not is not, and nothing published ever changes.

use aqueduct_slice::{Appender, Published, Slice, SliceMut};
use aqueduct_testkit::{fewer, panics, pattern, stride};
use std::thread;

pub(crate) fn write(appender: &mut Appender, bytes: &[u8]) {
    appender.spare_mut()[..bytes.len()].copy_from_slice(bytes);
    appender.commit(bytes.len());
}

pub(crate) fn all(published: &mut Published) -> Slice {
    published.take(usize::MAX)
}

pub(crate) fn pair(capacity: usize) -> (Appender, Published) {
    Appender::new(SliceMut::with_capacity(capacity))
}

#[test]
fn what_is_committed_is_seen_when_it_is_published() {
    let (mut appender, mut published) = pair(64);
    write(&mut appender, b"one");
    assert_eq!(published.available(), 0);
    appender.publish();
    write(&mut appender, b"two");
    assert_eq!(published.available(), 3);
    assert_eq!((appender.published(), appender.unpublished()), (3, 3));
    appender.publish();
    assert_eq!(published.take(2), b"on");
    assert_eq!((published.taken(), published.available()), (2, 4));
    assert_eq!(
        [published.take(3), all(&mut published), all(&mut published)],
        [&b"etw"[..], b"o", b""]
    );
}

#[test]
fn a_view_grows_in_place_and_only_as_far_as_is_asked() {
    let (mut appender, mut published) = pair(64);
    write(&mut appender, b"ab");
    appender.publish();
    let mut view = all(&mut published);
    let place = view.as_ptr();
    write(&mut appender, b"cdef");
    assert_eq!(published.extend(&mut view, 9), 0);
    appender.publish();
    assert_eq!(published.extend(&mut view, 1), 1);
    assert_eq!(published.extend(&mut view, usize::MAX), 3);
    assert_eq!((&view[..], view.as_ptr(), published.taken()), (&b"abcdef"[..], place, 6));
    assert!(!view.is_inline(), "what grows stays in its block");
}

#[test]
fn only_slices_of_what_is_published_grow() {
    let mut whole = SliceMut::with_capacity(128);
    whole.extend_from_slice(&[7; 60]);
    let mut front = whole.split_frozen(30);
    let mut middle = whole.split_to(30);
    middle.fill(8);
    let (mut appender, mut published) = Appender::new(whole);
    write(&mut appender, b"here");
    appender.publish();
    // In the same block, but in front, and somebody writes in between.
    assert_eq!(published.extend(&mut front, 100), 0);
    let mut other = Slice::from(vec![1; 40]);
    assert_eq!(published.extend(&mut other, 100), 0);
    assert_eq!(published.extend(&mut Slice::from_static(b"static"), 100), 0);
    let mut first = published.take(3);
    let mut cut = first.slice_shared(1..);
    let mut early = first.slice_shared(..2);
    let mut inline = cut.slice(..);
    for ends_elsewhere in [&mut early, &mut inline] {
        assert_eq!(published.extend(ends_elsewhere, 100), 0);
    }
    assert_eq!(published.extend(&mut cut, 100), 1);
    assert_eq!(published.extend(&mut first, 100), 0, "what follows is another's");
    assert_eq!((&front[..], &middle[..], &cut[..]), (&[7; 30][..], &[8; 30][..], &b"ere"[..]));
}

#[test]
fn dropping_the_appender_seals_and_loses_nothing_published() {
    let (mut appender, mut published) = pair(64);
    write(&mut appender, b"seen");
    appender.publish();
    let view = all(&mut published);
    assert!(!published.is_over());
    write(&mut appender, b"more");
    appender.publish();
    write(&mut appender, b"never");
    drop(appender);
    assert!(!published.is_over(), "sealed, but with more than was taken");
    assert_eq!((&view[..], &all(&mut published)[..]), (&b"seen"[..], &b"more"[..]));
    assert!(published.is_over());
}

#[test]
fn what_is_not_published_can_be_patched_and_rolled_back() {
    let (mut appender, mut published) = pair(64);
    write(&mut appender, b"kept");
    appender.publish();
    let room = appender.spare();
    write(&mut appender, b"gone");
    appender.rollback();
    assert_eq!(appender.spare(), room);
    write(&mut appender, b"?atched");
    appender.unpublished_mut()[0] = b'p';
    appender.publish();
    assert_eq!(all(&mut published), b"keptpatched");
    assert!(panics(|| appender.commit(room)));
}

#[test]
fn a_block_is_writable_again_when_all_are_gone() {
    let (mut appender, mut published) = pair(64);
    write(&mut appender, &[5; 40]);
    appender.publish();
    let view = all(&mut published);
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
    let (mut appender, mut published) = pair(64);
    write(&mut appender, &pattern(40, 1));
    appender.publish();
    drop(appender);
    assert_eq!(thread::spawn(move || all(&mut published)).join().unwrap(), pattern(40, 1)[..]);
}

#[test]
fn a_buffer_without_room_grows_and_its_data_counts_as_committed() {
    for buffer in [SliceMut::new(), SliceMut::with_capacity(3)] {
        let (mut appender, mut published) = Appender::new(buffer);
        appender.publish();
        assert_eq!(all(&mut published), b"");
    }
    for len in 0..70 {
        let mut buffer = SliceMut::with_capacity(64);
        buffer.extend_from_slice(&pattern(len, 2));
        let (mut appender, mut published) = Appender::new(buffer);
        assert_eq!(appender.unpublished_mut(), pattern(len, 2));
        let rest = appender.spare();
        write(&mut appender, &pattern(rest, 3));
        assert_eq!((appender.spare(), appender.spare_mut().len()), (0, 0));
        appender.publish();
        assert_eq!(published.take(len), pattern(len, 2)[..]);
        assert_eq!(all(&mut published), pattern(rest, 3)[..]);
    }
}

#[test]
fn at_any_alignment_the_word_stays_within_the_range() {
    for skip in 0..20 {
        for capacity in (0..40).step_by(stride(13)) {
            let mut whole = SliceMut::with_capacity(128);
            whole.resize(128, 9);
            let behind = whole.split_off(skip + capacity);
            whole.advance(skip);
            whole.clear();
            let (mut appender, mut published) = Appender::new(whole);
            let rest = appender.spare();
            assert!(rest + Appender::OVERHEAD >= capacity);
            write(&mut appender, &pattern(rest, skip));
            appender.publish();
            assert_eq!(all(&mut published), pattern(rest, skip)[..]);
            assert_eq!(behind, vec![9; 128 - skip - capacity][..]);
        }
    }
}

#[test]
fn two_threads_agree() {
    let (mut appender, mut published) = pair(1 << 19);
    let words = fewer(100_000);
    let writer = thread::spawn(move || {
        for i in 0..words {
            write(&mut appender, &i.to_le_bytes()[..4]);
            appender.publish();
        }
    });
    let mut view = all(&mut published);
    while view.len() < 4 * words {
        published.extend(&mut view, 7);
        let whole = view.len() / 4;
        for (i, word) in view.chunks_exact(4).enumerate().skip(whole.saturating_sub(3)) {
            assert_eq!(word, &i.to_le_bytes()[..4]);
        }
    }
    writer.join().unwrap();
    assert!(published.is_over());
}

#[test]
fn another_owners_slice_of_the_same_bytes_does_not_grow() {
    let (mut appender, mut published) = Appender::new(SliceMut::with_capacity(256));
    appender.commit(50);
    appender.publish();
    let mut foreign = Slice::from_owner(all(&mut published));
    appender.commit(50);
    appender.publish();
    assert_eq!(published.extend(&mut foreign, usize::MAX), 0);
    assert_eq!(foreign.len(), 50);
}
