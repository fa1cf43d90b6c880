//! [`serve()`]: sockets, clocks and the stop.

use crate::{Conversation, Next, Options, Timeouts, Wait, http::Service};
use aqueduct::{Reader, Writer, pipe};
use example_common::Door;
use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, Sleep, sleep, timeout},
};

/// Bytes of a pipe's first block: most requests lie in one whole.
const FIRST: usize = 8 << 10;
/// Bytes of its largest.
const LARGEST: usize = 64 << 10;
/// How long a client that was refused may go on sending, so that it reads why.
const LINGER: Duration = Duration::from_secs(1);

/// Answers whoever connects, until `stop` is done: then no connection is accepted, those that wait for a
/// request are closed, and the others with their next answer. One task for each connection.
///
/// # Errors
///
/// Pipes that cannot be made as `options` say.
pub async fn serve(
    listener: TcpListener,
    service: Arc<impl Service>,
    options: Options,
    stop: impl Future,
) -> io::Result<()> {
    let segments = aqueduct::Options::builder().pool(&options.pool).segments(FIRST, LARGEST);
    // What waits is bounded by who reads: nothing is received that is not asked for.
    let pipes = segments.pause(0).build().map_err(io::Error::other)?;
    let (connections, timeouts) = (options.connections, options.timeouts);
    let serve = |socket, told| {
        let connection = Connection::new(socket, Conversation::new(&options), pipes.clone());
        connection.serve(Arc::clone(&service), timeouts, told)
    };
    let accept = async |listener: &mut TcpListener| Ok(listener.accept().await?.0);
    Door { connections, stop: timeouts.stop }.open(listener, accept, serve, stop).await;
    Ok(())
}

/// A client's socket, and a pipe for each direction.
struct Connection {
    socket: TcpStream,
    conversation: Conversation,
    received: (Writer, Reader),
    answers: (Writer, Reader),
}

/// Why a wait ended.
enum Woken {
    Received(io::Result<usize>),
    Late,
    Stopped,
}

impl Connection {
    fn new(socket: TcpStream, conversation: Conversation, pipes: aqueduct::Options) -> Self {
        let (received, answers) = (pipe(pipes.clone()), pipe(pipes));
        Self { socket, conversation, received, answers }
    }

    /// How a connection ends is its client's affair.
    async fn serve(
        mut self,
        service: Arc<impl Service>,
        timeouts: Timeouts,
        mut told: watch::Receiver<bool>,
    ) {
        let Timeouts { head, body, idle, write, .. } = timeouts;
        let _ = self.socket.set_nodelay(true);
        let mut timer = pin!(sleep(idle));
        let mut stop = pin!(async move { told.wait_for(|stop| *stop).await.map(drop) });
        let mut stopped = false;
        // What is waited for, of which request, and until when.
        let (mut wait, mut deadline) = ((Wait::Request, 0), None);
        loop {
            let (input, output) = (&mut self.received.1, &mut self.answers.0);
            let next = self.conversation.advance(&*service, input, output);
            if !self.send(timer.as_mut(), write).await {
                return;
            }
            let waits = match next {
                Next::Read(waits) => waits,
                Next::Write => continue,
                Next::HandOver if self.hand_over(timer.as_mut(), write).await => continue,
                Next::HandOver | Next::Close => break,
            };
            let limit = match waits {
                Wait::Request if stopped => break,
                Wait::Request => idle,
                Wait::Head => head,
                Wait::Body => body,
            };
            if wait != (waits, self.conversation.heads()) {
                (wait, deadline) = ((waits, self.conversation.heads()), None);
            }
            let mut late = Deadline { at: &mut deadline, limit, timer: timer.as_mut() };
            let woken = poll_fn(|context| {
                if let Poll::Ready(received) = self.poll_receive(context) {
                    return Poll::Ready(Woken::Received(received));
                }
                if !stopped && stop.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Woken::Stopped);
                }
                late.poll(context).map(|()| Woken::Late)
            });
            match woken.await {
                Woken::Received(Ok(1..)) => {}
                Woken::Received(_) => return,
                Woken::Stopped => {
                    stopped = true;
                    self.conversation.close_soon();
                }
                Woken::Late => self.conversation.time_out(&mut self.answers.0),
            }
        }
        // Apart, so that no connection is as large as its end.
        Box::pin(self.close()).await;
    }

    /// Sends what is there, as long as the client takes some of it.
    async fn send(&mut self, mut timer: Pin<&mut Sleep>, limit: Duration) -> bool {
        let (output, socket) = (&mut self.answers.1, &mut self.socket);
        while self.answers.0.stats().buffered > 0 {
            let sent = |context: &mut Context<'_>| {
                output.poll_drain_to(context, Pin::new(&mut *socket)).map(|sent| sent.is_ok())
            };
            if !in_time(timer.as_mut(), limit, sent).await {
                return false;
            }
        }
        true
    }

    /// Sends what was handed over, likewise.
    async fn hand_over(&mut self, mut timer: Pin<&mut Sleep>, limit: Duration) -> bool {
        self.release();
        let Some(body) = self.conversation.handed_over() else { return true };
        while body.left() > 0 {
            let sent = |context: &mut Context<'_>| {
                body.poll_send(context, &self.socket).map(|sent| sent.is_ok())
            };
            if !in_time(timer.as_mut(), limit, sent).await {
                return false;
            }
        }
        true
    }

    /// Receives once. While there is nothing, no block is held that is not needed.
    fn poll_receive(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let received = self.received.0.poll_fill_from(context, Pin::new(&mut self.socket));
        if received.is_pending() {
            self.release();
        }
        received
    }

    fn release(&mut self) {
        self.received.1.release();
        self.answers.0.release();
        self.answers.1.release();
    }

    /// Closes, and drops what the client still sends: else it would lose the answer with the connection.
    async fn close(mut self) {
        if self.socket.shutdown().await.is_err() {
            return;
        }
        let Self { mut socket, received: (mut input, mut rest), .. } = self;
        let all = async move {
            while let Ok(1..) = input.fill_from(&mut socket).await {
                if let Ok(Some(read)) = rest.try_read() {
                    let view = read.into_view();
                    let len = view.len();
                    view.consume(len);
                }
            }
        };
        let _ = timeout(LINGER, all).await;
    }
}

/// What `poll` says, or false when that takes too long.
async fn in_time(
    timer: Pin<&mut Sleep>,
    limit: Duration,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<bool>,
) -> bool {
    let mut deadline = None;
    let mut late = Deadline { at: &mut deadline, limit, timer };
    let done = poll_fn(|context| match poll(context) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => late.poll(context).map(|()| false),
    });
    done.await
}

/// A deadline that costs nothing until it is waited for, and then no more than a look at the clock: a
/// timer that is set for earlier is set again when it has come.
struct Deadline<'a> {
    at: &'a mut Option<Instant>,
    limit: Duration,
    timer: Pin<&'a mut Sleep>,
}

impl Deadline<'_> {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let at = *self.at.get_or_insert_with(|| after(limit));
        if self.timer.deadline() > at {
            self.timer.as_mut().reset(at);
        }
        while self.timer.as_mut().poll(context).is_ready() {
            if self.timer.deadline() >= at {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(at);
        }
        Poll::Pending
    }
}

/// So much later; in thirty years at most, as good as never.
fn after(limit: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 86_400);
    Instant::now() + limit.min(NEVER)
}
