//! The lists that all threads share: one bounded queue of chains for each class.

use crate::{
    class::{Class, MAX},
    remote::Chain,
};

#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
type Queue = crossbeam_queue::ArrayQueue<Chain>;
#[cfg(any(aqueduct_loom, aqueduct_shuttle))]
type Queue = model::Queue;

/// Chains that one queue holds at the most. A chain of full batches is 128 KiB, so that this many
/// are the 64 MiB that a pool keeps unless told otherwise.
const CHAINS: usize = 512;

/// Free blocks that belong to no thread. Each queue is made when it is first needed.
pub(crate) struct Shared {
    queues: [std::sync::OnceLock<Queue>; MAX],
}

impl Shared {
    pub(crate) const fn new() -> Self {
        Self { queues: [const { std::sync::OnceLock::new() }; MAX] }
    }

    /// Leaves a chain of blocks of one class, unless the queue is full.
    pub(crate) fn push(&self, class: Class, chain: Chain) -> Result<(), Chain> {
        self.queues[class.index()].get_or_init(|| Queue::new(CHAINS)).push(chain)
    }

    pub(crate) fn pop(&self, class: Class) -> Option<Chain> {
        self.queues[class.index()].get()?.pop()
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
