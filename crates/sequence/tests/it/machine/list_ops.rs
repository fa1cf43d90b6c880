//! Operations on the list, and moves between it and sequences.

use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::Step;

use super::{Op, World};

/// All of them.
pub const OPS: &[Op] = &[
    ("list_push_sequence", push_sequence),
    ("list_push", push),
    ("list_push_neighbours", push_neighbours),
    ("list_extend_last", extend_last),
    ("list_consume", consume),
    ("list_take", take),
    ("list_up_to", up_to),
    ("list_release_used", release_used),
    ("list_clear", clear),
];

fn push_sequence(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = w.sequences[i].clone();
    w.list.extend(sequence);
    w.listed.extend(model);
}

fn push(w: &mut World, step: Step) {
    let bytes = w.bytes(step.size());
    w.list.push_back(Slice::copy_from_slice(&bytes));
    w.listed.extend(bytes);
}

/// Parts of one block, as a writer hands them over.
fn push_neighbours(w: &mut World, step: Step) {
    let bytes = w.bytes(step.size());
    let mut block = SliceMut::with_capacity(bytes.len());
    for part in bytes.chunks(usize::from(step.other) + 1) {
        block.extend_from_slice(part);
        w.list.push_back(block.split_frozen(part.len()));
    }
    w.listed.extend(bytes);
}

/// What follows the last segment in its block, as if it had just been written there.
fn extend_last(w: &mut World, step: Step) {
    let bytes = w.bytes(step.size() + 24);
    let whole = Slice::from(bytes.clone());
    let at = step.place(bytes.len() - 24);
    w.list.push_back(whole.slice_shared(..at));
    w.list.consume(step.place(at).min(w.list.len()));
    let mut grown = 0;
    if at > 0 {
        let more = whole.slice_shared(at..);
        grown = w.list.extend_last(|slice| {
            let last = std::mem::take(slice);
            *slice = last.try_unsplit(more).unwrap_or_else(|apart| apart.first);
            bytes.len() - at
        });
    }
    w.listed.extend(&bytes[..at + grown]);
    w.listed.drain(..step.place(at).min(w.listed.len() - grown));
}

fn consume(w: &mut World, step: Step) {
    let count = step.place(w.listed.len());
    w.list.consume(count);
    w.listed.drain(..count);
}

fn take(w: &mut World, step: Step) {
    let count = step.place(w.listed.len());
    let taken = w.list.take(count);
    let model: Vec<u8> = w.listed.drain(..count).collect();
    w.keep(taken, model);
}

fn up_to(w: &mut World, step: Step) {
    let most = usize::from(step.x);
    assert!(w.list.as_ref_up_to(most) == w.listed[..w.listed.len().min(most)]);
}

fn release_used(w: &mut World, _: Step) {
    w.list.release_used();
    assert_eq!(w.list.last().is_none(), w.listed.is_empty());
}

fn clear(w: &mut World, step: Step) {
    if step.other.is_multiple_of(4) {
        w.list.clear();
        w.listed.clear();
    }
}
