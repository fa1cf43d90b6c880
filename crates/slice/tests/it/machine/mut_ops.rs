//! Operations on `SliceMut`.
//!
//! Every operation that writes scribbles over all of the spare room first, so that two handles whose
//! ranges overlap spoil each other at once.

use std::fmt::Write as _;
use std::io::Write as _;

use aqueduct_slice::SliceMut;
use aqueduct_testkit::Step;
use aqueduct_testkit::oracle::Model;

use super::{Op, World};

/// All of them.
pub const OPS: &[Op] = &[
    ("with_capacity", with_capacity),
    ("with_headroom", with_headroom),
    ("from_iter", from_iter),
    ("extend_from_slice", extend_from_slice),
    ("fill_spare", fill_spare),
    ("write", write),
    ("extend", extend),
    ("read_from", read_from),
    ("resize", resize),
    ("reserve", reserve),
    ("truncate_mut", truncate),
    ("clear_mut", clear),
    ("advance_mut", advance),
    ("prepend", prepend),
    ("overwrite", overwrite),
    ("split_frozen", split_frozen),
    ("split_to_mut", split_to),
    ("split_off_mut", split_off),
    ("try_unsplit_mut", try_unsplit),
    ("unsplit", unsplit),
    ("freeze", freeze),
    ("grow_there", grow_there),
    ("drop_mut", drop_one),
];

fn born(w: &mut World<'_>, slice: SliceMut, bytes: Vec<u8>) {
    let block = w.fresh();
    w.keep_mut(slice, Model::in_block(bytes, block));
}

fn with_capacity(w: &mut World<'_>, step: Step) {
    let n = step.size();
    let made = match step.other % 3 {
        0 => SliceMut::new(),
        1 => SliceMut::with_capacity(n),
        _ => SliceMut::try_with_capacity(n).expect("a small block"),
    };
    assert!(step.other.is_multiple_of(3) || made.capacity() >= n);
    assert!(made.is_empty());
    born(w, made, Vec::new());
}

fn with_headroom(w: &mut World<'_>, step: Step) {
    let (head, n) = (usize::from(step.other), step.size());
    let made = SliceMut::with_headroom(head, n);
    assert!(made.headroom() >= head && made.capacity() >= n);
    born(w, made, Vec::new());
}

fn from_iter(w: &mut World<'_>, step: Step) {
    let bytes = w.bytes(step.size());
    born(w, bytes.iter().copied().collect(), bytes);
}

/// Appends `n` new bytes by `how`, and finds out whether the bytes moved to another block.
fn grow(w: &mut World<'_>, step: Step, how: impl FnOnce(&mut SliceMut, &[u8]) -> usize) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (bytes, block) = (w.bytes(step.size()), w.fresh());
    let (slice, model) = &mut w.muts[i];
    slice.spare_mut().fill(0xdb);
    let before = slice.as_ptr();
    let n = how(slice, &bytes);
    model.bytes.extend_from_slice(&bytes[..n]);
    if slice.as_ptr() != before {
        (model.block, model.start) = (Some(block), 0);
    }
}

fn extend_from_slice(w: &mut World<'_>, step: Step) {
    grow(w, step, |slice, bytes| {
        slice.extend_from_slice(bytes);
        bytes.len()
    });
}

/// Fills what there is room for, as a read from a socket would.
fn fill_spare(w: &mut World<'_>, step: Step) {
    grow(w, step, |slice, bytes| {
        let spare = slice.spare_mut();
        let n = bytes.len().min(spare.len());
        spare[..n].copy_from_slice(&bytes[..n]);
        slice.commit(n);
        n
    });
}

fn write(w: &mut World<'_>, step: Step) {
    grow(w, step, |slice, bytes| match step.other % 2 {
        0 => slice.write(bytes).expect("memory is the only limit"),
        _ => {
            // Text, so that both forms write the same number of bytes as they were given.
            let text: String = bytes.iter().map(|b| char::from(b & 0x7f)).collect();
            slice.write_str(&text).expect("memory is the only limit");
            let at = slice.len() - bytes.len();
            slice[at..].copy_from_slice(bytes);
            bytes.len()
        }
    });
}

fn extend(w: &mut World<'_>, step: Step) {
    grow(w, step, |slice, bytes| {
        slice.extend(bytes.iter().copied());
        bytes.len()
    });
}

fn read_from(w: &mut World<'_>, step: Step) {
    grow(w, step, |slice, bytes| {
        let (mut reader, most) = (bytes, usize::from(step.y) % 200);
        let n = slice.read_from(&mut reader, most).expect("a slice reads without error");
        assert!(n <= most && n == bytes.len() - reader.len(), "{n} of at most {most}");
        n
    });
}

fn resize(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let block = w.fresh();
    let (slice, model) = &mut w.muts[i];
    slice.spare_mut().fill(0xdb);
    let before = slice.as_ptr();
    slice.resize(step.size(), step.other);
    model.bytes.resize(step.size(), step.other);
    if slice.as_ptr() != before {
        (model.block, model.start) = (Some(block), 0);
    }
}

fn reserve(w: &mut World<'_>, step: Step) {
    let n = step.size();
    grow(w, step, |slice, _| {
        match step.other % 2 {
            0 => slice.reserve(n),
            _ => slice.try_reserve(n).expect("a small block"),
        }
        assert!(slice.capacity() - slice.len() >= n, "reserved less than asked for");
        0
    });
}

fn truncate(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (slice, model) = &mut w.muts[i];
    slice.truncate(step.size());
    model.bytes.truncate(step.size());
}

fn clear(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (slice, model) = &mut w.muts[i];
    slice.clear();
    model.bytes.clear();
}

fn advance(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (slice, model) = &mut w.muts[i];
    let (n, before) = (step.place(model.len()), slice.headroom());
    slice.advance(n);
    assert!(model.advance(n));
    assert_eq!(slice.headroom(), before + n, "the front becomes headroom");
}

fn prepend(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let bytes = w.bytes(usize::from(step.other));
    let (slice, model) = &mut w.muts[i];
    let room = slice.headroom();
    match slice.prepend(&bytes) {
        Ok(()) => {
            assert!(bytes.len() <= room);
            assert_eq!(slice.headroom(), room - bytes.len());
            model.prepend(&bytes);
        }
        Err(_) => assert!(bytes.len() > room, "{} refused in {room}", bytes.len()),
    }
}

fn overwrite(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let bytes = w.bytes(w.muts[i].1.len());
    let (slice, model) = &mut w.muts[i];
    slice.copy_from_slice(&bytes);
    slice.spare_mut().fill(0xdb);
    model.bytes = bytes;
}

fn split_frozen(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (slice, model) = &mut w.muts[i];
    let at = step.place(model.len());
    let (made, part) = (slice.split_frozen(at), model.split_to(at).expect("in range"));
    assert!(at == 0 || slice.headroom() == 0, "headroom over a frozen front");
    w.keep(made, part);
}

fn split_to(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (slice, model) = &mut w.muts[i];
    let at = step.place(model.len());
    let (made, part) = (slice.split_to(at), model.split_to(at).expect("in range"));
    assert!(at == 0 || slice.headroom() == 0, "headroom over another handle's range");
    w.keep_mut(made, part);
}

fn split_off(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (slice, model) = &mut w.muts[i];
    let at = step.place(model.len());
    let (made, part) = (slice.split_off(at), model.split_off(at).expect("in range"));
    assert!(at == 0 || made.headroom() == 0, "headroom over another handle's range");
    assert!(at == 0 || slice.spare_mut().is_empty(), "spare room over another handle's range");
    w.keep_mut(made, part);
}

fn take_two(w: &mut World<'_>, step: Step) -> Option<[(SliceMut, Model); 2]> {
    let (i, j) = (w.pick_mut(step.who)?, w.pick_mut(step.other)?);
    if i == j {
        return None;
    }
    let back = w.muts.remove(j);
    Some([w.muts.remove(if i > j { i - 1 } else { i }), back])
}

fn try_unsplit(w: &mut World<'_>, step: Step) {
    let Some([(mut front, model), (back, back_model)]) = take_two(w, step) else { return };
    let (before, behind) = (front.as_ptr(), back.as_ptr());
    let joined = front.try_unsplit(back);
    let model = match joined {
        Ok(()) => joined_model(w, [before, behind, front.as_ptr()], model, back_model),
        Err(back) => {
            assert!(!model.joins(&back_model), "neighbours did not join");
            w.keep_mut(back, back_model);
            model
        }
    };
    w.keep_mut(front, model);
}

fn unsplit(w: &mut World<'_>, step: Step) {
    let Some([(mut front, model), (back, back_model)]) = take_two(w, step) else { return };
    let (before, behind) = (front.as_ptr(), back.as_ptr());
    let joins = model.joins(&back_model);
    front.unsplit(back);
    assert!(!joins || front.as_ptr() == before, "neighbours were copied");
    let model = joined_model(w, [before, behind, front.as_ptr()], model, back_model);
    w.keep_mut(front, model);
}

/// The model of what was joined, by where the two began and where the result begins: the first
/// stays in its block, or gives way to the second, or both move to a new one.
fn joined_model(w: &mut World<'_>, at: [*const u8; 3], mut first: Model, second: Model) -> Model {
    let [before, behind, after] = at;
    if after != before && after == behind && first.is_empty() {
        return second;
    }
    if after != before {
        (first.block, first.start) = (Some(w.fresh()), 0);
    }
    first.append(&second);
    first
}

fn freeze(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (slice, model) = w.muts.remove(i);
    let at = slice.as_ptr();
    let frozen = slice.freeze();
    if !frozen.is_empty() {
        assert!(!frozen.is_inline(), "freeze inlined");
        assert_eq!(frozen.as_ptr(), at, "freeze moved bytes");
    }
    w.keep(frozen, model);
}

fn grow_there(w: &mut World<'_>, step: Step) {
    let Some(i) = w.pick_mut(step.who) else { return };
    let (mut slice, mut model) = w.muts.remove(i);
    let (bytes, block) = (w.bytes(step.size()), w.fresh());
    let before = slice.as_ptr().addr();
    model.bytes.extend_from_slice(&bytes);
    let there = &w.crew.0[usize::from(step.other) % 2];
    let slice = there.call(move |_| {
        slice.extend_from_slice(&bytes);
        slice
    });
    if slice.as_ptr().addr() != before {
        (model.block, model.start) = (Some(block), 0);
    }
    w.keep_mut(slice, model);
}

fn drop_one(w: &mut World<'_>, step: Step) {
    if let Some(i) = w.pick_mut(step.who) {
        drop(w.muts.swap_remove(i));
    }
}
