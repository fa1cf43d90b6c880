//! Operations that make, cut and join sequences, and that search and compare them.

use std::hash::{DefaultHasher, Hash, Hasher};

use aqueduct_sequence::Sequence;
use aqueduct_slice::Slice;
use aqueduct_testkit::Step;

use super::layouts::layouts;
use super::{Op, World};

/// All of them.
pub const OPS: &[Op] = &[
    ("make", make),
    ("from_slice", from_slice),
    ("clone", clone),
    ("slice", slice),
    ("split_to", split_to),
    ("split_off", split_off),
    ("truncate", truncate),
    ("advance", advance),
    ("push", push),
    ("append", append),
    ("to_sequence", to_sequence),
    ("into_slice", into_slice),
    ("take_apart", take_apart),
    ("search", search),
    ("compare", compare),
    ("drop", drop_one),
];

fn make(w: &mut World, step: Step) {
    let bytes = w.bytes(step.size().min(1000));
    let mut layouts = layouts(&bytes);
    let layout = layouts.swap_remove(usize::from(step.other) % layouts.len());
    w.keep(layout.to_sequence(), bytes);
}

fn from_slice(w: &mut World, step: Step) {
    let bytes = w.bytes(step.size());
    w.keep(Sequence::from(Slice::copy_from_slice(&bytes)), bytes);
}

fn clone(w: &mut World, step: Step) {
    if let Some(i) = w.pick(step.who) {
        let (sequence, model) = w.sequences[i].clone();
        w.keep(sequence, model);
    }
}

fn slice(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = &w.sequences[i];
    let (from, to) = (usize::from(step.x) % 120, usize::from(step.y) % 150);
    match (sequence.try_slice(from..to), model.get(from..to)) {
        (Ok(part), Some(bytes)) => {
            let bytes = bytes.to_vec();
            assert_eq!(sequence.as_ref().slice(from..to), bytes);
            w.keep(part, bytes);
        }
        (Err(_), None) => assert!(sequence.as_ref().try_slice(from..to).is_err()),
        (got, want) => panic!("{from}..{to} of {}: {got:?}, not {want:?}", model.len()),
    }
}

fn split_to(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = &mut w.sequences[i];
    let at = step.place(model.len());
    let (front, back) = (sequence.split_to(at), model.split_off(at));
    let front_model = std::mem::replace(model, back);
    w.keep(front, front_model);
}

fn split_off(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = &mut w.sequences[i];
    let at = step.place(model.len());
    let (back, back_model) = (sequence.split_off(at), model.split_off(at));
    w.keep(back, back_model);
}

fn truncate(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = &mut w.sequences[i];
    sequence.truncate(usize::from(step.x));
    model.truncate(usize::from(step.x));
}

fn advance(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = &mut w.sequences[i];
    let count = step.place(model.len());
    sequence.advance(count);
    model.drain(..count);
}

fn push(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let bytes = w.bytes(step.size().min(100));
    let (sequence, model) = &mut w.sequences[i];
    sequence.push(Slice::copy_from_slice(&bytes));
    model.extend(bytes);
}

/// Also to itself.
fn append(w: &mut World, step: Step) {
    let (Some(i), Some(j)) = (w.pick(step.who), w.pick(step.other)) else { return };
    let (other, bytes) = w.sequences[j].clone();
    let (sequence, model) = &mut w.sequences[i];
    if model.len() + bytes.len() < 20_000 {
        sequence.append(other);
        model.extend(bytes);
    }
}

fn to_sequence(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = &w.sequences[i];
    let from = step.place(model.len());
    let made = sequence.as_ref().slice(from..).to_sequence();
    let bytes = model[from..].to_vec();
    w.keep(made, bytes);
}

fn into_slice(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = w.sequences.remove(i);
    let slice = sequence.into_slice();
    assert_eq!(slice, model);
    w.keep(Sequence::from(slice), model);
}

fn take_apart(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = w.sequences.remove(i);
    let slices: Vec<Slice> = sequence.into_iter().collect();
    assert!(slices.iter().all(|slice| !slice.is_empty()));
    w.keep(Sequence::from_iter(slices), model);
}

fn search(w: &mut World, step: Step) {
    let Some(i) = w.pick(step.who) else { return };
    let (sequence, model) = &w.sequences[i];
    let seq = sequence.as_ref();
    let byte = step.other % 16;
    assert_eq!(seq.find(byte), model.iter().position(|b| *b == byte));
    assert_eq!(seq.rfind(byte), model.iter().rposition(|b| *b == byte));
    let from = step.place(model.len());
    let pattern = &model[from..model.len().min(from + usize::from(step.x) % 9)];
    let want = match pattern.len() {
        0 => Some(0),
        len => model.windows(len).position(|window| window == pattern),
    };
    assert_eq!(seq.find_slice(pattern), want);
    assert_eq!(seq.find_any(pattern), model.iter().position(|b| pattern.contains(b)));
    assert_eq!(seq.split(byte).count(), model.split(|b| *b == byte).count());
}

fn compare(w: &mut World, step: Step) {
    let (Some(i), Some(j)) = (w.pick(step.who), w.pick(step.other)) else { return };
    let ((a, x), (b, y)) = (&w.sequences[i], &w.sequences[j]);
    assert_eq!((a.cmp(b), a == b), (x.cmp(y), x == y));
    assert_eq!(a.as_ref().starts_with(b), x.starts_with(y));
    assert_eq!(a.as_ref().ends_with(b), x.ends_with(y));
    let (mut got, mut want) = (DefaultHasher::new(), DefaultHasher::new());
    a.hash(&mut got);
    x.hash(&mut want);
    assert_eq!(got.finish(), want.finish());
}

fn drop_one(w: &mut World, step: Step) {
    if let Some(i) = w.pick(step.who) {
        drop(w.sequences.swap_remove(i));
    }
}
