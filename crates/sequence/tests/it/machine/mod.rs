//! An interpreter of scripts: each step does one operation on real sequences and on plain vectors,
//! and after each step every sequence must show what its vector shows.
//!
//! The state machine, the fuzz target and the replay of its corpus run this same code.

pub mod layouts;
mod list_ops;
mod reader_ops;
mod sequence_ops;

use aqueduct_sequence::{SegmentList, Sequence};
use aqueduct_slice::Slice;
use aqueduct_testkit::{Step, pattern, traced};

/// An operation, with the name that a failure prints.
pub type Op = (&'static str, fn(&mut World, Step));

/// More sequences than this, and the oldest dies.
const MOST: usize = 8;

/// More bytes than this in the list, and it is emptied.
const MOST_LISTED: usize = 100_000;

/// The most steps that a script of the fuzzer may have.
pub const MOST_STEPS: usize = 200;

/// Everything, real and modelled.
#[derive(Debug, Default)]
pub struct World {
    sequences: Vec<(Sequence, Vec<u8>)>,
    list: SegmentList,
    listed: Vec<u8>,
    seed: usize,
}

/// Runs the script in `bytes`; returns a digest of everything it read.
pub fn run_bytes(bytes: &[u8]) -> u64 {
    run(&aqueduct_testkit::steps(bytes, MOST_STEPS))
}

/// Runs a script; returns a digest of everything it read.
pub fn run(script: &[Step]) -> u64 {
    let tables = [sequence_ops::OPS, list_ops::OPS, reader_ops::OPS];
    let ops: Vec<Op> = tables.concat();
    traced(|trace| {
        let mut world = World::default();
        let mut digest = 0;
        for step in script {
            let (name, op) = ops[usize::from(step.op) % ops.len()];
            *trace += &format!("\n  {name} of {} and {}", step.who, step.other);
            *trace += &format!(", size {}, place {}", step.size(), step.y);
            op(&mut world, *step);
            digest = world.check(digest);
        }
        world.leave_one();
        digest
    })
}

impl World {
    /// `n` bytes that nobody else has; a few values only, so that searching finds something.
    fn bytes(&mut self, n: usize) -> Vec<u8> {
        self.seed += 1;
        pattern(n, self.seed).iter().map(|byte| byte % 11).collect()
    }

    fn keep(&mut self, sequence: Sequence, model: Vec<u8>) {
        if self.sequences.len() == MOST {
            drop(self.sequences.remove(0));
        }
        self.sequences.push((sequence, model));
    }

    /// The sequence that a step means, by position.
    fn pick(&self, which: u8) -> Option<usize> {
        usize::from(which).checked_rem(self.sequences.len())
    }

    /// A sequence that is left alone and pushed to holds what it shows, whatever was before.
    fn leave_one(mut self) {
        let Some((mut last, _)) = self.sequences.pop() else { return };
        (self.sequences, self.list) = Default::default();
        last.push(layouts::alone(&[0; 100]));
        let pinned = last.pinned_bytes();
        // Fewer bytes of the first segment would be moved out of it here.
        if last.as_ref().first().len() > Slice::INLINE {
            let shown: usize = last.into_iter().map(|slice| slice.pinned_bytes()).sum();
            assert_eq!(pinned, shown);
        }
    }

    /// Compares everything with its model.
    fn check(&mut self, mut digest: u64) -> u64 {
        for (sequence, model) in &self.sequences {
            let seq = sequence.as_ref();
            assert_eq!((sequence.len(), seq.len()), (model.len(), model.len()));
            assert!(seq == *model, "a sequence shows other bytes");
            assert_eq!(seq.segments().count(), seq.segment_count());
            assert!(seq.segments().all(|piece| !piece.is_empty()), "an empty piece");
            digest = seq.segments().fold(digest, mix);
        }
        assert_eq!(
            (self.list.len(), self.list.is_empty()),
            (self.listed.len(), self.listed.is_empty())
        );
        assert!(self.list.as_ref() == self.listed, "the list shows other bytes");
        if self.listed.len() > MOST_LISTED {
            self.list.clear();
            self.listed.clear();
        }
        self.list.as_ref().segments().fold(digest, mix)
    }
}

fn mix(digest: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(digest, |d, b| d.rotate_left(5).wrapping_add(u64::from(*b)))
}
