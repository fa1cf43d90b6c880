//! An interpreter of scripts over a pool: blocks are got, filled, frozen, cut, sent to other
//! threads and freed there, and after each step every handle must show what its model shows.
//!
//! The state machine, the fuzz target and the replay of its corpus run this same code.

mod ops;

use std::collections::BTreeSet;

use aqueduct_pool::Pool;
use aqueduct_slice::{Slice, SliceMut};
use aqueduct_testkit::oracle::{BlockId, Model};
use aqueduct_testkit::{Step, Worker, pattern, steps, traced};

pub use ops::OPS;

/// A handle of either form.
#[derive(Debug)]
pub enum Handle {
    /// Frozen.
    Slice(Slice),
    /// Still written to.
    Mut(SliceMut),
}

impl Handle {
    fn bytes(&self) -> &[u8] {
        match self {
            Handle::Slice(slice) => slice,
            Handle::Mut(slice) => slice,
        }
    }

    /// Whether it surely holds a count of its block.
    fn holds(&self) -> bool {
        match self {
            Handle::Slice(slice) => !slice.is_inline() && !slice.is_empty(),
            Handle::Mut(slice) => slice.capacity() > 0,
        }
    }

    fn inline(&self) -> bool {
        matches!(self, Handle::Slice(slice) if slice.is_inline())
    }
}

/// What a worker thread holds: handles, each with the bytes that it must show.
pub type Held = Vec<(Handle, Vec<u8>)>;

/// The threads that handles are sent to.
#[derive(Debug, Default)]
pub struct Crew([Worker<Held>; 2]);

/// More handles than this, and the oldest dies.
const MOST: usize = 16;

/// The largest block of every pool here.
const LARGEST: usize = 64 << 10;

/// The limit of the pool that has one.
const LIMIT: usize = 256 << 10;

/// The most steps that a script of the fuzzer may have.
pub const MOST_STEPS: usize = 200;

/// All handles of a pool, real and modelled.
pub struct World<'a> {
    crew: &'a Crew,
    pool: Pool,
    limited: bool,
    scrubbed: bool,
    aligned: bool,
    here: Vec<(Handle, Model)>,
    /// The models of what worker 0 and worker 1 hold, in their order, and whether it is sure that
    /// the handle holds a count.
    away: [Vec<(Model, bool)>; 2],
    /// Blocks that may be the heap's: got past the largest class or a limit.
    perhaps_heap: BTreeSet<BlockId>,
    blocks: u32,
    seed: usize,
}

/// Runs a script: its first byte says which pool, the rest are steps. Returns a digest of
/// everything it read.
pub fn run_bytes(crew: &Crew, bytes: &[u8]) -> u64 {
    let Some((kind, script)) = bytes.split_first() else { return 0 };
    run(crew, *kind, &steps(script, MOST_STEPS))
}

/// Runs a script over a pool of this kind; returns a digest of everything it read.
pub fn run(crew: &Crew, kind: u8, script: &[Step]) -> u64 {
    traced(|trace| {
        *trace = format!("\n  a pool of kind {}", kind % 5);
        let mut world = World::new(crew, kind);
        let mut digest = 0;
        for step in script {
            let (name, op) = OPS[usize::from(step.op) % OPS.len()];
            *trace += &format!("\n  {name} of {} and {}", step.who, step.other);
            *trace += &format!(", size {}, place {}", step.size(), step.y);
            op(&mut world, *step);
            digest = world.check(digest);
        }
        world.end(kind >= 128);
        digest
    })
}

fn build(kind: u8) -> Pool {
    let builder = Pool::builder().smallest_block(256).largest_block(LARGEST);
    let builder = match kind % 5 {
        0 => builder,
        1 => builder.hard_limit(LIMIT),
        2 => builder.scrub(true),
        3 => builder.alignment(4_096),
        _ => builder.keep_per_thread(4 << 10).keep_in_all(8 << 10),
    };
    builder.build().expect("a sensible pool")
}

impl<'a> World<'a> {
    fn new(crew: &'a Crew, kind: u8) -> World<'a> {
        // A script that failed may have left handles with the workers.
        crew.0.iter().for_each(|w| w.call(Vec::clear));
        World {
            crew,
            pool: build(kind),
            limited: kind % 5 == 1,
            scrubbed: kind % 5 == 2,
            aligned: kind % 5 == 3,
            here: Vec::new(),
            away: Default::default(),
            perhaps_heap: BTreeSet::new(),
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

    /// A handle that was just got, for `n` bytes.
    fn got(&mut self, mut made: SliceMut, n: usize) {
        assert!(made.is_empty() && made.capacity() >= n, "{} for {n}", made.capacity());
        assert!(!self.aligned || n > LARGEST || made.as_ptr().addr().is_multiple_of(4_096));
        assert!(!self.scrubbed || made.spare_mut().iter().all(|b| *b == 0), "not scrubbed");
        let block = self.fresh();
        if n > LARGEST || self.limited {
            self.perhaps_heap.insert(block);
        }
        self.keep(Handle::Mut(made), Model::in_block(Vec::new(), block));
    }

    fn keep(&mut self, handle: Handle, mut model: Model) {
        if self.here.len() == MOST {
            drop(self.here.remove(0));
        }
        if handle.inline() {
            model.block = None;
        }
        self.here.push((handle, model));
    }

    /// The handle that a step means, by position.
    fn pick(&self, which: u8) -> Option<usize> {
        usize::from(which).checked_rem(self.here.len())
    }

    /// Compares every handle with its model.
    fn check(&self, mut digest: u64) -> u64 {
        for (handle, model) in &self.here {
            assert_eq!(handle.bytes(), model.bytes, "a handle shows other bytes");
            digest = mix(digest, handle.bytes());
        }
        digest
    }

    /// Waits until the workers have done what they were told, then compares the statistics with
    /// what is known to be alive.
    fn settle(&self) {
        self.crew.0.iter().for_each(|w| w.call(|_| ()));
        let here = self.here.iter().map(|(h, m)| (m.block, h.holds()));
        let away = self.away.iter().flatten().map(|(m, sure)| (m.block, *sure));
        let all: Vec<_> = here.chain(away).filter_map(|(b, sure)| Some((b?, sure))).collect();
        let may: BTreeSet<_> = all.iter().map(|(b, _)| *b).collect();
        let must = all.iter().filter(|(b, sure)| *sure && !self.perhaps_heap.contains(b));
        let must: BTreeSet<_> = must.map(|(b, _)| *b).collect();
        let out = usize::try_from(self.pool.outstanding()).expect("few");
        assert!((must.len()..=may.len()).contains(&out), "{out} out, {must:?} to {may:?} live");

        let stats = self.pool.stats();
        assert_eq!(stats.outstanding, self.pool.outstanding());
        assert!(stats.retained_bytes <= stats.held_bytes, "{stats:?}");
        assert!(stats.held_bytes <= stats.peak_held_bytes, "{stats:?}");
        assert!(stats.hits + stats.misses <= stats.gets + stats.heap_fallbacks, "{stats:?}");
        assert!(!self.limited || stats.held_bytes <= LIMIT as u64, "over the limit: {stats:?}");
    }

    /// Drops everything; the workers check what they hold before they drop it.
    fn end(mut self, pool_first: bool) {
        let pool = if pool_first {
            // Its blocks outlive the pool's last handle, so there is nobody to ask afterwards.
            self.pool = Pool::global().clone();
            None
        } else {
            Some(self.pool.clone())
        };
        self.here.clear();
        for worker in &self.crew.0 {
            worker.call(|held| {
                held.drain(..).for_each(|(handle, bytes)| assert_eq!(handle.bytes(), bytes));
            });
        }
        let out = pool.map_or(0, |pool| pool.outstanding());
        assert_eq!(out, 0, "blocks are out when no handle is left");
    }
}

fn mix(digest: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(digest, |d, b| d.rotate_left(5).wrapping_add(u64::from(*b)))
}
