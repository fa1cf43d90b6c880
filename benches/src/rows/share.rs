//! Sharing against copying, by size: from where on a handle costs less than the bytes.

use std::hint::black_box;

use aqueduct::{LocalSlice, Pool, Slice};

use crate::measure::{NS, OURS, Row, Subject, Work};
use crate::target::Target;

const SIZES: [usize; 6] = [64, 256, 1024, 2048, 4096, 16384];

/// More than the caches have.
const COLD: usize = 64 << 20;

pub(super) fn rows() -> Vec<Row> {
    let row = |len| Row {
        id: format!("share.{len}"),
        target: Target(&[]),
        floor: "",
        unit: NS,
        build: Box::new(move || subjects(len)),
    };
    SIZES.into_iter().map(row).collect()
}

/// A block of the pool with a copy of the bytes: what is made where nothing is shared.
fn copied(bytes: &[u8]) -> Slice {
    let mut block = Pool::global().get(bytes.len());
    block.extend_from_slice(bytes);
    block.freeze()
}

fn local(len: usize) -> LocalSlice {
    let unshared = copied(&vec![7; len]).into_local();
    unshared.unwrap_or_else(|_| unreachable!("nobody else has the new block"))
}

fn subjects(len: usize) -> Vec<Subject> {
    let (shared, alone, hot) = (copied(&vec![7; len]), local(len), vec![7; len]);
    let (cold, mut at) = (vec![7_u8; COLD], 0);
    let from_memory = Work::make(move || {
        // An odd multiple of the length, so that the pieces come in another order than they lie in.
        at = (at + 40_503 * len) % COLD;
        copied(&black_box(&cold)[at..at + len])
    });
    vec![
        Subject::new(OURS, Work::make(move || black_box(&shared).clone())).note("one more handle"),
        Subject::new("local", Work::make(move || black_box(&alone).clone())).note("on one thread"),
        Subject::new("copied", Work::make(move || copied(black_box(&hot)))).note("from the cache"),
        Subject::new("copied-cold", from_memory).note("from memory"),
    ]
}
