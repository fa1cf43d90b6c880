//! Operations on `Slice`, and moves of slices between threads.

use std::collections::HashMap;

use aqueduct_slice::{Slice, Str, Unjoined};
use aqueduct_testkit::Step;
use aqueduct_testkit::oracle::{Alone, Model};

use super::{Op, World};

/// All of them.
pub const OPS: &[Op] = &[
    ("from_static", from_static),
    ("copy_from_slice", copy_from_slice),
    ("from_vec", from_vec),
    ("from_vec_with_spare", from_vec_with_spare),
    ("from_box_or_string", from_box_or_string),
    ("from_owner", from_owner),
    ("clone", clone),
    ("slice", slice),
    ("slice_shared", slice_shared),
    ("slice_ref", slice_ref),
    ("split_to", split_to),
    ("split_off", split_off),
    ("truncate", truncate),
    ("advance", advance),
    ("clear", clear),
    ("try_unsplit", try_unsplit),
    ("try_into_mut", try_into_mut),
    ("detach", detach),
    ("pin", pin),
    ("local", local),
    ("compare", compare),
    ("str", str),
    ("drop", drop_one),
    ("send", send),
    ("fetch", fetch),
    ("clone_there", clone_there),
    ("drop_there", drop_there),
];

static FIXED: [u8; 600] = [0x5a; 600];

fn from_static(w: &mut World<'_>, step: Step) {
    let bytes = &FIXED[..step.size().min(FIXED.len())];
    w.keep(Slice::from_static(bytes), Model::loose(bytes.to_vec()));
}

fn copy_from_slice(w: &mut World<'_>, step: Step) {
    let bytes = w.bytes(step.size());
    w.born(Slice::copy_from_slice(&bytes), bytes);
}

fn from_vec(w: &mut World<'_>, step: Step) {
    let bytes = w.bytes(step.size());
    w.born(Slice::from(bytes.clone()), bytes);
}

fn from_vec_with_spare(w: &mut World<'_>, step: Step) {
    let bytes = w.bytes(step.size());
    let mut vec = Vec::with_capacity(bytes.len() + usize::from(step.other) + 1);
    vec.extend_from_slice(&bytes);
    w.born(Slice::from(vec), bytes);
}

fn from_box_or_string(w: &mut World<'_>, step: Step) {
    if step.other.is_multiple_of(2) {
        let bytes = w.bytes(step.size());
        w.born(Slice::from(bytes.clone().into_boxed_slice()), bytes);
    } else {
        let text = "aqueduct ".repeat(step.size() / 9);
        w.born(Slice::from(text.clone()), text.into_bytes());
    }
}

fn from_owner(w: &mut World<'_>, step: Step) {
    let bytes = w.bytes(step.size());
    let block = w.fresh();
    w.foreign.push(block);
    w.keep(Slice::from_owner(bytes.clone()), Model::in_block(bytes, block));
}

fn clone(w: &mut World<'_>, step: Step) {
    if let Some(i) = w.pick(step.who) {
        let (slice, model) = w.slices[i].clone();
        w.keep(slice, model);
    }
}

fn slice(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &w.slices[i];
    let (from, to) = (usize::from(step.x) % 80, usize::from(step.y) % 100);
    match model.slice(from..to) {
        Some(part) => {
            let made = slice.slice(from..to);
            assert!(part.len() > 23 || made.is_inline(), "few bytes would pin a block");
            w.keep(made, part);
        }
        None => assert!(slice.try_slice(from..to).is_err(), "{from}..{to} of {}", slice.len()),
    }
}

fn slice_shared(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &w.slices[i];
    let to = step.place(model.len());
    let from = usize::from(step.other) % (to + 1);
    let part = model.slice(from..to).expect("in range");
    let made = slice.slice_shared(from..to);
    if !slice.is_inline() && !part.is_empty() {
        assert!(!made.is_inline(), "slice_shared inlined");
        assert_eq!(made.as_ptr(), slice[from..].as_ptr(), "slice_shared moved bytes");
    }
    w.keep(made, part);
}

fn slice_ref(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &w.slices[i];
    let to = step.place(model.len());
    let from = usize::from(step.other) % (to + 1);
    let made = slice.slice_ref(&slice[from..to]);
    let part = model.slice(from..to).expect("in range");
    w.keep(made, part);
}

fn split_to(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &mut w.slices[i];
    let at = step.place(model.len());
    let (made, part) = (slice.split_to(at), model.split_to(at).expect("in range"));
    w.keep(made, part);
}

fn split_off(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &mut w.slices[i];
    let at = step.place(model.len());
    let (made, part) = (slice.split_off(at), model.split_off(at).expect("in range"));
    w.keep(made, part);
}

fn truncate(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &mut w.slices[i];
    slice.truncate(step.size());
    model.bytes.truncate(step.size());
}

fn advance(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &mut w.slices[i];
    let n = step.place(model.len());
    slice.advance(n);
    assert!(model.advance(n));
}

fn clear(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = &mut w.slices[i];
    slice.clear();
    model.bytes.clear();
}

fn try_unsplit(w: &mut World<'_>, step: Step) {
    let (Some(i), Some(j)) = (w.pick(step.who), w.pick(step.other)) else { return };
    if i == j {
        return;
    }
    let (back, back_model) = w.slices.remove(j);
    let (front, mut model) = w.slices.remove(if i > j { i - 1 } else { i });
    let apart = model.block.is_some() && back_model.block.is_some();
    let apart = apart && model.block != back_model.block;
    let apart = apart && !model.is_empty() && !back_model.is_empty();
    match front.try_unsplit(back) {
        Ok(joined) => {
            assert!(!apart, "joined two blocks");
            if model.is_empty() && !back_model.is_empty() {
                (model.block, model.start) = (back_model.block, back_model.start);
            }
            model.append(&back_model);
            w.keep(joined, model);
        }
        Err(Unjoined { first, second, .. }) => {
            assert!(!model.joins(&back_model), "neighbours did not join");
            w.keep(first, model);
            w.keep(second, back_model);
        }
    }
}

fn try_into_mut(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, mut model) = w.slices.remove(i);
    let alone = w.alone(&model);
    match slice.try_into_mut() {
        Ok(made) => {
            assert_ne!(alone, Some(Alone::No), "a shared block became mutable");
            assert!(model.block.is_none_or(|b| !w.foreign.contains(&b)), "a foreign block");
            if model.block.is_none() {
                model = Model::in_block(model.bytes, w.fresh());
            }
            w.keep_mut(made, model);
        }
        Err(slice) => {
            let mine = model.block.is_some_and(|b| !w.foreign.contains(&b)) && !model.is_empty();
            assert!(!(mine && alone == Some(Alone::Yes)), "alone, and not made mutable");
            w.keep(slice, model);
        }
    }
}

fn detach(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (made, bytes) = (w.slices[i].0.detach(), w.slices[i].1.bytes.clone());
    w.born(made, bytes);
}

fn pin(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = w.slices.remove(i);
    let was_inline = slice.is_inline();
    let pinned = slice.pin();
    assert!(!pinned.is_inline() || pinned.is_empty(), "still inline");
    if was_inline { w.born(pinned, model.bytes) } else { w.keep(pinned, model) }
}

fn local(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = w.slices.remove(i);
    let alone = w.alone(&model);
    match slice.into_local() {
        Ok(local) => {
            assert_ne!(alone, Some(Alone::No), "a shared block became local");
            let to = step.place(model.len());
            let part = local.clone().slice(to / 2..to);
            assert_eq!((&local[..], &part[..]), (&model.bytes[..], &model.bytes[to / 2..to]));
            let shared = part.to_shared();
            drop(part);
            w.keep(shared, model.slice(to / 2..to).expect("in range"));
            w.keep(local.to_shared(), model);
        }
        Err(slice) => {
            let known = model.block.is_some() && !model.is_empty();
            assert!(!(known && alone == Some(Alone::Yes)), "alone, and not made local");
            w.keep(slice, model);
        }
    }
}

fn compare(w: &mut World<'_>, step: Step) {
    let (Some(i), Some(j)) = (w.pick(step.who), w.pick(step.other)) else { return };
    let ((a, x), (b, y)) = (&w.slices[i], &w.slices[j]);
    assert_eq!(a.cmp(b), x.bytes.cmp(&y.bytes));
    assert_eq!(a == b, x.bytes == y.bytes);
    let map = HashMap::from([(a.clone(), 1)]);
    assert_eq!(map.get(&x.bytes[..]), Some(&1), "found by its bytes");
}

fn str(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (slice, model) = w.slices.remove(i);
    let valid = std::str::from_utf8(&model.bytes).is_ok();
    let slice = match Str::from_utf8(slice) {
        Ok(text) => {
            assert!(valid);
            text.into_slice()
        }
        Err(refused) => {
            assert!(!valid);
            refused.into_slice()
        }
    };
    w.keep(slice, model);
}

fn drop_one(w: &mut World<'_>, step: Step) {
    if let Some(i) = w.pick(step.who) {
        drop(w.slices.swap_remove(i));
    }
}

fn send(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let to = usize::from(step.other) % 2;
    let (slice, model) = w.slices.remove(i);
    let bytes = model.bytes.clone();
    w.away[to].push(model);
    w.crew.0[to].post(move |held| held.push((slice, bytes)));
}

/// The worker and the position there that a step means.
fn pick_away(w: &World<'_>, step: Step) -> Option<(usize, usize)> {
    let from = usize::from(step.other) % 2;
    Some((from, usize::from(step.who).checked_rem(w.away[from].len())?))
}

fn fetch(w: &mut World<'_>, step: Step) {
    let Some((from, k)) = pick_away(w, step) else { return };
    let (slice, bytes) = w.crew.0[from].call(move |held| held.remove(k));
    let model = w.away[from].remove(k);
    assert_eq!(bytes, model.bytes);
    w.dying[from].clear();
    w.keep(slice, model);
}

fn clone_there(w: &mut World<'_>, step: Step) {
    let Some((from, k)) = pick_away(w, step) else { return };
    let slice = w.crew.0[from].call(move |held| {
        assert_eq!(held[k].0.as_slice(), held[k].1);
        held[k].0.clone()
    });
    w.dying[from].clear();
    w.keep(slice, w.away[from][k].clone());
}

fn drop_there(w: &mut World<'_>, step: Step) {
    let Some((from, k)) = pick_away(w, step) else { return };
    let model = w.away[from].remove(k);
    w.dying[from].extend(model.block);
    w.crew.0[from].post(move |held| drop(held.remove(k)));
}
