//! The lists that all threads share: one bounded queue of chains for each class.

use crate::{
    builder::Config,
    chain::Chain,
    class::{Class, Classes},
};

#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
type Queue = crossbeam_queue::ArrayQueue<Chain>;
#[cfg(any(aqueduct_loom, aqueduct_shuttle))]
type Queue = model::Queue;

/// Chains that one queue holds at the most, where threads keep lists of their own: of full batches of
/// 128 KiB these are the 64 MiB that a pool keeps unless told otherwise. Sixteen bytes each.
const CHAINS: usize = 512;

/// Where threads keep none every chain is one block.
const SINGLES: usize = 16_384;

/// Free blocks that belong to no thread.
pub(crate) struct Shared {
    /// By class. They are made with the pool, so that no death needs memory.
    queues: Box<[Queue]>,
}

impl Shared {
    pub(crate) fn new(classes: &Classes, config: &Config) -> Self {
        let most = if config.hard_limit.is_some() { SINGLES } else { CHAINS };
        let bytes = config.keep_in_all.min(config.hard_limit.unwrap_or(usize::MAX));
        let queue = |class| Queue::new((bytes / classes.capacity(class)).clamp(1, most));
        Self { queues: classes.all().map(queue).collect() }
    }

    /// Leaves a chain of blocks of one class, unless the queue is full.
    pub(crate) fn push(&self, class: Class, chain: Chain) -> Result<(), Chain> {
        self.queues[class.index()].push(chain)
    }

    pub(crate) fn pop(&self, class: Class) -> Option<Chain> {
        self.queues[class.index()].pop()
    }
}

/// A stand-in that a model checker can see into.
#[cfg(any(aqueduct_loom, aqueduct_shuttle))]
mod model {
    use super::Chain;
    use aqueduct_base::sync::Mutex;

    pub(super) struct Queue(Mutex<Vec<Chain>>);

    impl Queue {
        pub(super) fn new(_: usize) -> Self {
            Self(Mutex::new(Vec::new()))
        }

        #[allow(clippy::unnecessary_wraps, reason = "the real queue can be full")]
        pub(super) fn push(&self, chain: Chain) -> Result<(), Chain> {
            self.0.lock().push(chain);
            Ok(())
        }

        pub(super) fn pop(&self) -> Option<Chain> {
            self.0.lock().pop()
        }
    }
}
