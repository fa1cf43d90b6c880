//! Two threads and the batches that go round between them: one gets blocks, the other drops them.
//!
//! The exchange is the same for every crate, and what is counted is what a thread spends on the
//! blocks of a batch. Waiting for the other thread is not in it, so the scheduler is not either.

use std::hint::{black_box, spin_loop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use crossbeam_queue::ArrayQueue;

use crate::blocks::{Block, Source};
use crate::clock::{cpu_of, reading_cost};
use crate::measure::{Subject, Work};

/// Blocks that go over at once.
pub const BATCH: usize = 256;

/// Batches that go round: one is filled while the other is drained.
const BATCHES: usize = 2;

/// A batch, and what the other thread spent on draining it.
struct Parcel<T> {
    blocks: Vec<T>,
    drained_ns: u64,
}

struct Shared<T> {
    filled: ArrayQueue<Parcel<T>>,
    emptied: ArrayQueue<Parcel<T>>,
    closed: AtomicBool,
}

/// The half that gets blocks; the other half is a thread that ends when this is dropped.
struct Exchange<S: Source> {
    source: S,
    shared: Arc<Shared<Block<S>>>,
    dropper: Option<JoinHandle<()>>,
    clock_ns: u64,
}

/// The entrant for crossing threads.
#[must_use]
pub fn crossing<S>(size: usize) -> Subject
where
    S: Source + Send + Sync,
    S::Block: Send,
{
    let mut exchange = Exchange::<S>::new(size);
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a sample are few")]
    let work = Work::Elsewhere(Box::new(move |batches| exchange.run(batches) as f64));
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    Subject::new(S::KEY, work).note(S::NOTE).operations(BATCH as f64)
}

impl<S> Exchange<S>
where
    S: Source + Send + Sync,
    S::Block: Send,
{
    fn new(size: usize) -> Self {
        let shared = Arc::new(Shared {
            filled: ArrayQueue::new(BATCHES),
            emptied: ArrayQueue::new(BATCHES),
            closed: AtomicBool::new(false),
        });
        for _ in 0..BATCHES {
            give(&shared.emptied, Parcel { blocks: Vec::with_capacity(BATCH), drained_ns: 0 });
        }
        let theirs = Arc::clone(&shared);
        let dropper = thread::spawn(move || {
            S::new(size).prepare_dropper();
            while let Some(mut parcel) = take(&theirs.filled, &theirs.closed) {
                parcel.drained_ns = cpu_of(|| black_box(&mut parcel.blocks).clear());
                give(&theirs.emptied, parcel);
            }
        });
        Self { source: S::new(size), shared, dropper: Some(dropper), clock_ns: reading_cost() }
    }

    /// Sends this many batches and gives the CPU nanoseconds that both threads spent on them.
    fn run(&mut self, batches: u64) -> u64 {
        let mut spent = 0;
        for _ in 0..batches {
            let mut parcel = self.empty_one();
            spent += parcel.drained_ns;
            spent += cpu_of(|| {
                for _ in 0..BATCH {
                    parcel.blocks.push(self.source.get());
                }
                black_box(&mut parcel.blocks);
            });
            give(&self.shared.filled, parcel);
        }
        // The last ones are still being drained: their cost belongs to this run.
        let mut home = Vec::with_capacity(BATCHES);
        for _ in 0..BATCHES {
            let mut parcel = self.empty_one();
            spent += parcel.drained_ns;
            parcel.drained_ns = 0;
            home.push(parcel);
        }
        for parcel in home {
            give(&self.shared.emptied, parcel);
        }
        spent.saturating_sub(2 * batches * self.clock_ns)
    }

    fn empty_one(&self) -> Parcel<S::Block> {
        take(&self.shared.emptied, &self.shared.closed)
            .expect("only this half closes, when it is dropped")
    }
}

impl<S: Source> Drop for Exchange<S> {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        if let Some(dropper) = self.dropper.take() {
            // A panic over there was printed over there.
            let _ = dropper.join();
        }
    }
}

fn give<T>(queue: &ArrayQueue<T>, parcel: T) {
    assert!(queue.push(parcel).is_ok(), "a queue has room for every batch there is");
}

/// Waits for a parcel; nothing once the exchange is closed and the queue empty.
fn take<T>(queue: &ArrayQueue<T>, closed: &AtomicBool) -> Option<T> {
    let mut tries = 0_u32;
    loop {
        if let Some(parcel) = queue.pop() {
            return Some(parcel);
        }
        if closed.load(Ordering::Acquire) {
            return queue.pop();
        }
        tries += 1;
        if tries.is_multiple_of(128) {
            thread::yield_now();
        } else {
            spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocks::VecBlocks;

    #[test]
    fn batches_go_round_and_are_paid_for() {
        let mut exchange = Exchange::<VecBlocks>::new(64);
        assert!(exchange.run(50) > 0);
        assert!(exchange.run(1) > 0);
        assert_eq!(exchange.shared.emptied.len(), BATCHES);
        assert!(exchange.shared.filled.is_empty());
    }
}
