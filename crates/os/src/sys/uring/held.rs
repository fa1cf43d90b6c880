//! [`Held`]: what an operation owns while the kernel works on it, and the entry that says so.
//!
//! Invariants of this file:
//!
//! 1. The pointers in an entry lead into memory that the [`Held`] owns and that stays in place when
//!    the `Held` moves: into a block (moving a handle does not move its bytes; [`Slice::pin`] sees to
//!    it that there is one) or into what is boxed.
//! 2. Lengths are at most those of the memory, and at most [`MOST`].

use super::{group::Debt, table::FixedIndex};
use crate::zero_copy::ZeroCopyAnswer;
use aqueduct_sequence::Sequence;
use aqueduct_slice::{Slice, SliceMut};
use io_uring::{opcode, squeue, types::Fd};
use std::{cell::Cell, collections::VecDeque, io, mem, ptr, rc::Rc};

/// Bytes that the kernel moves at once, at most: it cuts what is longer itself.
const MOST: usize = 0x7fff_f000;
/// Slices that it gathers at once, at most.
const PARTS: usize = 1024;
/// In place of an offset: from where the file stands.
const WHERE_IT_STANDS: u64 = u64::MAX;
/// Have the completion of a zero-copy send say whether bytes were copied.
const REPORT_USAGE: u16 = 1 << 3;
/// The whole of it or an error, where the kernel knows how; and never a signal.
const SEND: i32 = libc::MSG_WAITALL | libc::MSG_NOSIGNAL;

/// What an operation owns. The kernel alone uses the memory until the last completion.
pub(crate) enum Held {
    /// Bytes of a file into the spare capacity. No offset: from where the file stands.
    Read { block: SliceMut, len: usize, offset: Option<u64> },
    /// The same, into a block that is registered.
    ReadFixed { block: SliceMut, len: usize, offset: u64, index: FixedIndex },
    /// What a socket has, into the spare capacity.
    Receive(SliceMut),
    /// To a socket; without copying, if that is where the kernel's answer goes.
    Send { slice: Slice, zero_copy: Option<ZeroCopy> },
    /// To a socket, or to a file from an offset on.
    Gather(Box<Gather>),
    /// What a socket has, again and again, into blocks of a group.
    Stream(Stream),
}

/// What the kernel has said of sends without a copy on a socket.
#[derive(Clone, Default)]
pub(crate) struct ZeroCopy(Rc<Cell<ZeroCopyAnswer>>);

impl ZeroCopy {
    pub(crate) fn answer(&self) -> ZeroCopyAnswer {
        self.0.get()
    }

    /// Once it has copied, or cannot but copy, that stays.
    pub(crate) fn note(&self, answer: ZeroCopyAnswer) {
        if matches!(self.answer(), ZeroCopyAnswer::None | ZeroCopyAnswer::Sent) {
            self.0.set(answer);
        }
    }
}

/// What a stream has received and nobody has taken.
pub(crate) struct Stream {
    /// The group of buffers, a number of the ring's.
    pub(crate) group: u16,
    pub(crate) received: VecDeque<io::Result<Slice>>,
    pub(crate) debt: Debt,
    /// Slices that may wait before it pauses.
    pub(crate) ahead: usize,
    /// No more will come: the end, or an error.
    pub(crate) ended: bool,
    /// Its entry is being cancelled.
    pub(crate) pausing: bool,
}

/// Slices and where they are.
pub(crate) struct Gather {
    /// Whole until the end: who drops a slice runs code of others.
    data: Sequence,
    /// Bytes that are sent.
    pub(crate) sent: usize,
    parts: Vec<libc::iovec>,
    message: libc::msghdr,
    /// None for a socket.
    offset: Option<u64>,
}

impl Gather {
    pub(crate) fn new(data: Sequence, offset: Option<u64>) -> Box<Self> {
        // SAFETY: plain integers and pointers, for which zero is a value.
        let message = unsafe { mem::zeroed() };
        Box::new(Self { data, sent: 0, parts: Vec::new(), message, offset })
    }

    /// Takes note of a result. Whether there is more to send.
    pub(super) fn goes_on(&mut self, result: i32) -> bool {
        let sent = usize::try_from(result).unwrap_or(0);
        self.sent += sent;
        self.offset.is_none() && sent > 0 && self.sent < self.data.len()
    }

    fn entry(&mut self, fd: Fd) -> squeue::Entry {
        // Inline bytes are where the sequence or its list is, and both stay in place (1).
        let rest = self.data.as_ref().slice(self.sent..);
        self.parts = rest.segments().take(PARTS).map(part).collect();
        if let Some(offset) = self.offset {
            let count = u32::try_from(self.parts.len()).unwrap_or(u32::MAX);
            return opcode::Writev::new(fd, self.parts.as_ptr(), count)
                .offset(place(offset))
                .build();
        }
        self.message.msg_iov = self.parts.as_mut_ptr();
        self.message.msg_iovlen = self.parts.len() as _;
        #[allow(clippy::cast_sign_loss, reason = "flags")]
        opcode::SendMsg::new(fd, &raw const self.message).flags(SEND as u32).build()
    }
}

fn part(bytes: &[u8]) -> libc::iovec {
    libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() }
}

impl Held {
    /// The entry for the kernel, of memory that is this `Held`'s.
    pub(super) fn entry(&mut self, fd: Fd) -> squeue::Entry {
        match self {
            Self::Read { block, len, offset } => {
                let (start, len) = room(block, *len);
                opcode::Read::new(fd, start, len)
                    .offset(offset.map_or(WHERE_IT_STANDS, place))
                    .build()
            }
            Self::ReadFixed { block, len, offset, index } => {
                let (start, len) = room(block, *len);
                opcode::ReadFixed::new(fd, start, len, index.0).offset(place(*offset)).build()
            }
            Self::Receive(block) => {
                let (start, len) = room(block, MOST);
                opcode::Recv::new(fd, start, len).build()
            }
            Self::Send { slice, zero_copy } => {
                *slice = mem::take(slice).pin();
                let (start, len) = (slice.as_ptr(), limited(slice.len()));
                match zero_copy {
                    Some(_) => opcode::SendZc::new(fd, start, len)
                        .flags(SEND)
                        .zc_flags(REPORT_USAGE)
                        .build(),
                    None => opcode::Send::new(fd, start, len).flags(SEND).build(),
                }
            }
            Self::Gather(gather) => gather.entry(fd),
            Self::Stream(stream) => opcode::RecvMulti::new(fd, stream.group).build(),
        }
    }
}

/// An offset as the kernel takes it: it refuses all that do not fit into 63 bits, but for one.
fn place(offset: u64) -> u64 {
    offset.min(WHERE_IT_STANDS - 1)
}

/// Where a block has room, and for how much, which is at most `len`.
fn room(block: &mut SliceMut, len: usize) -> (*mut u8, u32) {
    let spare = block.spare_mut();
    let start = if spare.is_empty() { ptr::null_mut() } else { spare.as_mut_ptr() };
    (start, limited(spare.len().min(len)))
}

fn limited(len: usize) -> u32 {
    u32::try_from(len.min(MOST)).unwrap_or(0)
}
