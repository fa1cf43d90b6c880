//! [`KernelPipe`]: what a splice between two sockets goes through. Empty ones wait on their thread.

use crate::sys::calls;
use std::{
    cell::RefCell,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

/// Bytes that a pipe is to hold: four of the kernel's own default, so that a pair of splices moves more
/// than it costs. A user may have 64 MiB of it in all; where that is used up, pipes stay smaller.
pub(crate) const CAPACITY: usize = 256 * 1024;
/// Empty pipes that a thread keeps: as many as it turns over between two waits, not one per connection.
const KEPT: usize = 8;

thread_local! {
    /// 1. Every pipe here is empty.
    static EMPTY: RefCell<Vec<KernelPipe>> = const { RefCell::new(Vec::new()) };
}

/// A pipe of the kernel's, whose both ends are ours.
#[derive(Debug)]
pub(crate) struct KernelPipe {
    exit: OwnedFd,
    entry: OwnedFd,
}

impl KernelPipe {
    /// An empty pipe.
    pub(crate) fn get() -> io::Result<Self> {
        let kept = EMPTY.try_with(|kept| kept.borrow_mut().pop()).ok().flatten();
        kept.map_or_else(|| calls::pipe(CAPACITY).map(|(exit, entry)| Self { exit, entry }), Ok)
    }

    /// Keeps a pipe that is empty (1).
    pub(crate) fn give_back(self) {
        // On a thread that ends it is closed.
        let _ = EMPTY.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(self);
            }
        });
    }

    /// The end that is written to.
    pub(crate) fn entry(&self) -> BorrowedFd<'_> {
        self.entry.as_fd()
    }

    /// The end that is read from.
    pub(crate) fn exit(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }
}
