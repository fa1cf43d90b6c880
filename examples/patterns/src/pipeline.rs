//! Three stages that each change every byte: a new array per stage, or one buffer that is changed
//! in place.
//!
//! Over 10 MiB the copying mode holds input and three arrays (40 MiB) and copies 30 MiB; the other
//! holds input and output (20 MiB) and copies nothing, since the first stage reads the input and
//! writes what it makes of it.

use aqueduct::{Slice, SliceMut};

use crate::copied;

fn stage1(byte: u8) -> u8 {
    byte ^ 0x5a
}

fn stage2(byte: u8) -> u8 {
    byte.wrapping_add(17)
}

fn stage3(byte: u8) -> u8 {
    byte.rotate_left(3)
}

/// The document's first version: each stage copies what it gets into an array of its own, and works
/// on that.
#[must_use]
pub fn copying(input: &[u8]) -> Vec<u8> {
    let mut first = copied(input);
    in_place(&mut first, stage1);
    let mut second = copied(&first);
    in_place(&mut second, stage2);
    let mut third = copied(&second);
    in_place(&mut third, stage3);
    // As there, the arrays of all stages live until the result is returned.
    drop((first, second));
    third
}

/// The document's second version: one buffer for the output, filled by the first stage and changed
/// in place by the others.
#[must_use]
pub fn zero_copy(input: &[u8]) -> Slice {
    let mut output = SliceMut::with_capacity(input.len());
    let spare = &mut output.spare_mut()[..input.len()];
    for (to, from) in spare.iter_mut().zip(input) {
        *to = stage1(*from);
    }
    output.commit(input.len());
    in_place(&mut output, stage2);
    in_place(&mut output, stage3);
    output.freeze()
}

fn in_place(data: &mut [u8], stage: impl Fn(u8) -> u8) {
    for byte in data {
        *byte = stage(*byte);
    }
}

/// An input of so many bytes, the same each time.
#[must_use]
pub fn input(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i.wrapping_mul(31) >> 3) as u8).collect()
}
