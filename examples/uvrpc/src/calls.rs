//! [`Calls`]: those that are under way, between who makes them and who has the connection.

use crate::{
    ClientStats, Mode, Options, Payload, Reply,
    connection::Side,
    envelope::ReplyHead,
    outgoing::write_call,
    zmtp::{Body, Fault, Refusal},
};
use aqueduct::{PipeError, Reader, Str, Writer, pipe};
use std::{
    collections::HashMap,
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, oneshot},
    time::{Instant, sleep_until},
};

/// What comes of a call.
pub type Outcome = Result<Reply, CallError>;

/// Why there is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// It did not come in time. The call may have been carried out.
    Timeout,
    /// The connection was lost. The call may have been carried out.
    Lost,
    /// The client was dropped.
    Closed,
    /// As many calls are under way as may be. It was not sent.
    Full,
    /// The call's data is larger than allowed, and was not sent; or the reply's is.
    TooLarge,
    /// The reply is none.
    Malformed,
    /// There is no memory for it.
    Memory,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "no reply in time",
            Self::Lost => "the connection was lost",
            Self::Closed => "the client is gone",
            Self::Full => "too many calls are under way",
            Self::TooLarge => "too much data",
            Self::Malformed => "the reply is malformed",
            Self::Memory => "no memory",
        })
    }
}

impl Error for CallError {}

/// What a user's code gives, unless it panics: that is its own affair, and ends nothing else.
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(code)).ok()
}

/// A pipe in which all is flushed, in the end, too: what is not is half a call for which there was no memory,
/// or one whose owner panicked as it was written. Nobody waits for it, and the next call may not follow it.
struct Whole<'a>(&'a mut Writer);

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        if self.0.unflushed() > 0 {
            self.0.rollback();
        }
    }
}

/// Who is told what comes of a call.
pub(crate) enum Then {
    Awaited(oneshot::Sender<Outcome>),
    Called(Box<dyn FnOnce(Outcome) + Send>),
}

impl Then {
    fn tell(self, outcome: Outcome) {
        match self {
            // Whoever waited may have stopped.
            Self::Awaited(sender) => drop(sender.send(outcome)),
            Self::Called(then) => drop(caught(|| then(outcome))),
        }
    }
}

struct Entry {
    then: Then,
    deadline: Instant,
    /// Given back with the entry.
    _room: OwnedSemaphorePermit,
}

/// Calls are written where they are made, into the pipe that the connection sends from: who calls encodes.
pub(crate) struct Calls {
    state: Mutex<State>,
    room: Arc<Semaphore>,
    /// That a deadline is earlier than all before.
    sooner: Notify,
    mode: Mode,
    largest: usize,
    options: aqueduct::Options,
}

struct State {
    /// None when the client is gone.
    queue: Option<Writer>,
    pending: HashMap<u32, Entry>,
    next: u32,
    /// No deadline is earlier.
    earliest: Option<Instant>,
    stats: ClientStats,
}

/// So much later; in thirty years at most, as good as never.
fn after(timeout: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);
    Instant::now() + timeout.min(NEVER)
}

impl Calls {
    /// None, and where what is sent comes from.
    pub(crate) fn new(options: &Options) -> (Arc<Self>, Reader) {
        let pipes = options.pipe();
        let (writer, sending) = pipe(pipes.clone());
        let state = State {
            queue: Some(writer),
            pending: HashMap::new(),
            next: options.first_id,
            earliest: None,
            stats: ClientStats::default(),
        };
        let calls = Self {
            state: Mutex::new(state),
            room: Arc::new(Semaphore::new(options.profile.high_water())),
            sooner: Notify::new(),
            mode: options.mode,
            largest: options.largest_data(),
            options: pipes,
        };
        (Arc::new(calls), sending)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Of users' code only an owner of data runs under it, when the data is written: see `Whole`. Nothing
        // else here panics half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn room(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let room = Arc::clone(&self.room).acquire_owned().await;
        room.map_err(|_closed| CallError::Closed)
    }

    pub(crate) fn try_room(&self) -> Result<OwnedSemaphorePermit, CallError> {
        Arc::clone(&self.room).try_acquire_owned().map_err(|refused| match refused {
            TryAcquireError::Closed => CallError::Closed,
            TryAcquireError::NoPermits => CallError::Full,
        })
    }

    /// Writes a call, and gives its id.
    pub(crate) fn begin(
        &self,
        names: (&str, &str),
        data: Option<Payload>,
        timeout: Duration,
        room: OwnedSemaphorePermit,
        then: Then,
    ) -> Result<u32, CallError> {
        if data.as_ref().map_or(0, Payload::len) > self.largest {
            return Err(CallError::TooLarge);
        }
        let deadline = after(timeout);
        let state = &mut *self.lock();
        let queue = Whole(state.queue.as_mut().ok_or(CallError::Closed)?);
        let mut id = state.next;
        while state.pending.contains_key(&id) {
            id = id.wrapping_add(1);
        }
        let written = write_call(queue.0, self.mode, id, names, data);
        written.and_then(|()| queue.0.try_flush()).map_err(|_| CallError::Memory)?;
        state.next = id.wrapping_add(1);
        state.pending.insert(id, Entry { then, deadline, _room: room });
        if state.earliest.is_none_or(|earliest| deadline < earliest) {
            state.earliest = Some(deadline);
            self.sooner.notify_one();
        }
        Ok(id)
    }

    /// Nobody waits for this call any more.
    pub(crate) fn forget(&self, id: u32) {
        let forgotten = self.lock().pending.remove(&id);
        drop(forgotten);
    }

    /// Ends the calls whose time is over, for ever.
    pub(crate) async fn expire(&self) {
        loop {
            let earliest = self.lock().earliest;
            let Some(earliest) = earliest else {
                self.sooner.notified().await;
                continue;
            };
            tokio::select! {
                () = sleep_until(earliest) => {}
                () = self.sooner.notified() => continue,
            }
            let now = Instant::now();
            let over: Vec<Entry> = {
                let state = &mut *self.lock();
                let over = state.pending.extract_if(|_, entry| entry.deadline <= now);
                let over = over.map(|(_, entry)| entry).collect();
                state.earliest = state.pending.values().map(|entry| entry.deadline).min();
                over
            };
            over.into_iter().for_each(|entry| entry.then.tell(Err(CallError::Timeout)));
        }
    }

    /// A server has greeted.
    pub(crate) fn connected(&self) {
        self.lock().stats.connections += 1;
    }

    /// The connection is lost, and with it all calls so far. Those that follow wait for the next, which
    /// sends from the new pipe; none when the client is gone.
    pub(crate) fn lost(&self) -> Option<Reader> {
        let (writer, sending) = pipe(self.options.clone());
        let (old, lost) = {
            let state = &mut *self.lock();
            let old = state.queue.as_mut().map(|queue| std::mem::replace(queue, writer))?;
            state.earliest = None;
            (old, std::mem::take(&mut state.pending))
        };
        drop(old);
        lost.into_values().for_each(|entry| entry.then.tell(Err(CallError::Lost)));
        Some(sending)
    }

    /// The client is gone.
    pub(crate) fn close(&self) {
        self.room.close();
        let (queue, pending) = {
            let state = &mut *self.lock();
            (state.queue.take(), std::mem::take(&mut state.pending))
        };
        drop(queue);
        pending.into_values().for_each(|entry| entry.then.tell(Err(CallError::Closed)));
    }

    pub(crate) fn stats(&self) -> ClientStats {
        let state = self.lock();
        ClientStats { pending: state.pending.len(), ..state.stats }
    }

    /// Tells who waits for this id, outside the lock, and says whether anybody did.
    fn tell(&self, id: u32, outcome: impl FnOnce() -> Outcome) -> bool {
        let entry = self.lock().pending.remove(&id);
        let Some(Entry { then, _room: room, .. }) = entry else { return false };
        // There is room for another call before it is made.
        drop(room);
        then.tell(outcome());
        true
    }

    /// A message that is no reply, though it may have the id of one.
    fn malformed(&self, id: Option<u32>, error: CallError) {
        self.lock().stats.malformed += 1;
        if let Some(id) = id {
            let _known = self.tell(id, || Err(error));
        }
    }
}

/// A client's side of its connection.
impl Side for Arc<Calls> {
    const WATCHES: bool = true;

    fn has_room(&self) -> bool {
        true
    }

    fn envelope(&mut self, body: Body<'_>) -> Result<(), Fault> {
        let head = match ReplyHead::read(body.bytes()) {
            Ok(head) => head,
            Err(malformed) => {
                self.malformed(malformed.id, CallError::Malformed);
                return Ok(());
            }
        };
        let known = self.tell(head.id, || {
            let data = head.data.map(|len| body.last(len));
            let data = match self.mode {
                Mode::ZeroCopy => data,
                // Out of the message, and once more for who awaits it.
                Mode::Copying => data.map(|data| data.detach().detach()),
            };
            let error = head.error.as_deref().map(Str::from);
            Ok(Reply { status: head.status, error, data })
        });
        if !known {
            self.lock().stats.late += 1;
        }
        Ok(())
    }

    fn refused(&mut self, why: Refusal, id: u32) -> Result<(), Fault> {
        self.malformed(
            Some(id),
            match why {
                Refusal::TooLarge => CallError::TooLarge,
                Refusal::Frames => CallError::Malformed,
            },
        );
        Ok(())
    }

    fn command(
        &mut self,
        write: impl FnOnce(&mut Writer) -> Result<(), PipeError>,
    ) -> Result<(), Fault> {
        self.lock().queue.as_mut().map_or(Ok(()), |queue| {
            write(queue)?;
            Ok(_ = queue.try_flush()?)
        })
    }

    fn flush(&mut self) -> Result<(), Fault> {
        // Each call was flushed as it was made.
        Ok(())
    }
}
