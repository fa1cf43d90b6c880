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
//! 4. Where it cannot be watched (no descriptor, no thread, no memory of the kernel's), it is leaked:
//!    a block that is lost is better than one that tells.
//! 5. No destructor of an owner runs under the lock: it may drop another sender.

use super::{drain, in_flight::InFlight};
use aqueduct_base::sync::{Mutex, thread};
use rustix::{
    buffer::spare_capacity,
    event::epoll::{self, CreateFlags, EventData, EventFlags},
    net::sockopt,
};
use std::{
    collections::HashMap,
    io, mem,
    os::fd::{AsFd, OwnedFd},
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

static KEEPER: Mutex<Option<&'static Keeper>> = Mutex::new(None);

/// Keeps what is in flight, and the socket, until the kernel is done with it.
pub(super) fn keep(socket: Box<dyn AsFd + Send>, in_flight: InFlight) {
    let kept = Kept { socket, in_flight };
    let refused = match Keeper::running() {
        Ok(keeper) => keeper.add(kept),
        Err(_) => Err(kept),
    };
    if let Err(kept) = refused {
        mem::forget(kept.in_flight); // invariant 4
    }
}

impl Keeper {
    /// The process's own, with its thread, from the first use on.
    fn running() -> io::Result<&'static Self> {
        let mut keeper = KEEPER.lock();
        if let Some(running) = *keeper {
            return Ok(running);
        }
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let new: &'static Self = Box::leak(Box::new(Self { epoll, kept: Mutex::default() }));
        thread::Builder::new().name("aqueduct-keeper".into()).spawn(|| new.run())?;
        *keeper = Some(new);
        Ok(new)
    }

    fn add(&self, kept: Kept) -> Result<(), Kept> {
        // Without it the wait is longer, no more.
        let _ = kept.limit();
        let mut numbered = self.kept.lock();
        let number = numbered.next;
        // Under the lock, so that who is told of the number finds it. What is on the queue already is
        // told at once.
        let added = epoll::add(
            &self.epoll,
            kept.socket.as_fd(),
            EventData::new_u64(number),
            EventFlags::ET,
        );
        if added.is_err() {
            return Err(kept);
        }
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
        // Each panic has dropped what it came from.
        while catch_unwind(AssertUnwindSafe(|| kept.drain())).is_err() {}
        if kept.in_flight.is_empty() {
            // Another descriptor of the socket would keep it in the epoll.
            let _ = epoll::delete(&self.epoll, kept.socket.as_fd());
            let _ = catch_unwind(AssertUnwindSafe(|| drop(kept)));
        } else {
            self.kept.lock().kept.insert(number, kept);
        }
    }
}

impl Kept {
    /// Invariant 3.
    fn limit(&self) -> io::Result<()> {
        let socket = self.socket.as_fd();
        if sockopt::tcp_user_timeout(socket)? == 0 {
            #[allow(clippy::cast_possible_truncation, reason = "a minute")]
            sockopt::set_tcp_user_timeout(socket, PATIENCE.as_millis() as u32)?;
        }
        Ok(())
    }

    fn drain(&mut self) {
        // What cannot be read now is told again with the next one.
        let _ = drain(self.socket.as_fd(), &mut self.in_flight, |_| {});
    }
}
