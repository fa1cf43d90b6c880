//! Files read by a ring of io_uring, into blocks that the system knows.

use std::cell::RefCell;
use std::fs::File;
use std::future::Future;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use aqueduct::os::uring::{Op, Registered, Ring};
use aqueduct::{Pool, Slice};
use send_wrapper::SendWrapper;
use tokio::net::TcpStream;
use web::Handover;

use super::body::{poll_write, shrunk, tell_once};

/// Bytes of a block.
const BLOCK: usize = 64 << 10;
/// Blocks of each ring. When all are in use, others are read into that the system does not know.
const BLOCKS: u16 = 32;
/// Reads that the system hears of at once.
const ENTRIES: u32 = 64;

thread_local! {
    /// This thread's blocks, while it runs with a ring.
    static BLOCKS_HERE: RefCell<Option<Registered>> = const { RefCell::new(None) };
}

/// Runs a server on this thread with a ring for [`Way::IoUring`](super::Way::IoUring). Where there is no
/// io_uring, it runs without: files are read by this thread then, and one line says so.
///
/// # Errors
///
/// The system's, when the ring fails on the way.
pub async fn with_ring<F: Future>(pool: &Pool, server: F) -> io::Result<F::Output> {
    let opened = Ring::new(ENTRIES)
        .and_then(|ring| ring.register(pool, BLOCKS, BLOCK).map(|blocks| (ring, blocks)));
    match opened {
        Ok((ring, blocks)) => {
            BLOCKS_HERE.set(Some(blocks));
            let done = ring.run_until(server).await;
            BLOCKS_HERE.take();
            done
        }
        Err(refused) => {
            tell_once(&format!("io_uring refused: {refused}; reading instead"));
            Ok(server.await)
        }
    }
}

/// A part of a file, a block of which is filled while the one before is sent. It belongs to the thread of
/// its ring, where its connection's task stays, too.
pub(super) struct Filled(SendWrapper<Filling>);

struct Filling {
    blocks: Registered,
    file: Arc<File>,
    /// What is not read yet.
    part: Range<u64>,
    next: Option<Op<io::Result<Slice>>>,
    block: Slice,
}

impl Filled {
    /// Nothing, if this thread has no ring.
    pub(super) fn new(file: &File, part: Range<u64>) -> Option<Self> {
        let blocks = BLOCKS_HERE.with_borrow(Clone::clone)?;
        let file = Arc::new(file.try_clone().ok()?);
        let block = Slice::new();
        Some(Self(SendWrapper::new(Filling { blocks, file, part, next: None, block })))
    }
}

impl Filling {
    fn ask(&mut self) {
        let len =
            usize::try_from(self.part.end - self.part.start).map_or(BLOCK, |len| len.min(BLOCK));
        self.next = (len > 0).then(|| self.blocks.read_at(&self.file, self.part.start, len));
    }

    /// What follows the block that is sent.
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Slice>> {
        if self.next.is_none() {
            self.ask();
        }
        let Some(next) = &mut self.next else { return Poll::Ready(Err(shrunk())) };
        let block = ready!(Pin::new(next).poll(context))?;
        self.part.start += block.len() as u64;
        self.ask();
        Poll::Ready(if block.is_empty() { Err(shrunk()) } else { Ok(block) })
    }
}

impl Handover for Filled {
    fn poll_send(
        &mut self,
        context: &mut Context<'_>,
        socket: &TcpStream,
    ) -> Poll<io::Result<u64>> {
        let this = &mut *self.0;
        if this.block.is_empty() {
            this.block = ready!(this.poll_next(context))?;
        }
        let sent =
            ready!(poll_write(context, socket, |fd| Ok(rustix::io::write(fd, &this.block)?)))?;
        this.block.advance(sent);
        Poll::Ready(Ok(sent as u64))
    }
}
