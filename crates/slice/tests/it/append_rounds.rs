//! Blocks that are given back and written again: no slice ever shows anything but what it showed first.

use crate::append::{all, pair, write};
use aqueduct_slice::Slice;
use aqueduct_testkit::pattern;
use proptest::prelude::*;

#[test]
fn a_block_that_is_given_back_is_written_from_its_front_again() {
    let (mut appender, mut published) = pair(64);
    let whole = appender.spare();
    write(&mut appender, b"first");
    appender.publish();
    let mut view = all(&mut published);
    let place = view.as_ptr();
    assert!(!appender.renew(), "nothing was given back");
    published.give_back(Some(&mut view));
    assert!(view.is_empty() && appender.is_returned() && appender.renew());
    assert_eq!((appender.spare(), appender.published(), published.available()), (whole, 0, 0));
    assert!(!appender.renew(), "not twice");
    write(&mut appender, b"again");
    appender.publish();
    assert_eq!(published.extend(&mut view, 9), 5);
    assert_eq!((&view[..], view.as_ptr()), (&b"again"[..], place));
}

#[test]
fn nothing_is_given_back_while_it_is_shown_or_not_taken() {
    let (mut appender, mut published) = pair(64);
    write(&mut appender, b"ab");
    appender.publish();
    published.give_back(None);
    assert!(!appender.renew(), "not taken");
    let (first, mut last) = (published.take(1), published.take(1));
    published.give_back(Some(&mut last));
    assert!(!appender.renew(), "still shown");
    drop(first);
    let clone = last.clone();
    published.give_back(Some(&mut last));
    assert!(!appender.renew(), "for all that is known, still shown");
    drop(clone);
    published.give_back(Some(&mut last));
    write(&mut appender, b"c");
    assert!(!appender.renew(), "there is more by now");
    appender.rollback();
    assert!(appender.renew());
    write(&mut appender, b"d");
    appender.publish();
    assert!(!appender.renew(), "more was published since");
    assert_eq!(published.extend(&mut last, 9), 1);
    assert_eq!(last, b"d");
}

#[test]
fn a_strangers_slice_is_left_alone() {
    let (mut appender, mut published) = pair(64);
    write(&mut appender, b"ab");
    appender.publish();
    drop(all(&mut published));
    let mut other = Slice::from(vec![1; 40]);
    published.give_back(Some(&mut other));
    assert_eq!(other, [1; 40]);
    assert!(appender.renew());
}

#[derive(Clone, Debug)]
enum Op {
    Write(usize),
    Publish,
    Rollback,
    Patch(usize),
    Extend(usize),
    Take(usize),
    Drop(usize),
    GiveBack(bool),
    Renew,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..50_usize).prop_map(Op::Write),
        3 => Just(Op::Publish),
        1 => Just(Op::Rollback),
        1 => any::<usize>().prop_map(Op::Patch),
        2 => (0..90_usize).prop_map(Op::Extend),
        2 => (0..90_usize).prop_map(Op::Take),
        4 => any::<usize>().prop_map(Op::Drop),
        2 => any::<bool>().prop_map(Op::GiveBack),
        2 => Just(Op::Renew),
    ]
}

proptest! {
    #[test]
    fn against_plain_vectors(ops in proptest::collection::vec(op(), 0..120)) {
        let (mut appender, mut published) = pair(300);
        // Published and not taken; committed; the views, and what they must show for ever.
        let (mut ready, mut pending): (Vec<u8>, Vec<u8>) = Default::default();
        let mut views: Vec<(Slice, Vec<u8>)> = Vec::new();
        // Bytes of the round; whether the last view was the last that was taken; whether all is back.
        let (mut round, mut newest, mut back) = (0, false, false);
        for (i, op) in ops.into_iter().enumerate() {
            match op {
                Op::Write(len) => {
                    let bytes = pattern(len.min(appender.spare()), i);
                    write(&mut appender, &bytes);
                    pending.extend(bytes);
                }
                Op::Publish => {
                    appender.publish();
                    back &= pending.is_empty();
                    round += pending.len();
                    ready.append(&mut pending);
                }
                Op::Rollback => {
                    appender.rollback();
                    pending.clear();
                }
                Op::Patch(at) if !pending.is_empty() => {
                    let at = at % pending.len();
                    (appender.unpublished_mut()[at], pending[at]) = (0, 0);
                }
                Op::Extend(most) if newest && !views.is_empty() => {
                    let (view, shows) = views.last_mut().unwrap();
                    let more = most.min(ready.len());
                    prop_assert_eq!(published.extend(view, most), more);
                    shows.extend(ready.drain(..more));
                }
                Op::Take(most) => {
                    let more = most.min(ready.len());
                    views.push((published.take(most), ready.drain(..more).collect()));
                    newest = true;
                }
                Op::Drop(at) if !views.is_empty() => {
                    let at = at % views.len();
                    newest &= at + 1 < views.len();
                    drop(views.remove(at));
                }
                Op::GiveBack(with) => {
                    let last = views.last_mut().filter(|_| with);
                    let others = last.is_none();
                    published.give_back(last.map(|(view, shows)| {
                        shows.clear();
                        view
                    }));
                    newest |= !others;
                    back |= views.len() <= usize::from(!others) && ready.is_empty();
                }
                Op::Renew => {
                    let renewed = appender.renew();
                    prop_assert_eq!(renewed, back && pending.is_empty());
                    if renewed {
                        (round, newest, back) = (0, false, false);
                    }
                }
                Op::Patch(_) | Op::Extend(_) | Op::Drop(_) => {}
            }
            prop_assert_eq!(appender.published(), round);
            prop_assert_eq!(published.available(), ready.len());
            prop_assert_eq!(appender.unpublished_mut(), &pending[..]);
            for (view, shows) in &views {
                prop_assert_eq!(&view[..], &shows[..]);
            }
        }
    }
}
