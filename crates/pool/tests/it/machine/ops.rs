//! The operations: on a pool, on its blocks, and between threads.

use aqueduct_slice::SliceMut;
use aqueduct_testkit::Step;
use aqueduct_testkit::oracle::Model;

use super::{Handle, LARGEST, World};

/// An operation, with the name that a failure prints.
pub type Op = (&'static str, fn(&mut World<'_>, Step));

/// All of them.
pub const OPS: &[Op] = &[
    ("get", get),
    ("get", get),
    ("try_get", try_get),
    ("get_there", get_there),
    ("get_large", get_large),
    ("fill", fill),
    ("fill", fill),
    ("grow", grow),
    ("freeze", freeze),
    ("freeze", freeze),
    ("thaw", thaw),
    ("split_frozen", split_frozen),
    ("split_off", split_off),
    ("clone", clone),
    ("slice", slice),
    ("slice_shared", slice_shared),
    ("drop", drop_one),
    ("drop", drop_one),
    ("send", send),
    ("send", send),
    ("fetch", fetch),
    ("drop_there", drop_there),
    ("short_thread", short_thread),
    ("trim", trim),
    ("trim_there", trim_there),
    ("maintain", maintain),
    ("settle", settle),
];

fn get(w: &mut World<'_>, step: Step) {
    let made = w.pool.get(step.size());
    w.got(made, step.size());
}

fn try_get(w: &mut World<'_>, step: Step) {
    match w.pool.try_get(step.size()) {
        Ok(made) => w.got(made, step.size()),
        Err(e) => assert!(w.limited, "{e} without a limit"),
    }
}

fn get_there(w: &mut World<'_>, step: Step) {
    let (pool, n) = (w.pool.clone(), step.size());
    let made = w.crew.0[usize::from(step.other) % 2].call(move |_| pool.get(n));
    w.got(made, n);
}

/// About the size of the largest class: just below, the class itself, just above.
fn get_large(w: &mut World<'_>, step: Step) {
    let n = LARGEST - 40 + usize::from(step.y) % 80;
    let made = w.pool.get(n);
    w.got(made, n);
}

/// The mutable handle that a step means.
fn pick_mut<'w>(w: &'w mut World<'_>, step: Step) -> Option<(&'w mut SliceMut, &'w mut Model)> {
    let i = w.pick(step.who)?;
    match &mut w.here[i] {
        (Handle::Mut(slice), model) => Some((slice, model)),
        _ => None,
    }
}

/// Fills spare room in place; scribbles over the rest, which nobody else may see.
fn fill(w: &mut World<'_>, step: Step) {
    let bytes = w.bytes(step.size());
    let Some((slice, model)) = pick_mut(w, step) else { return };
    let spare = slice.spare_mut();
    let n = bytes.len().min(spare.len());
    spare.fill(0xdb);
    spare[..n].copy_from_slice(&bytes[..n]);
    slice.commit(n);
    model.bytes.extend_from_slice(&bytes[..n]);
}

fn grow(w: &mut World<'_>, step: Step) {
    let (bytes, block) = (w.bytes(step.size()), w.fresh());
    let Some((slice, model)) = pick_mut(w, step) else { return };
    let before = slice.as_ptr();
    slice.extend_from_slice(&bytes);
    model.bytes.extend_from_slice(&bytes);
    if slice.as_ptr() != before {
        (model.block, model.start) = (Some(block), 0);
        w.perhaps_heap.insert(block);
    }
}

fn freeze(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (handle, model) = w.here.remove(i);
    let handle = match handle {
        Handle::Mut(slice) => Handle::Slice(slice.freeze()),
        other => other,
    };
    w.keep(handle, model);
}

fn thaw(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (handle, model) = w.here.remove(i);
    let handle = match handle {
        Handle::Slice(slice) => slice.try_into_mut().map_or_else(Handle::Slice, Handle::Mut),
        other => other,
    };
    w.keep(handle, model);
}

fn split_frozen(w: &mut World<'_>, step: Step) {
    let Some((slice, model)) = pick_mut(w, step) else { return };
    let at = step.place(model.len());
    let (made, part) = (slice.split_frozen(at), model.split_to(at).expect("in range"));
    w.keep(Handle::Slice(made), part);
}

fn split_off(w: &mut World<'_>, step: Step) {
    let Some((slice, model)) = pick_mut(w, step) else { return };
    let at = step.place(model.len());
    let (made, part) = (slice.split_off(at), model.split_off(at).expect("in range"));
    w.keep(Handle::Mut(made), part);
}

fn clone(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    if let (Handle::Slice(slice), model) = &w.here[i] {
        let (slice, model) = (slice.clone(), model.clone());
        w.keep(Handle::Slice(slice), model);
    }
}

fn slice(w: &mut World<'_>, step: Step) {
    part(w, step, |slice, from, to| slice.slice(from..to));
}

fn slice_shared(w: &mut World<'_>, step: Step) {
    part(w, step, |slice, from, to| slice.slice_shared(from..to));
}

fn part(
    w: &mut World<'_>,
    step: Step,
    cut: impl Fn(&aqueduct_slice::Slice, usize, usize) -> aqueduct_slice::Slice,
) {
    let Some(i) = w.pick(step.who) else { return };
    if let (Handle::Slice(slice), model) = &w.here[i] {
        let to = step.place(model.len());
        let from = usize::from(step.other) % (to + 1);
        let (made, part) = (cut(slice, from, to), model.slice(from..to).expect("in range"));
        w.keep(Handle::Slice(made), part);
    }
}

fn drop_one(w: &mut World<'_>, step: Step) {
    if let Some(i) = w.pick(step.who) {
        drop(w.here.swap_remove(i));
    }
}

fn send(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let to = usize::from(step.other) % 2;
    let (handle, model) = w.here.remove(i);
    let (bytes, sure) = (model.bytes.clone(), handle.holds());
    w.away[to].push((model, sure));
    w.crew.0[to].post(move |held| held.push((handle, bytes)));
}

/// The worker and the position there that a step means.
fn pick_away(w: &World<'_>, step: Step) -> Option<(usize, usize)> {
    let from = usize::from(step.other) % 2;
    Some((from, usize::from(step.who).checked_rem(w.away[from].len())?))
}

fn fetch(w: &mut World<'_>, step: Step) {
    let Some((from, k)) = pick_away(w, step) else { return };
    let (handle, bytes) = w.crew.0[from].call(move |held| held.remove(k));
    let (model, _) = w.away[from].remove(k);
    assert_eq!(bytes, model.bytes);
    w.keep(handle, model);
}

fn drop_there(w: &mut World<'_>, step: Step) {
    let Some((from, k)) = pick_away(w, step) else { return };
    drop(w.away[from].remove(k));
    w.crew.0[from].post(move |held| {
        let (handle, bytes) = held.remove(k);
        assert_eq!(handle.bytes(), bytes);
    });
}

/// A thread that frees one handle, gets a block, and ends before that block does.
fn short_thread(w: &mut World<'_>, step: Step) {
    let taken = w.pick(step.who).map(|i| w.here.swap_remove(i));
    let (pool, n) = (w.pool.clone(), step.size());
    let thread = std::thread::spawn(move || {
        let made = pool.get(n);
        drop(taken);
        drop(pool.get(n));
        made
    });
    let made = thread.join().expect("no panic");
    w.got(made, n);
}

fn trim(w: &mut World<'_>, _: Step) {
    w.pool.trim();
}

fn trim_there(w: &mut World<'_>, step: Step) {
    let pool = w.pool.clone();
    w.crew.0[usize::from(step.other) % 2].post(move |_| pool.trim());
}

fn maintain(w: &mut World<'_>, _: Step) {
    w.pool.maintain();
}

fn settle(w: &mut World<'_>, _: Step) {
    w.settle();
}
