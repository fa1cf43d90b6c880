//! An interpreter of scripts: each step does one operation on real handles and on their models, and
//! after each step every handle must show what its model shows.
//!
//! The state machines, the fuzz target and the replay of its corpus run this same code.

mod mut_ops;
mod slice_ops;

use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::oracle::{Alone, BlockId, Model, alone};
use aqueduct_testkit::{Step, Worker, pattern, traced};

pub use mut_ops::OPS as MUT_OPS;
pub use slice_ops::OPS as SLICE_OPS;

/// An operation, with the name that a failure prints.
pub type Op = (&'static str, fn(&mut World<'_>, Step));

/// What a worker thread holds: slices, each with the bytes that it must show.
pub type Held = Vec<(Slice, Vec<u8>)>;

/// The threads that handles are sent to.
#[derive(Debug, Default)]
pub struct Crew([Worker<Held>; 2]);

/// More handles than this of one kind, and the oldest dies.
const MOST: usize = 10;

/// The most steps that a script of the fuzzer may have.
pub const MOST_STEPS: usize = 200;

/// All handles, real and modelled.
pub struct World<'a> {
    crew: &'a Crew,
    slices: Vec<(Slice, Model)>,
    muts: Vec<(SliceMut, Model)>,
    /// The models of what worker 0 and worker 1 hold, in their order.
    away: [Vec<Model>; 2],
    /// Blocks of which a worker is just dropping a handle.
    dying: [Vec<BlockId>; 2],
    /// Blocks of foreign owners, which nobody may write to.
    foreign: Vec<BlockId>,
    blocks: u32,
    seed: usize,
}

/// Runs the script in `bytes` over all operations; returns a digest of everything it read.
pub fn run_bytes(crew: &Crew, bytes: &[u8]) -> u64 {
    run(crew, &[SLICE_OPS, MUT_OPS], &aqueduct_testkit::steps(bytes, MOST_STEPS))
}

/// Runs a script over these operations; returns a digest of everything it read.
pub fn run(crew: &Crew, tables: &[&[Op]], script: &[Step]) -> u64 {
    let ops: Vec<Op> = tables.iter().flat_map(|t| t.iter().copied()).collect();
    traced(|trace| {
        let mut world = World::new(crew);
        let mut digest = 0;
        for step in script {
            let (name, op) = ops[usize::from(step.op) % ops.len()];
            *trace += &format!("\n  {name} of {} and {}", step.who, step.other);
            *trace += &format!(", size {}, place {}", step.size(), step.y);
            op(&mut world, *step);
            digest = world.check(digest);
        }
        world.end();
        digest
    })
}

impl<'a> World<'a> {
    fn new(crew: &'a Crew) -> World<'a> {
        // A script that failed may have left handles with the workers.
        crew.0.iter().for_each(|w| w.call(Vec::clear));
        World {
            crew,
            slices: Vec::new(),
            muts: Vec::new(),
            away: Default::default(),
            dying: Default::default(),
            foreign: Vec::new(),
            blocks: 0,
            seed: 0,
        }
    }

    /// A block that no handle had before.
    fn fresh(&mut self) -> BlockId {
        self.blocks += 1;
        BlockId(self.blocks)
    }

    /// `n` bytes that nobody else has.
    fn bytes(&mut self, n: usize) -> Vec<u8> {
        self.seed += 1;
        pattern(n, self.seed)
    }

    /// A handle that came to be without a block, or with one of its own.
    fn born(&mut self, slice: Slice, bytes: Vec<u8>) {
        let block = self.fresh();
        self.keep(slice, Model::in_block(bytes, block));
    }

    fn keep(&mut self, slice: Slice, model: Model) {
        if self.slices.len() == MOST {
            drop(self.slices.remove(0));
        }
        self.slices.push((slice, model));
    }

    fn keep_mut(&mut self, slice: SliceMut, model: Model) {
        if self.muts.len() == MOST {
            drop(self.muts.remove(0));
        }
        self.muts.push((slice, model));
    }

    /// The slice that a step means, by position.
    fn pick(&self, which: u8) -> Option<usize> {
        usize::from(which).checked_rem(self.slices.len())
    }

    fn pick_mut(&self, which: u8) -> Option<usize> {
        usize::from(which).checked_rem(self.muts.len())
    }

    /// Whether `me` must be the only handle of its block; `None` where it has none that is known.
    fn alone(&self, me: &Model) -> Option<Alone> {
        if me.is_empty() {
            return None;
        }
        let here = self.slices.iter().map(|(_, m)| m).chain(self.muts.iter().map(|(_, m)| m));
        let all = here.chain(self.away.iter().flatten());
        let others = all.filter(|m| !std::ptr::eq(*m, me));
        Some(alone(me.block?, others, &self.dying.concat()))
    }

    /// Compares every handle with its model.
    fn check(&mut self, mut digest: u64) -> u64 {
        for (slice, model) in &mut self.slices {
            if slice.is_inline() {
                assert!(slice.len() <= 23, "{} bytes inline", slice.len());
                model.block = None;
            }
        }
        for (slice, model) in &self.slices {
            assert_eq!(slice.as_slice(), model.bytes, "a slice shows other bytes");
            assert_eq!((slice.len(), slice.is_empty()), (model.len(), model.is_empty()));
            digest = mix(digest, slice);
            if model.is_empty() || model.block.is_none() {
                continue;
            }
            assert!(slice.pinned_bytes() >= slice.len(), "less is pinned than is shown");
            match self.alone(model) {
                Some(Alone::Yes) => assert!(slice.is_unique(), "alone and not unique"),
                Some(Alone::No) => assert!(!slice.is_unique(), "shared and unique"),
                _ => {}
            }
        }
        for (slice, model) in &mut self.muts {
            assert_eq!(slice[..], model.bytes, "a mutable slice shows other bytes");
            assert!(slice.capacity() >= slice.len());
            assert_eq!(slice.spare_mut().len(), slice.capacity() - slice.len());
            digest = mix(digest, slice);
        }
        digest
    }

    /// Drops everything; the workers check what they hold before they drop it.
    fn end(mut self) {
        self.slices.clear();
        self.muts.clear();
        for worker in &self.crew.0 {
            worker.call(|held| {
                held.drain(..).for_each(|(slice, bytes)| assert_eq!(slice.as_slice(), bytes));
            });
        }
    }
}

fn mix(digest: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(digest, |d, b| d.rotate_left(5).wrapping_add(u64::from(*b)))
}
