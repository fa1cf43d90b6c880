//! [`Client`]: calls, in three styles.

use crate::{
    Address, CallError, Options, Payload,
    calls::{Calls, Outcome, Then},
    driver::{self, Closing},
};
use std::{
    fmt,
    future::{Future, poll_fn},
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::Duration,
};
use tokio::{runtime::Builder, sync::oneshot, task::AbortHandle};

/// A client of one server, to which it connects again whenever that is gone. Clones are the same client; with
/// the last of them all calls that are under way end as [`CallError::Closed`].
///
/// ```
/// use uvrpc::{Client, Listener, Options, Payload, Services, serve};
/// use std::{future::pending, sync::Arc};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let address = "inproc://an example".parse()?;
/// let listener = Listener::bind(&address).await?;
/// let services = Arc::new(Services::demo());
/// let server = tokio::spawn(serve(listener, services, Options::default(), pending::<()>()));
///
/// let client = Client::connect(address, Options::default());
/// let reply = client.call("echo", "", Payload::from(b"hello")).await?;
/// assert_eq!(reply.data.unwrap().as_slice(), Some(&b"hello"[..]));
/// # server.abort();
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    timeout: Duration,
}

struct Inner {
    calls: Arc<Calls>,
    driver: AbortHandle,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.driver.abort();
        self.calls.close();
    }
}

/// What a client has been through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientStats {
    /// Calls that are not answered yet.
    pub pending: usize,
    /// Replies that nobody waited for any more, which were dropped.
    pub late: u64,
    /// Messages that were no replies.
    pub malformed: u64,
    /// How often a server greeted.
    pub connections: u64,
}

impl Client {
    /// A client whose connection is a task of the tokio runtime that this is called in. It connects by
    /// and by; calls wait for that.
    ///
    /// # Panics
    ///
    /// Outside a runtime.
    #[must_use]
    pub fn connect(address: Address, options: Options) -> Self {
        let (calls, sending) = Calls::new(&options);
        let timeout = options.timeout;
        let task =
            tokio::spawn(driver::run(Closing(Arc::clone(&calls)), sending, address, options));
        Self { inner: Arc::new(Inner { calls, driver: task.abort_handle() }), timeout }
    }

    /// The same on a thread of its own, for who has no runtime.
    ///
    /// # Errors
    ///
    /// The system's, for the thread.
    pub fn connect_on_thread(address: Address, options: Options) -> io::Result<Self> {
        let (calls, sending) = Calls::new(&options);
        let timeout = options.timeout;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let task =
            runtime.spawn(driver::run(Closing(Arc::clone(&calls)), sending, address, options));
        let driver = task.abort_handle();
        thread::Builder::new().name("uvrpc".to_owned()).spawn(move || {
            // It ends when it is aborted.
            let _ = runtime.block_on(task);
        })?;
        Ok(Self { inner: Arc::new(Inner { calls, driver }), timeout })
    }

    /// The same client with another timeout for the calls that are made through this handle.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { inner: Arc::clone(&self.inner), timeout }
    }

    /// Calls, and waits for the reply; before that for room, while as many calls are under way as the
    /// profile's high-water mark says. A future that is dropped forgets its call.
    ///
    /// # Errors
    ///
    /// [`CallError`]. A reply with another status than 0 is none.
    pub async fn call(
        &self,
        service: &str,
        method: &str,
        data: impl Into<Option<Payload>>,
    ) -> Outcome {
        let room = self.inner.calls.room().await?;
        let (sender, receiver) = oneshot::channel();
        let id = self.inner.calls.begin(
            (service, method),
            data.into(),
            self.timeout,
            room,
            Then::Awaited(sender),
        )?;
        Pending { id, receiver, calls: Arc::clone(&self.inner.calls) }.await
    }

    /// Begins a call at once; the reply can be awaited, or not.
    ///
    /// # Errors
    ///
    /// [`CallError::Full`] while too many calls are under way, and what makes the call impossible.
    pub fn begin(
        &self,
        service: &str,
        method: &str,
        data: impl Into<Option<Payload>>,
    ) -> Result<Pending, CallError> {
        let (sender, receiver) = oneshot::channel();
        let id = self.start((service, method), data.into(), Then::Awaited(sender))?;
        Ok(Pending { id, receiver, calls: Arc::clone(&self.inner.calls) })
    }

    /// Calls, and has `then` called with what comes of it, on the connection's task: it may call, but not
    /// wait.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin); then it is not called.
    pub fn call_then(
        &self,
        service: &str,
        method: &str,
        data: impl Into<Option<Payload>>,
        then: impl FnOnce(Outcome) + Send + 'static,
    ) -> Result<(), CallError> {
        self.start((service, method), data.into(), Then::Called(Box::new(then))).map(drop)
    }

    /// Calls, and sleeps until the reply is there.
    ///
    /// # Errors
    ///
    /// As [`begin`](Self::begin) and [`call`](Self::call).
    ///
    /// # Panics
    ///
    /// In a runtime, whose thread this would block.
    pub fn call_blocking(
        &self,
        service: &str,
        method: &str,
        data: impl Into<Option<Payload>>,
    ) -> Outcome {
        let (sender, receiver) = oneshot::channel();
        self.start((service, method), data.into(), Then::Awaited(sender))?;
        receiver.blocking_recv().unwrap_or(Err(CallError::Closed))
    }

    fn start(
        &self,
        names: (&str, &str),
        data: Option<Payload>,
        then: Then,
    ) -> Result<u32, CallError> {
        let room = self.inner.calls.try_room()?;
        self.inner.calls.begin(names, data, self.timeout, room, then)
    }

    /// What it has been through.
    #[must_use]
    pub fn stats(&self) -> ClientStats {
        self.inner.calls.stats()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A call that is under way: a future of what comes of it. Dropped, it is forgotten, and its reply is
/// [late](ClientStats::late).
#[must_use = "its reply is dropped with it"]
pub struct Pending {
    id: u32,
    receiver: oneshot::Receiver<Outcome>,
    calls: Arc<Calls>,
}

impl Future for Pending {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        let done = Pin::new(&mut self.receiver).poll(context);
        done.map(|outcome| outcome.unwrap_or(Err(CallError::Closed)))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // What has come of it is never looked for again: its id may be another's by now.
        self.receiver.close();
        if self.receiver.is_empty() && !self.receiver.is_terminated() {
            self.calls.forget(self.id);
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Waits for all of them, and gives what came of them in their order.
pub async fn await_all(calls: impl IntoIterator<Item = Pending>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    // They are all under way: it takes as long as the longest, in whatever order they are waited for.
    for call in calls {
        outcomes.push(call.await);
    }
    outcomes
}

/// Waits for the first of them, takes it out of the list, and gives where it stood and what came of it. The
/// others stay under way. For none, never.
pub async fn await_any(calls: &mut Vec<Pending>) -> (usize, Outcome) {
    poll_fn(|context| {
        for at in 0..calls.len() {
            if let Poll::Ready(outcome) = Pin::new(&mut calls[at]).poll(context) {
                drop(calls.swap_remove(at));
                return Poll::Ready((at, outcome));
            }
        }
        Poll::Pending
    })
    .await
}
