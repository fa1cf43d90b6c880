//! [`keep`]: what is in flight when its sender is dropped.
//!
//! A block that the kernel still reads must not come back to its pool: whoever gets it next would send
//! their bytes to this peer. Its sender is gone, so somebody else waits for the kernel. Invariants:
//!
//! 1. What is in flight has one owner: its sender, then a [`Kept`]. Bytes leave it by a notification, or
//!    not at all.
//! 2. A [`Kept`] owns the sender's socket: the kernel throws notifications for closed sockets away.
//! 3. It ends. The kernel is done with a byte when it is acknowledged or the connection is over, and a
//!    connection without progress is over after [`PATIENCE`], or what its owner has set.
//! 4. Where it cannot be watched (no descriptor, no thread, no memory of the kernel's, a socket that
//!    panics), it is leaked, as [`InFlight`] is whenever it is dropped: a block that is lost is better
//!    than one that tells.
//! 5. No code of others runs under a lock, neither destructors nor `as_fd`: it may drop another sender.

use super::{drain, in_flight::InFlight};
use aqueduct_base::sync::{Arc, Mutex, thread};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    net::sockopt,
};
use std::{
    collections::HashMap,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// How long a connection whose sender is gone may stand still before the kernel ends it, unless its
/// owner has set `TCP_USER_TIMEOUT`. As long as a server waits for a client that does not read.
const PATIENCE: Duration = Duration::from_secs(60);

/// Events that are taken at once.
const EVENTS: usize = 64;

/// A socket, and what it has in flight.
struct Kept {
    socket: Box<dyn AsFd + Send>,
    in_flight: InFlight,
}

/// All that is kept, and the epoll that its sockets are in by their number.
struct Keeper {
    epoll: OwnedFd,
    kept: Mutex<Numbered>,
}

#[derive(Default)]
struct Numbered {
    next: u64,
    kept: HashMap<u64, Kept>,
}

static KEEPER: Mutex<Option<Arc<Keeper>>> = Mutex::new(None);

/// Keeps what is in flight, and the socket, until the kernel is done with it.
pub(super) fn keep(socket: Box<dyn AsFd + Send>, in_flight: InFlight) {
    // Dropped where that fails (invariant 4).
    let kept = Kept { socket, in_flight };
    if let Ok(keeper) = Keeper::running() {
        let _ = keeper.add(kept);
    }
}

impl Keeper {
    /// The process's own, with its thread, from the first use on.
    fn running() -> io::Result<Arc<Self>> {
        let mut keeper = KEEPER.lock();
        if let Some(running) = &*keeper {
            return Ok(Arc::clone(running));
        }
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let new = Arc::new(Self { epoll, kept: Mutex::default() });
        let its = Arc::clone(&new);
        thread::Builder::new().name("aqueduct-keeper".into()).spawn(move || its.run())?;
        *keeper = Some(Arc::clone(&new));
        Ok(new)
    }

    fn add(&self, kept: Kept) -> io::Result<()> {
        let socket = kept.socket.as_fd();
        // Without it the wait is longer, no more.
        let _ = limit(socket);
        let mut numbered = self.kept.lock();
        let number = numbered.next;
        // Under the lock, so that who is told of the number finds it. What is on the queue already is
        // told at once. (Refused, what is kept is dropped after the lock: it was here first.)
        epoll::add(&self.epoll, socket, EventData::new_u64(number), EventFlags::ET)?;
        numbered.next += 1;
        numbered.kept.insert(number, kept);
        Ok(())
    }

    fn run(&self) -> ! {
        let mut events = Vec::with_capacity(EVENTS);
        loop {
            events.clear();
            // Interrupted, at most: the descriptor is an epoll, and the room is there.
            if epoll::wait(&self.epoll, spare_capacity(&mut events), None).is_err() {
                continue;
            }
            events.iter().for_each(|event| self.look_at(event.data.u64()));
        }
    }

    /// Drains the queue of the socket of this number. Only this thread takes sockets out, so that
    /// nothing is told in between.
    fn look_at(&self, number: u64) {
        let Some(mut kept) = self.kept.lock().kept.remove(&number) else { return };
        let looked = catch_unwind(AssertUnwindSafe(|| kept.waits(&self.epoll)));
        if let Ok(true) = looked {
            self.kept.lock().kept.insert(number, kept);
        } else {
            // Its destructor is other people's code as well.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(kept)));
        }
    }
}

impl Kept {
    /// Drains the queue. Whether there is more to come; if not, the socket is not watched any more.
    fn waits(&mut self, epoll: &OwnedFd) -> bool {
        let Self { socket, in_flight } = self;
        let socket = socket.as_fd();
        // Each panic has dropped what it came from. What cannot be read now is told again with the next.
        while catch_unwind(AssertUnwindSafe(|| drain(socket, in_flight, |_| {}))).is_err() {}
        if in_flight.is_empty() {
            // Another descriptor of the socket would keep it in the epoll.
            let _ = epoll::delete(epoll, socket);
        }
        !in_flight.is_empty()
    }
}

/// Invariant 3.
fn limit(socket: BorrowedFd<'_>) -> io::Result<()> {
    if sockopt::tcp_user_timeout(socket)? == 0 {
        #[allow(clippy::cast_possible_truncation, reason = "a minute")]
        sockopt::set_tcp_user_timeout(socket, PATIENCE.as_millis() as u32)?;
    }
    Ok(())
}
