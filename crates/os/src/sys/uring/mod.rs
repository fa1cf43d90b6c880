//! [`Core`]: the ring, and the operations that are on their way through it.
//!
//! Invariants of this file:
//!
//! 1. An entry goes to the kernel only while its operation is in the slab, under the key that the entry
//!    carries; the [`Held`] it was made of (see there) stays in that operation, in place of which nothing
//!    else is put, and is used by nobody until the operation is not `armed` any more.
//! 2. An operation is `armed` from the making of its entry to the completion that says that none will
//!    follow. It leaves the slab only when it is not, or when its entry was taken out of `waiting`, where
//!    the kernel never saw it.
//! 3. The operation holds its file, so its descriptor stays open, and the number means that file, when the
//!    kernel looks it up, however late.
//! 4. `ring` is dropped before what the kernel knows. What is still armed then, after we asked it to stop
//!    and waited, is leaked; no code of others runs before that is done.

mod ending;
mod group;
mod held;
mod slab;
mod table;
#[cfg(feature = "tokio")]
mod watch;

pub(crate) use ending::Done;
pub(crate) use group::Group;
pub(crate) use held::{Gather, Held, Stream, ZeroCopy};
pub(crate) use slab::Key;
use slab::{Operation, Slab};
use table::Table;

use super::{Call, attempt};
use aqueduct_slice::SliceMut;
use io_uring::{IoUring, squeue, types};
use std::{
    collections::VecDeque,
    fmt, io,
    os::fd::{AsFd, AsRawFd, RawFd},
    sync::Arc,
    time::Duration,
};

/// What a completion carries that nobody waits for.
const NOBODY: u64 = u64::MAX;

/// An open file, and its descriptor's number.
pub(crate) struct File {
    number: RawFd,
    /// Lends the descriptor as long as it is there, which we see to: nobody has it mutably meanwhile.
    _owner: Arc<dyn AsFd>,
}

impl File {
    pub(crate) fn new(owner: Arc<dyn AsFd>) -> Self {
        Self { number: owner.as_fd().as_raw_fd(), _owner: owner }
    }
}

/// The error where the kernel lacks something.
pub(crate) fn unsupported(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("no io_uring: {why}"))
}

pub(crate) struct Core {
    ring: IoUring,
    slab: Slab,
    /// Entries for which there was no call to the kernel, or no room, yet.
    waiting: VecDeque<squeue::Entry>,
    groups: Vec<Group>,
    pub(crate) table: Table,
    probe: io_uring::Probe,
}

impl Core {
    pub(crate) fn new(entries: u32) -> io::Result<Self> {
        let mut builder = IoUring::builder();
        // Completions are taken up where this thread enters the kernel anyway, if it is new enough.
        builder.setup_single_issuer().setup_coop_taskrun().setup_taskrun_flag();
        let ring = match builder.build(entries) {
            Err(refused) if refused.raw_os_error() == Some(libc::EINVAL) => IoUring::new(entries)?,
            built => built?,
        };
        let mut probe = io_uring::Probe::new();
        ring.submitter().register_probe(&mut probe).map_err(|refused| {
            match refused.raw_os_error() {
                Some(libc::EINVAL) => unsupported("this kernel cannot say what it knows"),
                _ => refused,
            }
        })?;
        Ok(Self {
            ring,
            slab: Slab::default(),
            waiting: VecDeque::new(),
            groups: Vec::new(),
            table: Table::default(),
            probe,
        })
    }

    /// Whether the kernel knows the operation of this number.
    pub(crate) fn knows(&self, operation: u8) -> bool {
        self.probe.is_supported(operation)
    }

    /// Whether the kernel keeps completions for which there is no room.
    pub(crate) fn keeps_completions(&self) -> bool {
        self.ring.params().is_feature_nodrop()
    }

    /// Starts an operation: the kernel hears of it with the next [`submit`](Self::submit).
    pub(crate) fn start(&mut self, held: Held, file: File) -> Key {
        let key = self.slab.insert(Operation::new(held, file));
        self.arm(key);
        key
    }

    /// Makes an operation's entry, again if it had one.
    fn arm(&mut self, key: Key) {
        let Some(operation) = self.slab.get(key).filter(|operation| !operation.armed) else {
            return;
        };
        let entry = operation.held.entry(types::Fd(operation.file.number));
        self.waiting.push_back(entry.user_data(key.to_bits()));
        operation.armed = true;
    }

    /// Gives to the kernel what waits, and waits for `want` completions, at most so long if that is
    /// given. What it cannot take now, [`is_stuck`](Self::is_stuck) tells.
    pub(crate) fn submit(&mut self, want: usize, most: Option<Duration>) -> io::Result<()> {
        loop {
            let queued = self.queue();
            // It does not sleep while there is something that the kernel has not heard of.
            let want = if self.waiting.is_empty() { want } else { 0 };
            let due = self.must_enter();
            if queued == 0 && want == 0 && !due {
                return Ok(());
            }
            let submitted = attempt(Call::UringSubmit, queued, |_| match most {
                None => self.ring.submit_and_wait(want),
                Some(most) => {
                    let most = types::Timespec::from(most);
                    let options = types::SubmitArgs::new().timespec(&most);
                    self.ring.submitter().submit_with_args(want, &options)
                }
            });
            match submitted {
                Ok(_) if self.waiting.is_empty() => return Ok(()),
                Ok(_) => {}
                Err(refused) => match refused.raw_os_error() {
                    Some(libc::EINTR) if want == 0 => {}
                    // Memory is short, or completions must be taken up first; or time is up.
                    Some(libc::EINTR | libc::EAGAIN | libc::EBUSY | libc::ETIME) => return Ok(()),
                    _ => return Err(refused),
                },
            }
        }
    }

    /// A completion with this key, whoever's it is.
    #[cfg(test)]
    pub(crate) fn post(&mut self, key: Key) {
        let entry = io_uring::opcode::Nop::new().build();
        self.waiting.push_back(entry.user_data(key.to_bits()));
    }

    /// Moves what waits to the queue as far as it has room. Entries in the queue.
    fn queue(&mut self) -> usize {
        let mut queue = self.ring.submission();
        while !queue.is_full()
            && let Some(entry) = self.waiting.pop_front()
        {
            // SAFETY: what the entry points at stays in its operation, in the slab, until the kernel
            // is done with it (1, 2), and the file stays open (3). A cancellation points at nothing.
            let pushed = unsafe { queue.push(&entry) };
            debug_assert!(pushed.is_ok(), "there is room");
        }
        queue.len()
    }

    /// Whether the kernel has completions that only a call brings.
    fn must_enter(&mut self) -> bool {
        let queue = self.ring.submission();
        queue.taskrun() || queue.cq_overflow()
    }

    /// Whether the kernel took less than it was given.
    pub(crate) fn is_stuck(&mut self) -> bool {
        !self.waiting.is_empty() || !self.ring.submission().is_empty()
    }

    /// Registers blocks, for the life of the ring.
    pub(crate) fn register(&mut self, mut blocks: Vec<SliceMut>) -> io::Result<()> {
        let part = |block: &mut SliceMut| {
            let room = block.spare_mut();
            libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() }
        };
        let parts: Vec<_> = blocks.iter_mut().map(part).collect();
        // SAFETY: the kernel holds the pages itself, and is only ever told to use a part of them that
        // an operation has the block of (1). The table keeps the blocks until the ring is closed (4).
        unsafe { self.ring.submitter().register_buffers(&parts) }?;
        self.table = Table::new(blocks.into_iter());
        Ok(())
    }

    /// Gives a group of blocks to the kernel, for the life of the ring. Its number.
    pub(crate) fn provide(&mut self, mut group: Group) -> io::Result<u16> {
        let number = u16::try_from(self.groups.len()).map_err(io::Error::other)?;
        let (address, entries) = (group.address().expose_provenance() as u64, group.entries());
        let submitter = self.ring.submitter();
        // SAFETY: the entries are as many, and stay where they are, as the blocks do that they name
        // (the group's invariants), until the ring is closed (4).
        unsafe { submitter.register_buf_ring_with_flags(address, entries, number, 0) }.map_err(
            |refused| match refused.raw_os_error() {
                Some(libc::EINVAL) => unsupported("this kernel has no rings of provided buffers"),
                _ => refused,
            },
        )?;
        self.groups.push(group);
        Ok(number)
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slab, waiting, groups, .. } = self;
        f.debug_struct("Core")
            .field("operations", &slab.len())
            .field("waiting", &waiting.len())
            .field("groups", &groups.len())
            .finish_non_exhaustive()
    }
}
