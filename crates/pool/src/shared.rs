//! The lists that all threads share: one bounded queue of chains for each class.

use crate::{
    chain::Chain,
    class::{Class, MAX},
    core::Core,
};

#[cfg(not(any(aqueduct_loom, aqueduct_shuttle)))]
type Queue = crossbeam_queue::ArrayQueue<Chain>;
#[cfg(any(aqueduct_loom, aqueduct_shuttle))]
type Queue = model::Queue;

/// Chains that one queue holds at the most, where threads keep lists of their own: of full batches of
/// 128 KiB these are the 64 MiB that a pool keeps unless told otherwise.
const CHAINS: usize = 512;

/// Where threads keep none every chain is one block, and there is room for all that may be kept, up to
/// a queue of 1 MiB.
const SINGLES: usize = 65_536;

/// Free blocks that belong to no thread. Each queue is made when it is first needed.
pub(crate) struct Shared {
    queues: [std::sync::OnceLock<Queue>; MAX],
}

impl Shared {
    pub(crate) const fn new() -> Self {
        Self { queues: [const { std::sync::OnceLock::new() }; MAX] }
    }

    /// Leaves a chain of blocks of one class, unless the queue is full.
    pub(crate) fn push(&self, core: &Core, class: Class, chain: Chain) -> Result<(), Chain> {
        let queue = self.queues[class.index()].get_or_init(|| {
            let most = if core.batch_bytes() > 0 { CHAINS } else { SINGLES };
            Queue::new((core.config().keep_in_all / core.classes().capacity(class)).clamp(1, most))
        });
        queue.push(chain)
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
