//! How getting and dropping blocks scales with threads, and what memory is kept afterwards.

use std::error::Error;
use std::hint::black_box;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aqueduct::Pool;
use crossbeam_queue::ArrayQueue;

use crate::blocks::{AqueductBlocks, Block, BytesBlocks, Source, VecBlocks};
use crate::out::say;
use crate::ports::memory;
use crate::table::Table;

const SIZE: usize = 4096;
const RUN: Duration = Duration::from_millis(500);

/// Blocks handed over at once, and between two looks at the clock.
const BATCH: usize = 64;

/// Batches that wait for one thread at most.
const WAITING: usize = 4;

/// Who drops the blocks that a thread gets.
#[derive(Clone, Copy, Debug)]
enum Pattern {
    /// The thread itself.
    Private,
    /// Its partner, which gets none: threads come in pairs.
    Pairs,
    /// All the others in turn.
    AllToAll,
}

const PATTERNS: [(&str, Pattern); 3] = [
    ("private", Pattern::Private),
    ("producer to consumer", Pattern::Pairs),
    ("all to all", Pattern::AllToAll),
];

/// Measures all patterns with these numbers of threads and prints the table.
///
/// # Errors
///
/// When a number of threads is zero, or a pool cannot be built.
pub fn report(threads: &[usize]) -> Result<(), Box<dyn Error>> {
    if threads.contains(&0) {
        return Err("0 threads do nothing".into());
    }
    let mut table = Table::new(&[
        "4 KiB blocks",
        "threads",
        "of",
        "M blocks/s per thread",
        "RSS grew MiB",
        "kept by the pool MiB",
    ]);
    for (name, pattern) in PATTERNS {
        for &count in threads {
            if matches!(pattern, Pattern::Pairs) && count < 2 {
                continue;
            }
            let pool: &'static Pool = Box::leak(Box::new(Pool::builder().build()?));
            let ours = AqueductBlocks::of(pool, SIZE);
            let mut ours = measure(&ours, pattern, count);
            ours.kept = Some(pool.stats().retained_bytes);
            pool.trim();
            table.line(line(name, count, AqueductBlocks::KEY, &ours));
            let bytes = measure(&BytesBlocks::new(SIZE), pattern, count);
            table.line(line(name, count, BytesBlocks::KEY, &bytes));
            let vec = measure(&VecBlocks::new(SIZE), pattern, count);
            table.line(line(name, count, VecBlocks::KEY, &vec));
        }
    }
    say(table.render(&[2]).trim_end_matches('\n'))?;
    Ok(())
}

struct Outcome {
    blocks: u64,
    took: Duration,
    grew: u64,
    kept: Option<u64>,
}

fn line(pattern: &str, threads: usize, key: &str, outcome: &Outcome) -> Vec<String> {
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    let (blocks, count) = (outcome.blocks as f64, threads as f64);
    let rate = blocks / outcome.took.as_secs_f64() / count / 1e6;
    let kept = outcome.kept.map(|kept| format!("{:.1}", mebibytes(kept)));
    vec![
        pattern.to_owned(),
        threads.to_string(),
        key.to_owned(),
        format!("{rate:.2}"),
        format!("{:.1}", mebibytes(outcome.grew)),
        kept.unwrap_or_default(),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "bytes stay far below 2^53")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What one thread works with.
struct Seat<'a, S: Source> {
    source: &'a S,
    number: usize,
    inboxes: &'a [ArrayQueue<Vec<Block<S>>>],
    stop: &'a AtomicBool,
}

fn measure<S>(source: &S, pattern: Pattern, threads: usize) -> Outcome
where
    S: Source + Sync,
    S::Block: Send,
{
    let before = memory("VmRSS");
    let inboxes: Vec<_> = (0..threads).map(|_| ArrayQueue::new(WAITING)).collect();
    let (stop, start) = (AtomicBool::new(false), Barrier::new(threads + 1));
    let mut blocks = 0;
    let mut took = Duration::ZERO;
    thread::scope(|scope| {
        let seats =
            (0..threads).map(|number| Seat { source, number, inboxes: &inboxes, stop: &stop });
        let workers: Vec<_> = seats
            .map(|seat| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    seat.work(pattern)
                })
            })
            .collect();
        start.wait();
        let begun = Instant::now();
        thread::sleep(RUN);
        stop.store(true, Ordering::Relaxed);
        // A worker that panicked was heard of, and got no blocks that could be counted.
        blocks = workers.into_iter().map(|worker| worker.join().unwrap_or(0)).sum();
        took = begun.elapsed();
    });
    drop(inboxes);
    Outcome { blocks, took, grew: memory("VmRSS").saturating_sub(before), kept: None }
}

impl<S: Source> Seat<'_, S> {
    /// Works until it is told to stop, and gives the number of blocks it got.
    fn work(&self, pattern: Pattern) -> u64 {
        let (mut got, mut turn) = (0, 0);
        while !self.stop.load(Ordering::Relaxed) {
            got += match pattern {
                Pattern::Private => self.keep(),
                Pattern::Pairs if self.number % 2 == 1 => self.drain(),
                // The last of an odd number has no partner.
                Pattern::Pairs if self.number + 1 == self.inboxes.len() => self.keep(),
                Pattern::Pairs => self.send(self.number + 1),
                Pattern::AllToAll => {
                    let threads = self.inboxes.len();
                    turn = if turn + 1 < threads { turn + 1 } else { 1 };
                    let sent = self.send((self.number + turn) % threads);
                    sent + self.drain()
                }
            };
        }
        got
    }

    fn keep(&self) -> u64 {
        for _ in 0..BATCH {
            drop(black_box(self.source.get()));
        }
        BATCH as u64
    }

    /// Gets a batch and hands it to one thread. While that one has too many, drops its own, so that
    /// no two threads wait for each other.
    fn send(&self, to: usize) -> u64 {
        let batch: Vec<_> = (0..BATCH).map(|_| self.source.get()).collect();
        let mut waiting = self.inboxes[to].push(batch);
        while let Err(batch) = waiting {
            if self.stop.load(Ordering::Relaxed) {
                return 0;
            }
            self.drain();
            waiting = self.inboxes[to].push(batch);
        }
        BATCH as u64
    }

    /// Drops what was sent here; that counts for the sender.
    fn drain(&self) -> u64 {
        let mut drained = false;
        while let Some(batch) = self.inboxes[self.number].pop() {
            drop(black_box(batch));
            drained = true;
        }
        if !drained {
            thread::yield_now();
        }
        0
    }
}
