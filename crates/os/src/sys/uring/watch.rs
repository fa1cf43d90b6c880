//! What somebody needs who watches a ring for others.

use super::Core;
use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    task::Waker,
};

impl Core {
    /// Another descriptor of the ring, to be watched: readable when there are completions.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.ring.as_fd().try_clone_to_owned()
    }

    /// Those who wait for an operation.
    pub(crate) fn wakers(&mut self) -> Vec<Waker> {
        let keys: Vec<_> = self.slab.keys().collect();
        keys.into_iter().filter_map(|key| self.slab.get(key)?.waker.take()).collect()
    }
}
