//! Linux' io_uring: the kernel fills blocks of a pool and sends slices, and says when it is done.
//!
//! ```
//! use aqueduct_os::uring::Ring;
//! use aqueduct_pool::Pool;
//! use std::{fs::File, io, sync::Arc};
//!
//! # fn main() -> io::Result<()> {
//! let ring = match Ring::new(64) {
//!     Err(refused) if refused.kind() == io::ErrorKind::Unsupported => return Ok(()), // use pread
//!     ring => ring?,
//! };
//! let file = Arc::new(File::open("/proc/self/exe")?);
//! let (read, block) = ring.read_at(&file, 0, 4096, Pool::global().get(4096)).wait();
//! assert_eq!(read?, block.len());
//! assert!(block.freeze().starts_with(b"\x7fELF"));
//! # Ok(())
//! # }
//! ```
//!
//! * [`Ring`] starts operations. It belongs to one thread; each thread makes its own.
//! * [`Op`] is an operation on its way: [`wait`](Op::wait)ed for, or a future.
//! * [`Registered`] are blocks that the kernel has looked up once and for all, to read files into.
//! * [`Provided`] are blocks that it fills when a socket has something, one after the other:
//!   [`Receive`] gives them as slices.
//! * [`Sender`] sends without copying where that helps, and finds out where it does not.
//!
//! # Who owns the memory
//!
//! The operation does, from its start to the kernel's last word on it, and with it a handle on the file.
//! A future that is dropped, forgotten or timed out changes nothing about that: its operation is asked to
//! end, and its block is free when it has. What it had read by then is lost, as with any future that
//! is dropped.
//!
//! # When it pays
//!
//! Where much is on its way at once, or waits: reads past the cache (32 at once take a seventh of the time
//! of `pread` one after the other, for 4 KiB on a virtual disk), and sockets, of which thousands can wait
//! without a block. Bytes that are in the cache come sooner by `pread` (0.4 us for 4 KiB and 1.4 us for
//! 64 KiB, where one operation of a ring takes 0.6 us more); that the block is registered makes no
//! difference there.
//!
//! # tokio
//!
//! With feature `tokio`, futures of a ring make progress within [`Ring::run_until`], on the ring's own thread; they are not
//! `Send`, so tasks are started with `tokio::task::spawn_local`. No thread is added.

#[cfg(all(test, feature = "tokio"))]
mod attacks;
#[cfg(test)]
mod closing;
mod fixed;
mod op;
mod probe;
mod read;
mod receive;
#[cfg(all(test, feature = "tokio"))]
mod refusals;
#[cfg(feature = "tokio")]
mod run;
mod send;
#[cfg(test)]
mod turns;

pub use fixed::Registered;
pub use op::Op;
pub use read::open_direct;
pub use receive::{Provided, Receive};
pub use send::Sender;

use crate::sys::uring::{Core, File, Held};
use aqueduct_base::sync::thread;
use std::{cell::RefCell, io, os::fd::AsFd, rc::Rc, sync::Arc};

/// A ring: two queues between one thread and the kernel. Clones are handles on the same.
///
/// An operation starts when it is made, and the kernel hears of it when one is first polled or waited
/// for: those that were made by then go to it in one call.
///
/// The ring is closed when its last handle is gone; each [`Op`], [`Receive`] and [`Provided`] is one. If
/// operations that were dropped have not ended by then, it asks them to and waits, a second at the most;
/// what the kernel still uses after that is leaked.
///
/// ```compile_fail,E0277
/// fn assert_send<T: Send>() {}
/// assert_send::<aqueduct_os::uring::Ring>();
/// ```
#[derive(Clone, Debug)]
pub struct Ring {
    core: Rc<RefCell<Core>>,
    /// How many drive it for all others.
    #[cfg(feature = "tokio")]
    drivers: Rc<std::cell::Cell<usize>>,
}

impl Ring {
    /// A ring with room for `entries` operations between two calls to the kernel: a power of two is
    /// best, 32 to 256 usual. More wait in memory, and any number may be on their way.
    ///
    /// # Errors
    ///
    /// Of kind `Unsupported`, where there is no io_uring or it lacks what every ring needs: use `pread`
    /// and its kin. Else the system's.
    pub fn new(entries: u32) -> io::Result<Self> {
        let core = probe::open(entries)?;
        Ok(Self {
            core: Rc::new(RefCell::new(core)),
            #[cfg(feature = "tokio")]
            drivers: Rc::default(),
        })
    }

    fn start<T>(
        &self,
        held: Held,
        file: &Arc<impl AsFd + 'static>,
        finish: op::Finish<T>,
    ) -> Op<T> {
        self.begin(held, File::new(Arc::clone(file) as Arc<dyn AsFd>), finish)
    }

    fn begin<T>(&self, held: Held, file: File, finish: op::Finish<T>) -> Op<T> {
        let key = self.core.borrow_mut().start(held, file);
        Op::new(self.clone(), key, finish)
    }

    /// Gives to the kernel what waits, and takes up what is done; waits for `want` completions first.
    fn turn(&self, want: usize) -> io::Result<()> {
        let submitted = self.core.borrow_mut().submit(want, None);
        loop {
            let effect = self.core.borrow_mut().complete();
            // Without the ring: wakers and destructors may come back to it.
            let Some(effect) = effect else { return submitted };
            effect.run();
        }
    }

    /// Sleeps this thread until `take` has something.
    fn block<T>(&self, mut take: impl FnMut() -> Option<T>) -> io::Result<T> {
        loop {
            if let Some(taken) = take() {
                return Ok(taken);
            }
            // One call for both; it does not sleep while there are completions, whoever's.
            self.turn(1)?;
            if self.core.borrow_mut().is_stuck() {
                thread::yield_now();
            }
        }
    }
}
